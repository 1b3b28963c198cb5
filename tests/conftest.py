"""What every test may ask for stands in `tests/fixtures/`, one module per noun."""

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.fixtures.browsers",
    "tests.fixtures.databases",
    "tests.fixtures.engines",
    "tests.fixtures.routes",
    "tests.fixtures.sites",
    "tests.fixtures.templates",
]

# How long an example takes says more of the machine's other work than of ours.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")
