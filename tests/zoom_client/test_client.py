from datetime import UTC, datetime, timedelta, timezone

import pytest

from zoom_client import (
    AddedRegistrant,
    ApprovalType,
    CustomQuestion,
    Kind,
    Meeting,
    MeetingDraft,
    MeetingPatch,
    NewRegistrant,
    Occurrence,
    PageTokenExpired,
    Questions,
    RegistrantAction,
    RegistrantRef,
    RegistrantStatus,
    StandardQuestion,
    ValidationFailed,
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


@pytest.mark.parametrize(
    ("approval_type", "expected"), [(0, True), (1, True), (2, False), (None, False)]
)
def test_registration_is_on_unless_approval_type_is_none(zoom, approval_type, expected):
    zoom.will_answer(make_meeting_answer(settings={"approval_type": approval_type}))
    assert zoom.client().get_meeting(Kind.MEETING, ID).is_registration_on is expected


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
def test_created_meeting_is_scheduled_unless_said_otherwise(zoom, kind, number):
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


@pytest.mark.parametrize(
    ("kind", "only_here"),
    [(Kind.MEETING, {"auto_approve": True}), (Kind.WEBINAR, {"source_id": "s1"})],
)
def test_each_kind_gets_the_fields_it_knows(zoom, kind, only_here):
    zoom.will_answer({"registrant_id": "r1"}, 201)
    person = NewRegistrant(
        "taro@example.com",
        "太郎",
        "山田",
        org="受付株式会社",
        language="jp-JP",
        custom_questions={"参加理由": "興味"},
        source_id="s1",
    )

    zoom.client().add_registrant(kind, ID, person, auto_approve=True)

    assert zoom.bodies() == [
        {
            "email": "taro@example.com",
            "first_name": "太郎",
            "last_name": "山田",
            "org": "受付株式会社",
            "language": "jp-JP",
            "custom_questions": [{"title": "参加理由", "value": "興味"}],
        }
        | only_here
    ]


def test_add_answers_the_personal_link(zoom):
    zoom.will_answer(
        {
            "registrant_id": "r1",
            "id": ID,
            "topic": "説明会",
            "start_time": "2026-12-01T10:00:00Z",
            "join_url": "https://example.zoom.us/w/1?tk=abc",
            "occurrences": [],
            "participant_pin_code": 380303,
        },
        201,
    )

    added = zoom.client().add_registrant(Kind.MEETING, ID, TARO)

    assert added == AddedRegistrant(
        registrant_id="r1",
        meeting_id=ID,
        join_url="https://example.zoom.us/w/1?tk=abc",
        topic="説明会",
        start_time=TEN,
    )


@pytest.mark.parametrize("link", [{}, {"join_url": None}, {"join_url": ""}])
def test_add_of_a_pending_person_has_no_link(zoom, link):
    zoom.will_answer({"registrant_id": "r1", "id": ID, "status": "pending"} | link, 201)

    added = zoom.client().add_registrant(Kind.WEBINAR, ID, TARO)

    assert (added.join_url, added.status) == (None, RegistrantStatus.PENDING)


def test_long_link_is_kept_whole(zoom):
    link = "https://example.zoom.us/w/1?tk=" + "x" * 1000
    zoom.will_answer({"registrant_id": "r1", "join_url": link}, 201)
    assert zoom.client().add_registrant(Kind.MEETING, ID, TARO).join_url == link


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"registrant_id": "r', b"[]", b"{}", b'{"registrant_id": null}']
)
def test_add_without_a_sensible_answer_is_unknown(zoom, body):
    zoom.will_answer(body, 201, {"x-zm-trackingid": "t1"})

    with pytest.raises(ZoomOutcomeUnknown) as raised:
        zoom.client().add_registrant(Kind.MEETING, ID, TARO)

    assert raised.value.may_have_happened is True
    assert raised.value.tracking_id == "t1"


def test_deeply_nested_answer_is_no_answer(zoom):
    zoom.will_answer(b"[" * 200_000, 201)
    with pytest.raises(ZoomOutcomeUnknown):
        zoom.client().add_registrant(Kind.MEETING, ID, TARO)


