import pytest

from tests.zoom_sandbox.api import PERSON, refusal


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"email": "not an address"}, "email"),
        ({"email": "a" * 120 + "@example.com"}, "email"),
        ({"email": 5}, "email"),
        ({"first_name": ""}, "first_name"),
        ({"first_name": "あ" * 65}, "first_name"),
        ({"last_name": None}, "last_name"),
        ({"country": "Japan"}, "country"),
        ({"language": "ja-JP"}, "language"),
        ({"no_of_employees": "12"}, "no_of_employees"),
        ({"auto_approve": "true"}, "auto_approve"),
        ({"custom_questions": {}}, "custom_questions"),
        (
            {"custom_questions": [{"title": "所属", "value": "あ" * 129}]},
            "custom_questions[0].value",
        ),
        ({"custom_questions": [{"value": "総務"}]}, "custom_questions[0].title"),
    ],
)
def test_bad_registrant_is_refused_at_its_field(sandbox, api, changed, field):
    response = api.add(api.create(), **changed)
    assert refusal(response) == (400, 300)
    assert response.json()["message"] == "Validation Failed."
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert sandbox.control.journal(effect="add") == []


@pytest.mark.parametrize("missing", ["email", "first_name"])
def test_missing_required_field_is_named(api, missing):
    body = {name: value for name, value in PERSON.items() if name != missing}
    response = api.call("POST", f"{api.path(api.create())}/registrants", body)
    assert response.json()["errors"] == [{"field": missing, "message": "Required."}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"topic": "あ" * 201}, "topic"),
        ({"agenda": "あ" * 2001}, "agenda"),
        ({"duration": 0}, "duration"),
        ({"duration": True}, "duration"),
        ({"duration": 1441}, "duration"),
        ({"type": 5}, "type"),
        ({"password": "12345678901"}, "password"),
        ({"start_time": "tomorrow"}, "start_time"),
        ({"timezone": "Tokyo"}, "timezone"),
        ({"recurrence": {"end_times": 3}}, "recurrence.type"),
        ({"recurrence": {"type": 1, "repeat_interval": 100}}, "recurrence.repeat_interval"),
        ({"recurrence": {"type": 2, "repeat_interval": 51}}, "recurrence.repeat_interval"),
        ({"recurrence": {"type": 3, "repeat_interval": 11}}, "recurrence.repeat_interval"),
        ({"recurrence": {"type": 2, "weekly_days": "1,8"}}, "recurrence.weekly_days"),
        ({"recurrence": {"type": 2, "weekly_days": "1, 3"}}, "recurrence.weekly_days"),
        ({"settings": {"approval": 1}}, "settings.approval"),
        ({"settings": {"approval_type": 3}}, "settings.approval_type"),
        ({"settings": []}, "settings"),
    ],
)
def test_bad_meeting_is_refused_at_its_field(api, body, field):
    created = api.call("POST", "/users/host@example.com/meetings", body)
    changed = api.call("PATCH", api.path(api.create()), body)
    for response in (created, changed):
        assert refusal(response) == (400, 300)
        assert [error["field"] for error in response.json()["errors"]] == [field]


def test_settings_of_the_other_kind_are_unknown(api):
    body = {"settings": {"breakout_room": {"enable": True}}}
    response = api.call("POST", "/users/host@example.com/webinars", body)
    assert response.json()["errors"][0]["field"] == "settings.breakout_room"


def test_all_wrong_fields_are_named_at_once(api):
    errors = api.add(api.create(), email="x", colour="red").json()["errors"]
    assert {error["field"] for error in errors} == {"email", "colour"}


def test_unknown_query_is_refused(api):
    path = f"{api.path(api.create())}/registrants"
    response = api.call("POST", path, PERSON, occurrence_id="1")
    assert response.json()["errors"][0]["field"] == "occurrence_id"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/users/host@example.com/webinars", {"type": "live"}),
        ("/users/host@example.com/webinars", {"from": "2026-12-01"}),
        ("/users/host@example.com/meetings", {"from": "zzz"}),
        ("/users/host@example.com/meetings", {"to": "20261201"}),
        ("/users/host@example.com/meetings", {"include_events_webinar": "true"}),
        ("/meetings/1/registrants", {"tracking_source_id": "x"}),
        ("/meetings/1/registrants/abc", {"occurrence_id": "1"}),
        ("/webinars/1/registrants", {"status": "cancelled"}),
    ],
)
def test_query_of_the_other_kind_or_shape_is_refused(api, path, query):
    errors = api.call("GET", path, **query).json()["errors"]
    assert [error["field"] for error in errors] == list(query)


@pytest.mark.parametrize("body", [None, [], "text"])
def test_body_that_is_no_object_is_refused(api, body):
    response = api.call("POST", f"{api.path(api.create())}/registrants", body)
    assert response.json() == {
        "code": 300,
        "message": "Request Body should be a valid JSON object.",
    }
