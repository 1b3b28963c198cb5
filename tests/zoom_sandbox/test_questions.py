import pytest

from tests.zoom_sandbox.api import refusal

QUESTION = {"title": "所属", "type": "short", "required": False}


def questions_path(api, meeting):
    return f"{api.path(meeting)}/registrants/questions"


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_questions_read_back_as_set(api, kind):
    path = questions_path(api, api.create(kind))
    body = {
        "questions": [{"field_name": "org", "required": True}],
        "custom_questions": [QUESTION],
    }
    assert api.call("PATCH", path, body).status_code == 204
    assert api.call("GET", path).json() == body


def test_patch_replaces_the_whole_set(api):
    path = questions_path(api, api.create())
    api.call("PATCH", path, {"custom_questions": [QUESTION]})
    api.call("PATCH", path, {"questions": [{"field_name": "org"}]})
    assert api.call("GET", path).json()["custom_questions"] == []


def test_kinds_have_their_own_question_types(api):
    body = {"custom_questions": [{"title": "年代", "type": "single_dropdown", "answers": ["20代"]}]}
    assert api.call("PATCH", questions_path(api, api.create("webinar")), body).status_code == 204
    assert refusal(api.call("PATCH", questions_path(api, api.create()), body)) == (400, 300)


def test_answers_to_unknown_titles_are_dropped(api):
    meeting = api.create(settings={"approval_type": 0})
    api.call("PATCH", questions_path(api, meeting), {"custom_questions": [QUESTION]})
    answers = [{"title": "所属", "value": "総務"}, {"title": "趣味", "value": "将棋"}]
    api.add(meeting, custom_questions=answers)
    people = api.call("GET", f"{api.path(meeting)}/registrants").json()["registrants"]
    assert people[0]["custom_questions"] == answers[:1]


def test_required_questions_must_be_answered(api):
    meeting = api.create()
    body = {
        "questions": [{"field_name": "org", "required": True}],
        "custom_questions": [{**QUESTION, "required": True}],
    }
    api.call("PATCH", questions_path(api, meeting), body)
    errors = api.add(meeting).json()["errors"]
    assert [error["field"] for error in errors] == ["org", "custom_questions"]


@pytest.mark.parametrize(("kind", "refused"), [("meeting", (404, 404)), ("webinar", (400, 3000))])
def test_questions_need_registration(api, kind, refused):
    meeting = api.create(kind, settings={"approval_type": 2})
    assert refusal(api.call("GET", questions_path(api, meeting))) == refused
