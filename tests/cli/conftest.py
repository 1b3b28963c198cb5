from collections.abc import Callable
from typing import Protocol

import pytest
from click.testing import Result

from tests.live_site import LiveSite


class Run(Protocol):
    """Runs a command of `flask` and checks its exit code."""

    def __call__(self, *arguments: str, exit_code: int = 0) -> Result: ...


@pytest.fixture
def run(site: LiveSite) -> Run:
    return make_run(site)


@pytest.fixture
def make_runner() -> Callable[[LiveSite], Run]:
    return make_run


def make_run(site: LiveSite) -> Run:
    def run(*arguments: str, exit_code: int = 0) -> Result:
        done = site.app.test_cli_runner().invoke(args=list(arguments))
        assert "Traceback" not in done.output
        assert done.exit_code == exit_code, done.output
        if exit_code == 1:
            assert len(done.stderr.splitlines()) <= 1, done.stderr
        return done

    return run
