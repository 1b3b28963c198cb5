from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.zoom_sandbox.api import Api
from zoom_sandbox import SandboxSettings
from zoom_sandbox.server import SandboxServer


@pytest.fixture
def start_sandbox() -> Iterator[Callable[..., SandboxServer]]:
    """Start sandboxes on free ports with the settings given; all are closed at the end."""
    with ExitStack() as stack:

        def start(**settings: Any) -> SandboxServer:
            return stack.enter_context(SandboxServer(SandboxSettings(**settings)))

        yield start


@pytest.fixture
def sandbox(start_sandbox: Callable[..., SandboxServer]) -> SandboxServer:
    return start_sandbox()


@pytest.fixture
def connect() -> Iterator[Callable[[SandboxServer], Api]]:
    """Sign in to a sandbox; all sessions are closed at the end."""
    opened: list[Api] = []

    def sign_in(sandbox: SandboxServer) -> Api:
        opened.append(Api(sandbox.url))
        return opened[-1]

    yield sign_in
    for api in opened:
        api.session.close()


@pytest.fixture
def api(sandbox: SandboxServer, connect: Callable[[SandboxServer], Api]) -> Api:
    return connect(sandbox)
