import re
from datetime import UTC, datetime

import pytest

from tests.zoom_sandbox.api import PERSON


def open_page(api, url):
    return api.session.get(url, timeout=10)


def test_link_says_who_would_enter_which_room(sandbox, api):
    added = api.add(api.create(), auto_approve=True).json()
    page = open_page(api, added["join_url"])
    assert page.status_code == 200
    assert "太郎 山田 would enter" in page.text
    assert "Spring briefing" in page.text
    visits = sandbox.control.journal(operation="enter")
    assert [visit["email"] for visit in visits] == [PERSON["email"]]


def test_link_of_a_cancelled_person_does_not_open(sandbox, api):
    meeting = api.create()
    added = api.add(meeting, auto_approve=True).json()
    sandbox.control.change_registrant(meeting["id"], PERSON["email"], "cancel")
    page = open_page(api, added["join_url"])
    assert (page.status_code, "Not approved" in page.text) == (403, True)
    assert sandbox.control.journal(operation="enter") == []


def test_link_of_a_deleted_meeting_is_not_valid(api):
    meeting = api.create()
    added = api.add(meeting, auto_approve=True).json()
    api.call("DELETE", api.path(meeting))
    page = open_page(api, added["join_url"])
    assert (page.status_code, "This link is not valid" in page.text) == (404, True)


def test_link_with_an_old_passcode_is_out_of_date(sandbox, api):
    meeting = api.create()
    added = api.add(meeting, auto_approve=True).json()
    sandbox.control.change_meeting(meeting["id"], password="changed")
    page = open_page(api, added["join_url"])
    assert (page.status_code, "out of date" in page.text) == (403, True)


def test_shared_link_asks_for_registration(api):
    page = open_page(api, api.create()["join_url"])
    assert (page.status_code, "Registration required" in page.text) == (403, True)
    open_meeting = api.create(settings={"approval_type": 2})
    assert open_page(api, open_meeting["join_url"]).status_code == 200


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
@pytest.mark.parametrize(("approval_type", "status"), [(0, "approved"), (1, "pending")])
def test_own_form_registers_anybody(sandbox, api, kind, approval_type, status):
    meeting = api.create(kind, settings={"approval_type": approval_type})
    assert open_page(api, meeting["registration_url"]).status_code == 200
    page = api.session.post(meeting["registration_url"], data=PERSON, timeout=10)
    assert page.status_code == 200
    assert api.emails(meeting, status) == [PERSON["email"]]
    assert [e["effect"] for e in sandbox.control.journal(action="public_form")] == ["add"]


def test_own_form_refuses_with_the_values_kept(api):
    meeting = api.create()
    page = api.session.post(
        meeting["registration_url"], data={"first_name": "太郎", "email": "x"}, timeout=10
    )
    assert page.status_code == 400
    assert 'value="太郎"' in page.text
    assert "email: Invalid email address." in page.text
    host = {**PERSON, "email": "host@example.com"}
    refused = api.session.post(meeting["registration_url"], data=host, timeout=10)
    assert (refused.status_code, "Host can not register." in refused.text) == (400, True)


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_own_form_asks_what_is_required(sandbox, api, kind):
    meeting = api.create(kind)
    questions = {
        "questions": [{"field_name": "org", "required": True}],
        "custom_questions": [{"title": "所属", "type": "short", "required": True}],
    }
    api.call("PATCH", f"{api.path(meeting)}/registrants/questions", questions)
    url = meeting["registration_url"]
    assert all(f'name="{name}"' in open_page(api, url).text for name in ("org", "custom:所属"))

    refused = api.session.post(url, data=PERSON | {"org": "例示商事"}, timeout=10)
    answers = {"org": "例示商事", "custom:所属": "総務"}
    done = api.session.post(url, data=PERSON | answers, timeout=10)

    assert (refused.status_code, "Required: 所属" in refused.text) == (400, True)
    assert 'value="例示商事"' in refused.text
    assert done.status_code == 200
    profile = sandbox.control.state()["registrants"][0]["profile"]
    assert profile["custom_questions"] == [{"title": "所属", "value": "総務"}]


def test_overview_lists_what_zoom_knows(api):
    meeting = api.create(topic="<b>Briefing</b>")
    api.add(meeting, auto_approve=True)
    page = open_page(api, api.url)
    assert "&lt;b&gt;Briefing&lt;/b&gt;" in page.text
    assert PERSON["email"] in page.text
    assert "meetingRegistrantCreate" in page.text


def test_pages_are_labelled_and_have_no_inline_code(api):
    meeting = api.create()
    link = api.add(meeting, auto_approve=True).json()["join_url"]
    for url in (api.url, link, meeting["registration_url"], f"{api.url}/w/1?tk=x"):
        page = open_page(api, url)
        assert "Zoom sandbox</title>" in page.text
        assert len(re.findall("<h1", page.text)) == 1
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.text)
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert open_page(api, f"{api.url}/static/sandbox.css").status_code == 200


def test_pages_write_times_in_the_zone_of_the_meeting(sandbox, api):
    meeting = api.create(start_time="2031-12-10T05:00:00Z", timezone="Asia/Tokyo")
    room = api.add(meeting, auto_approve=True).json()["join_url"]
    for url in (sandbox.url, room, meeting["registration_url"]):
        page = open_page(api, url).text
        assert "2031-12-10 14:00 JST" in page and "T05:00" not in page


def test_overview_tells_when_a_meeting_was_held(sandbox, api):
    meeting = api.create(timezone="Asia/Tokyo")
    start = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    sandbox.control.hold(meeting["id"], started_at=start, ended_at=start, joins=[{"name": "A"}])
    page = open_page(api, f"{sandbox.url}/")
    assert "2026-11-22 10:00 JST, 2 stays" in page.text
