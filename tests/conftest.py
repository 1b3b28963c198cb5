"""What every test may ask for stands in `tests/fixtures/`, one module per noun."""

pytest_plugins = ["tests.fixtures.browsers", "tests.fixtures.databases", "tests.fixtures.sites"]
