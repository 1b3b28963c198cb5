"""Whatever is sent, the answer is one of Zoom's and never a page of the server."""

import pytest

from tests.zoom_sandbox.api import PERSON, refusal

JSON = {"Content-Type": "application/json"}


def send(api, path, content):
    headers = {"Authorization": f"Bearer {api.token}", **JSON}
    return api.session.post(f"{api.url}/v2{path}", data=content, headers=headers, timeout=10)


@pytest.mark.parametrize("size", ["9" * 5000, "²", "-1", "1.5", ""])
def test_page_size_that_is_no_number_is_refused(api, size):
    path = f"{api.path(api.create())}/registrants"
    assert refusal(api.call("GET", path, page_size=size)) == (400, 300)


@pytest.mark.parametrize("meeting_id", ["²", "9" * 5000, "0", "%00", "%F0"])
def test_meeting_id_that_is_none_is_not_found(api, meeting_id):
    assert refusal(api.call("GET", f"/meetings/{meeting_id}")) == (404, 3001)
    assert refusal(api.call("POST", f"/meetings/{meeting_id}/registrants", PERSON)) == (404, 3001)


@pytest.mark.parametrize("page", ["w", "j", "meeting/register"])
def test_page_of_a_meeting_that_cannot_be_is_not_found(api, page):
    response = api.session.get(f"{api.url}/{page}/{'9' * 5000}", timeout=10)
    assert response.status_code == 404


@pytest.mark.parametrize(
    "start", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("field", ["start_time", "end_date_time"])
def test_time_out_of_all_reach_is_refused(api, start, field):
    body = {"type": 8, "timezone": "Asia/Tokyo"}
    body |= {"recurrence": {"type": 1, field: start}} if field != "start_time" else {field: start}
    assert refusal(api.call("POST", "/users/host@example.com/meetings", body)) == (400, 300)


@pytest.mark.parametrize(
    "content",
    [
        rb'{"email": "taro@example.com", "first_name": "\ud800"}',
        b"[" * 100_000,
        b"\xff",
        b"{",
        b"[]",
    ],
)
def test_body_that_is_no_object_of_text_is_refused(sandbox, api, content):
    path = f"{api.path(api.create())}/registrants"
    assert refusal(send(api, path, content)) == (400, 300)
    assert sandbox.control.state()["registrants"] == []