def test_occurrences_to_register_for_go_into_the_query(zoom):
    zoom.will_answer({"registrant_id": "r1"}, 201)

    zoom.client().add_registrant(Kind.MEETING, ID, TARO, occurrence_ids=["1", "2"])

    assert [request.args.to_dict() for request in zoom.requests] == [{"occurrence_ids": "1,2"}]


@pytest.mark.parametrize(
    ("kind", "only_here"),
    [(Kind.MEETING, {"registrants_confirmation_email": False}), (Kind.WEBINAR, {})],
)
def test_batch_sends_names_and_addresses(zoom, kind, only_here):
    rows = [{"email": "taro@example.com", "registrant_id": "r1", "join_url": "https://z/1"}, {}]
    zoom.will_answer({"registrants": rows}, 201)

    added = zoom.client().add_registrants(kind, ID, [TARO], auto_approve=True)

    assert added == [
        AddedRegistrant(registrant_id="r1", email="taro@example.com", join_url="https://z/1")
    ]
    assert zoom.bodies() == [
        {
            "auto_approve": True,
            "registrants": [
                {"email": "taro@example.com", "first_name": "太郎", "last_name": "山田"}
            ],
        }
        | only_here
    ]
    assert zoom.requests[0].path == f"/v2/{kind}s/{ID}/batch_registrants"


@pytest.mark.parametrize("number", [0, 31])
def test_batch_outside_one_to_thirty_is_not_sent(zoom, number):
    with pytest.raises(ValueError, match="30"):
        zoom.client().add_registrants(Kind.MEETING, ID, [TARO] * number)


def test_batch_with_answers_is_not_sent(zoom):
    person = NewRegistrant("taro@example.com", "太郎", "山田", custom_questions={"q": "a"})
    with pytest.raises(ValueError, match="batch"):
        zoom.client().add_registrants(Kind.MEETING, ID, [person])


def test_refused_value_costs_no_call(zoom):
    with pytest.raises(ValidationFailed):
        zoom.client().add_registrant(Kind.MEETING, ID, NewRegistrant("", "太郎", "山田"))
    assert zoom.token_requests == []


REGISTRANT = {
    "id": "r1",
    "email": "taro@example.com",
    "first_name": "太郎",
    "last_name": "山田",
    "status": "approved",
    "create_time": "2026-11-20T01:02:03Z",
    "join_url": "https://z/1",
    "custom_questions": [{"title": "参加理由", "value": "興味"}, {"title": "他", "value": None}],
}


@BOTH_KINDS
def test_registrant_comes_back_typed(zoom, kind):
    zoom.will_answer(REGISTRANT)

    person = zoom.client().get_registrant(kind, ID, "r/1")

    assert (person.id, person.email, person.join_url) == ("r1", "taro@example.com", "https://z/1")
    assert person.status is RegistrantStatus.APPROVED
    assert person.create_time == datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
    assert person.custom_questions == {"参加理由": "興味", "他": ""}
    assert zoom.requests[0].environ["RAW_URI"] == f"/v2/{kind}s/{ID}/registrants/r%2F1"


def test_cancelled_registrant_counts_as_denied(zoom):
    zoom.will_answer(REGISTRANT | {"status": "cancelled"})
    person = zoom.client().get_registrant(Kind.MEETING, ID, "r1")
    assert person.status is RegistrantStatus.DENIED


def test_registrant_of_unknown_status_makes_no_sense(zoom):
    zoom.will_answer(REGISTRANT | {"status": "new"})
    with pytest.raises(ZoomOutcomeUnknown):
        zoom.client().get_registrant(Kind.MEETING, ID, "r1")


def make_page(*ids, next_page_token=""):
    rows = [{"id": id, "email": f"{id}@example.com"} for id in ids]
    return {"registrants": rows, "next_page_token": next_page_token}


@BOTH_KINDS
def test_every_page_of_every_status_is_read(zoom, kind):
    zoom.will_answer(make_page("a1", "a2", next_page_token="p2"))
    zoom.will_answer(make_page("a3"))
    zoom.will_answer(make_page("p1"))
    zoom.will_answer(make_page())

    people = list(zoom.client().list_registrants(kind, ID, page_size=2))

    assert [(person.id, person.status.value) for person in people] == [
        ("a1", "approved"),
        ("a2", "approved"),
        ("a3", "approved"),
        ("p1", "pending"),
    ]
    assert [request.args.to_dict() for request in zoom.requests] == [
        {"status": "approved", "page_size": "2"},
        {"status": "approved", "page_size": "2", "next_page_token": "p2"},
        {"status": "pending", "page_size": "2"},
        {"status": "denied", "page_size": "2"},
    ]


