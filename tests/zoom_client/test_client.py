from datetime import UTC, datetime, timedelta, timezone

import pytest

from zoom_client import (
    ApprovalType,
    CustomQuestion,
    Kind,
    Meeting,
    MeetingDraft,
    MeetingPatch,
    NewRegistrant,
    Occurrence,
    Questions,
    StandardQuestion,
    ZoomOutcomeUnknown,
)

ID = 98765432109876543
TARO = NewRegistrant("taro@example.com", "太郎", "山田")
TEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
BOTH_KINDS = pytest.mark.parametrize("kind", list(Kind))


def make_meeting_answer(**changes):
    return {
        "id": ID,
        "uuid": "/abc//==",
        "topic": "説明会",
        "type": 2,
        "start_time": "2026-12-01T10:00:00Z",
        "duration": 60,
        "timezone": "Asia/Tokyo",
        "host_id": "h1",
        "host_email": "host@example.com",
        "start_url": "https://zoom.us/s/1?zak=secret",
        "settings": {"approval_type": 1, "registrants_confirmation_email": False},
    } | changes


@BOTH_KINDS
def test_meeting_comes_back_typed(zoom, kind):
    zoom.will_answer(make_meeting_answer())

    meeting = zoom.client().get_meeting(kind, ID)

    assert meeting == Meeting(
        kind=kind,
        id=ID,
        uuid="/abc//==",
        topic="説明会",
        type=2,
        start_time=TEN,
        duration_minutes=60,
        timezone="Asia/Tokyo",
        host_id="h1",
        host_email="host@example.com",
        approval_type=ApprovalType.MANUAL,
        registrants_confirmation_email=False,
        settings={"approval_type": 1, "registrants_confirmation_email": False},
    )
    assert [request.path for request in zoom.requests] == [f"/v2/{kind}s/{ID}"]


def test_registration_that_zoom_does_not_mention_is_off(zoom):
    zoom.will_answer(make_meeting_answer(settings={"approval_type": None}))
    assert zoom.client().get_meeting(Kind.MEETING, ID).approval_type is ApprovalType.NONE


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, False), (2, True), (3, False), (8, True), (5, True), (6, False), (9, True), (10, False)],
)
def test_types_with_a_fixed_time_are_known(zoom, number, expected):
    zoom.will_answer(make_meeting_answer(type=number))
    assert zoom.client().get_meeting(Kind.MEETING, ID).has_fixed_time is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01T10:00:00Z", TEN),
        ("2026-12-01T19:00:00", TEN),
        ("", None),
        ("soon", None),
        (None, None),
        ("0001-01-01T00:00:00", None),
    ],
)
def test_start_without_z_is_local_to_the_meeting(zoom, text, expected):
    zoom.will_answer(make_meeting_answer(start_time=text))
    assert zoom.client().get_meeting(Kind.MEETING, ID).start_time == expected


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "America", "\x00"])
def test_start_in_an_unknown_zone_is_no_time(zoom, zone):
    zoom.will_answer(make_meeting_answer(start_time="2026-12-01T19:00:00", timezone=zone))
    assert zoom.client().get_meeting(Kind.MEETING, ID).start_time is None


def test_occurrences_come_back_typed(zoom):
    row = {"occurrence_id": "1648194360000", "start_time": "2026-12-01T10:00:00Z", "duration": 30}
    zoom.will_answer(make_meeting_answer(type=8, occurrences=[row | {"status": "available"}]))

    meeting = zoom.client().get_meeting(Kind.MEETING, ID)

    assert meeting.occurrences == (Occurrence("1648194360000", TEN, 30, "available"),)


def test_id_written_as_text_becomes_a_number(zoom):
    zoom.will_answer(make_meeting_answer(id=str(ID)))
    assert zoom.client().get_meeting(Kind.MEETING, ID).id == ID


@pytest.mark.parametrize("bad", [None, True, "abc", 2**63, "9" * 5000, 1.5])
def test_meeting_without_usable_id_makes_no_sense(zoom, bad):
    zoom.will_answer(make_meeting_answer(id=bad))

    with pytest.raises(ZoomOutcomeUnknown) as raised:
        zoom.client().get_meeting(Kind.MEETING, ID)

    assert raised.value.may_have_happened is False


@BOTH_KINDS
def test_all_pages_of_a_hosts_list_are_read(zoom, kind):
    rows = [make_meeting_answer(id=number) for number in (1, 2, 3)]
    zoom.will_answer({f"{kind}s": rows[:2], "next_page_token": "p2"})
    zoom.will_answer({f"{kind}s": rows[2:], "next_page_token": ""})

    found = zoom.client().list_meetings(kind, "host@example.com", listing="upcoming")

    assert [meeting.id for meeting in found] == [1, 2, 3]
    assert [request.args.to_dict() for request in zoom.requests] == [
        {"type": "upcoming", "page_size": "300"},
        {"type": "upcoming", "page_size": "300", "next_page_token": "p2"},
    ]
    assert {request.path for request in zoom.requests} == {f"/v2/users/host@example.com/{kind}s"}


