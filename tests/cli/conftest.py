from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import pytest
from click.testing import Result

from services.zoom_connections import connect
from tests import factories
from tests.live_site import LiveSite
from zoom_client import Credentials, Plan

SANDBOX = Credentials("sandbox-account", "sandbox-client", "sandbox-secret")


class Run(Protocol):
    """Runs a command of `flask` and checks its exit code."""

    def __call__(self, *arguments: str, exit_code: int = 0) -> Result: ...


@pytest.fixture
def run(site: LiveSite) -> Run:
    return make_run(site)


@pytest.fixture
def make_runner() -> Callable[[LiveSite], Run]:
    return make_run


@pytest.fixture
def start_two(start_site: Callable[..., LiveSite]) -> Callable[..., LiveSite]:
    """Start a site whose second organization has connected Zoom by itself, and has an event."""

    def start(**settings: Any) -> LiveSite:
        site = start_site(**settings)
        now = site.clock()
        with site.database.write() as session:
            factories.make_organization(session, now=now, name="Alpha")
            beta = factories.make_organization(session, now=now, name="Beta")
            address = site.sandbox.url
            connection = connect(
                session, beta, SANDBOX, plan=Plan("pro"), oauth_url=address, now=now
            )
            factories.make_event_at_zoom(
                session,
                site.zoom,
                now=now,
                slug="beta",
                organization_id=beta.id,
                connection_id=connection.id,
                starts_at=now.replace(microsecond=0) + timedelta(days=7),
            )
        return site

    return start


def make_run(site: LiveSite) -> Run:
    def run(*arguments: str, exit_code: int = 0) -> Result:
        done = site.app.test_cli_runner().invoke(args=list(arguments))
        assert "Traceback" not in done.output
        assert done.exit_code == exit_code, done.output
        if exit_code == 1:
            assert len(done.stderr.splitlines()) <= 1, done.stderr
        return done

    return run
