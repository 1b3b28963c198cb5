"""What client and sandbox have to agree on."""

import pytest

from tests.zoom_client.fake_zoom import make_sandbox_client
from zoom_client import ScopeMissing
from zoom_sandbox.server import SandboxServer

HOST = "host@example.com"
SCOPE = "user:read:user:admin"


@pytest.fixture
def sandbox():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def client(sandbox, pool):
    return make_sandbox_client(sandbox.url, pool)


def test_scope_granted_later_serves_the_next_call(sandbox, client):
    granted = sandbox.control.state()["scopes"]
    sandbox.control.remove_scopes(SCOPE)
    with pytest.raises(ScopeMissing) as raised:
        client.get_user(HOST)

    sandbox.control.grant_scopes(granted)

    assert raised.value.scopes == ("user:read:user", SCOPE)
    assert client.get_user(HOST).email == HOST
    assert client.scopes() == set(granted)
