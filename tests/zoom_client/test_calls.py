import pytest

from outbound import Deadline, HttpPool
from tests.outbound.socket_server import read_request, serve
from zoom_client import ZoomOutcomeUnknown, ZoomUnreachable
from zoom_client.calls import call


def ask(pool: HttpPool, port: int, method: str):
    url = f"http://127.0.0.1:{port}/v2/users/me"
    return call(pool, method, url, headers={}, deadline=Deadline(5))


@pytest.mark.parametrize(("method", "may_have_happened"), [("POST", True), ("GET", False)])
def test_broken_answer_leaves_open_what_a_write_did(pool, method, may_have_happened):
    with serve(read_request) as server, pytest.raises(ZoomOutcomeUnknown) as raised:
        ask(pool, server.port, method)

    assert raised.value.may_have_happened is may_have_happened
    assert "No whole answer from Zoom: its answer broke off" in str(raised.value)


def test_refused_connection_had_no_effect(pool):
    with serve(read_request) as server:
        port = server.port

    with pytest.raises(ZoomUnreachable, match="No connection to Zoom: it was refused"):
        ask(pool, port, "POST")