def test_host_called_me_is_not_sent(zoom):
    with pytest.raises(ValueError, match="me"):
        zoom.client().get_user("me")


@pytest.mark.parametrize(("kind", "number"), [(Kind.MEETING, 2), (Kind.WEBINAR, 5)])
def test_created_meeting_is_a_scheduled_one(zoom, kind, number):
    zoom.will_answer(make_meeting_answer(), 201)
    draft = MeetingDraft(
        topic="説明会",
        start_time=datetime(2026, 12, 1, 19, 0, tzinfo=timezone(timedelta(hours=9))),
        timezone="Asia/Tokyo",
        duration_minutes=60,
        approval_type=ApprovalType.MANUAL,
        registrants_email_notification=False,
        settings={"approval_type": 0, "waiting_room": True},
    )

    assert zoom.client().create_meeting(kind, "h1", draft).id == ID

    assert zoom.bodies() == [
        {
            "topic": "説明会",
            "type": number,
            "start_time": "2026-12-01T10:00:00Z",
            "timezone": "Asia/Tokyo",
            "duration": 60,
            "settings": {
                "approval_type": 1,
                "registrants_email_notification": False,
                "waiting_room": True,
            },
        }
    ]


def test_start_without_zone_is_not_sent(zoom):
    draft = MeetingDraft(topic="x", start_time=datetime(2026, 12, 1, 19, 0))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        zoom.client().create_meeting(Kind.MEETING, "h1", draft)


@BOTH_KINDS
def test_update_sends_only_what_changes(zoom, kind):
    zoom.will_answer(status=204)

    zoom.client().update_meeting(kind, ID, MeetingPatch(approval_type=ApprovalType.AUTOMATIC))

    assert zoom.bodies() == [{"settings": {"approval_type": 0}}]
    assert [(r.method, r.path) for r in zoom.requests] == [("PATCH", f"/v2/{kind}s/{ID}")]


QUESTIONS = Questions(
    standard=(StandardQuestion("org", required=True), StandardQuestion("job_title")),
    custom=(
        CustomQuestion("参加理由", type="single", required=True, answers=("興味", "仕事")),
        CustomQuestion("一言"),
    ),
)
QUESTIONS_JSON = {
    "questions": [
        {"field_name": "org", "required": True},
        {"field_name": "job_title", "required": False},
    ],
    "custom_questions": [
        {"title": "参加理由", "type": "single", "required": True, "answers": ["興味", "仕事"]},
        {"title": "一言", "type": "short", "required": False},
    ],
}


@BOTH_KINDS
def test_questions_come_back_typed(zoom, kind):
    zoom.will_answer(QUESTIONS_JSON)
    assert zoom.client().get_questions(kind, ID) == QUESTIONS


@pytest.mark.parametrize("answers", [5, "yes", None, {"a": 1}])
def test_answers_of_another_shape_are_none(zoom, answers):
    zoom.will_answer({"custom_questions": [{"title": "一言", "type": "short", "answers": answers}]})
    assert zoom.client().get_questions(Kind.MEETING, ID).custom == (CustomQuestion("一言"),)


def test_form_without_questions_is_empty(zoom):
    zoom.will_answer({})
    assert zoom.client().get_questions(Kind.MEETING, ID) == Questions()


@BOTH_KINDS
def test_questions_are_replaced_as_a_whole(zoom, kind):
    zoom.will_answer(status=204)

    zoom.client().update_questions(kind, ID, QUESTIONS)

    assert zoom.bodies() == [QUESTIONS_JSON]
    request = zoom.requests[0]
    assert (request.method, request.path) == ("PATCH", f"/v2/{kind}s/{ID}/registrants/questions")


def test_user_tells_what_they_are(zoom):
    zoom.will_answer({"id": "u1", "email": "host@example.com", "type": 2})

    user = zoom.client().get_user("host@example.com")

    assert (user.id, user.email, user.type) == ("u1", "host@example.com", 2)


def test_users_of_all_pages_are_listed(zoom):
    rows = [{"id": f"u{number}", "email": f"u{number}@example.com", "type": 2} for number in (1, 2)]
    zoom.will_answer({"users": rows[:1], "next_page_token": "more"})
    zoom.will_answer({"users": rows[1:]})

    assert [user.id for user in zoom.client().list_users()] == ["u1", "u2"]


@pytest.mark.parametrize("name", ["api_url", "oauth_url"])
@pytest.mark.parametrize(
    "url",
    ["", "api.zoom.us/v2", "http://api.zoom.us", "http://127.zoom.us", "ftp://[::1]", "https:"],
)
def test_secret_goes_nowhere_without_tls(zoom, name, url):
    with pytest.raises(ValueError, match="https"):
        zoom.client(**{name: url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/v2", "http://localhost", "http://[::1]:1"])
def test_this_machine_needs_no_tls(zoom, url):
    zoom.client(api_url=url, oauth_url=url)