def test_registrants_of_one_occurrence_can_be_listed(zoom):
    zoom.will_answer(make_page())

    list(
        zoom.client().list_registrants(
            Kind.MEETING, ID, statuses=[RegistrantStatus.DENIED], occurrence_id="7"
        )
    )

    assert [request.args.to_dict() for request in zoom.requests] == [
        {"status": "denied", "occurrence_id": "7", "page_size": "300"}
    ]


def test_pages_that_lead_in_a_circle_end(zoom):
    for _ in range(2):
        zoom.will_answer(make_page("a1", next_page_token="p2"))
    with pytest.raises(PageTokenExpired):
        list(zoom.client().list_registrants(Kind.MEETING, ID))


@pytest.mark.parametrize("page", [{}, {"registrants": None}, {"registrants": [1]}, []])
def test_page_without_rows_is_not_an_empty_list(zoom, page):
    zoom.will_answer(page)
    with pytest.raises(ZoomOutcomeUnknown):
        list(zoom.client().list_registrants(Kind.MEETING, ID))


@pytest.mark.parametrize("page_size", [0, 301])
def test_page_size_beyond_zooms_is_not_sent(zoom, page_size):
    with pytest.raises(ValueError, match="300"):
        list(zoom.client().list_registrants(Kind.MEETING, ID, page_size=page_size))


@pytest.mark.parametrize(("kind", "status"), [(Kind.MEETING, 204), (Kind.WEBINAR, 200)])
@pytest.mark.parametrize("action", list(RegistrantAction))
def test_status_change_names_id_and_address(zoom, kind, status, action):
    zoom.will_answer(status=status)
    people = [RegistrantRef("r1", "taro@example.com"), RegistrantRef("r2", "jiro@example.com")]

    zoom.client().set_registrant_status(kind, ID, action, people, occurrence_id="7")

    assert zoom.bodies() == [
        {
            "action": action.value,
            "registrants": [
                {"id": "r1", "email": "taro@example.com"},
                {"id": "r2", "email": "jiro@example.com"},
            ],
        }
    ]
    request = zoom.requests[0]
    assert (request.method, request.path) == ("PUT", f"/v2/{kind}s/{ID}/registrants/status")
    assert request.args.to_dict() == {"occurrence_id": "7"}


@pytest.mark.parametrize("number", [0, 31])
def test_status_change_outside_one_to_thirty_is_not_sent(zoom, number):
    people = [RegistrantRef("r1", "taro@example.com")] * number
    with pytest.raises(ValueError, match="30"):
        zoom.client().set_registrant_status(Kind.MEETING, ID, RegistrantAction.CANCEL, people)


@BOTH_KINDS
def test_deleting_names_registrant_and_occurrence(zoom, kind):
    zoom.will_answer(status=204)

    zoom.client().delete_registrant(kind, ID, "r1", occurrence_id="7")

    request = zoom.requests[0]
    assert (request.method, request.path) == ("DELETE", f"/v2/{kind}s/{ID}/registrants/r1")
    assert request.args.to_dict() == {"occurrence_id": "7"}


@pytest.mark.parametrize("registrant_id", ["", ".", ".."])
def test_id_that_would_delete_something_else_is_not_sent(zoom, registrant_id):
    with pytest.raises(ValueError, match="segment"):
        zoom.client().delete_registrant(Kind.MEETING, ID, registrant_id)


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


@pytest.mark.parametrize(("number", "expected"), [(1, False), (2, True), (99, False)])
def test_user_tells_whether_it_may_host(zoom, number, expected):
    zoom.will_answer({"id": "u1", "email": "host@example.com", "type": number})

    user = zoom.client().get_user("host@example.com")

    assert (user.id, user.email, user.is_licensed) == ("u1", "host@example.com", expected)
