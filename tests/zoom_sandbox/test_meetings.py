from datetime import UTC, datetime

import pytest

from tests.zoom_sandbox.api import refusal

HOST = "/users/host@example.com"


@pytest.mark.parametrize(("kind", "type_"), [("meeting", 2), ("webinar", 5)])
def test_created_meeting_reads_back_the_same(api, kind, type_):
    created = api.create(kind, agenda="Why", duration=90, timezone="Asia/Tokyo")
    read = api.call("GET", api.path(created)).json()
    for answer in (created, read):
        answer.pop("start_url")
    assert read == created
    assert (read["type"], read["duration"], read["host_email"]) == (type_, 90, "host@example.com")


def test_local_start_is_answered_in_utc(api):
    created = api.create(start_time="2030-04-01T10:00:00", timezone="Asia/Tokyo")
    assert created["start_time"] == "2030-04-01T01:00:00Z"


def test_past_start_becomes_now(sandbox, api):
    sandbox.control.set_clock(datetime(2029, 5, 1, tzinfo=UTC))
    api.sign_in()
    assert api.create(start_time="2020-01-01T00:00:00Z")["start_time"][:15] == "2029-05-01T00:0"


def test_patch_changes_only_what_it_names(api):
    created = api.create(agenda="Why")
    body = {"topic": "Autumn briefing", "settings": {"registrants_confirmation_email": False}}
    assert api.call("PATCH", api.path(created), body).status_code == 204
    read = api.call("GET", api.path(created)).json()
    assert (read["topic"], read["agenda"]) == ("Autumn briefing", "Why")
    assert read["settings"] == {**created["settings"], "registrants_confirmation_email": False}


def test_confirmation_mail_cannot_be_turned_off_at_creation(api):
    created = api.create(settings={"registrants_confirmation_email": False})
    assert created["settings"]["registrants_confirmation_email"] is True


def test_registration_url_exists_only_with_registration(api):
    assert "registration_url" in api.create()
    assert "registration_url" not in api.create(settings={"approval_type": 2})


@pytest.mark.parametrize(
    ("kind", "body"),
    [("meeting", {"type": 3}), ("webinar", {"type": 6}), ("webinar", {"type": 9})],
)
def test_approval_type_is_dropped_without_a_fixed_time(api, kind, body):
    created = api.create(kind, **body, settings={"approval_type": 2})
    response = api.call("PATCH", api.path(created), {"settings": {"approval_type": 1}})
    assert response.status_code == 204
    assert api.call("GET", api.path(created)).json()["settings"]["approval_type"] == 2


def test_approval_type_is_dropped_once_started(sandbox, api):
    created = api.create(settings={"approval_type": 2})
    sandbox.control.set_clock(datetime(2030, 4, 1, 10, 1, tzinfo=UTC))
    api.sign_in()
    api.call("PATCH", api.path(created), {"settings": {"approval_type": 1}})
    assert api.call("GET", api.path(created)).json()["settings"]["approval_type"] == 2


def test_personal_id_takes_no_registration(api):
    assert api.create(settings={"use_pmi": True})["settings"]["approval_type"] == 2


def test_deleted_meeting_does_not_exist(api):
    created = api.create()
    assert api.call("DELETE", api.path(created)).status_code == 204
    assert refusal(api.call("GET", api.path(created))) == (404, 3001)


def test_wrong_kind_of_path_is_refused(api):
    meeting, webinar = api.create(), api.create("webinar")
    response = api.call("GET", f"/meetings/{webinar['id']}")
    assert refusal(response) == (400, 3000)
    assert response.json()["message"] == "Cannot access webinar info."
    assert refusal(api.call("GET", f"/webinars/{meeting['id']}")) == (400, 300)


def test_uuid_with_slashes_must_be_encoded_twice(sandbox, api):
    created = api.create()
    sandbox.control.change_meeting(created["id"], uuid="/ab//cd==")
    assert api.call("GET", "/meetings/%252Fab%252F%252Fcd%253D%253D").json()["id"] == created["id"]
    assert refusal(api.call("GET", "/meetings/%2Fab%2F%2Fcd%3D%3D")) == (404, 3001)


def test_single_slash_in_a_uuid_is_encoded_once(sandbox, api):
    created = api.create()
    sandbox.control.change_meeting(created["id"], uuid="ab/c+d==")
    assert api.call("GET", "/meetings/ab%2Fc%2Bd==").json()["id"] == created["id"]


def test_unknown_host_is_code_1001(api):
    assert refusal(api.call("GET", "/users/nobody@example.com")) == (404, 1001)
    assert refusal(api.call("POST", "/users/me/meetings", {})) == (404, 1001)


def test_host_is_found_by_address_and_id(api):
    by_email = api.call("GET", HOST).json()
    assert api.call("GET", f"/users/{by_email['id']}").json() == by_email
    assert (by_email["email"], by_email["type"]) == ("host@example.com", 2)


def test_host_without_webinar_plan_is_code_200(sandbox, api):
    sandbox.control.add_user("u2", "basic@example.com", has_webinars=False)
    assert refusal(api.call("POST", "/users/u2/webinars", {})) == (400, 200)
    assert refusal(api.call("GET", "/users/u2/webinars")) == (400, 200)


def test_list_has_own_kind_and_pages(api):
    api.create("webinar")
    created = {api.create(topic=f"Briefing {number}")["id"] for number in range(3)}
    first = api.call("GET", f"{HOST}/meetings", page_size=2).json()
    second = api.call(
        "GET", f"{HOST}/meetings", page_size=2, next_page_token=first["next_page_token"]
    ).json()
    assert {meeting["id"] for meeting in first["meetings"] + second["meetings"]} == created
    assert (first["total_records"], second["next_page_token"]) == (3, "")


def test_list_of_upcoming_leaves_out_what_is_over(sandbox, api):
    api.create()
    sandbox.control.set_clock(datetime(2031, 1, 1, tzinfo=UTC))
    api.sign_in()
    assert api.call("GET", f"{HOST}/meetings", type="upcoming").json()["meetings"] == []
    assert (
        len(api.call("GET", f"{HOST}/meetings", type="previous_meetings").json()["meetings"]) == 1
    )


def test_list_cuts_agenda_at_250_characters(api):
    api.create(agenda="あ" * 400)
    listed = api.call("GET", f"{HOST}/meetings").json()["meetings"]
    assert [len(meeting["agenda"]) for meeting in listed] == [250]


def test_deleting_an_occurrence_leaves_the_others(api):
    recurrence = {"type": 1, "end_times": 3}
    created = api.create(type=8, recurrence=recurrence)
    second = created["occurrences"][1]["occurrence_id"]
    assert api.call("DELETE", api.path(created), occurrence_id=second).status_code == 204
    occurrences = api.call("GET", api.path(created)).json()["occurrences"]
    assert [o["status"] for o in occurrences] == ["available", "deleted", "available"]


def test_changing_an_occurrence_leaves_the_others(api):
    created = api.create(type=8, recurrence={"type": 1, "end_times": 2})
    first = created["occurrences"][0]["occurrence_id"]
    api.call("PATCH", api.path(created), {"duration": 15}, occurrence_id=first)
    occurrences = api.call("GET", api.path(created)).json()["occurrences"]
    assert [o["duration"] for o in occurrences] == [15, 60]


def test_unknown_address_of_the_api_is_not_recognized(api):
    assert refusal(api.call("GET", "/rooms")) == (404, 2300)


def test_unknown_path_tells_nothing_without_a_token(api):
    api.token = "made-up"
    assert refusal(api.call("GET", "/rooms")) == (401, 124)
