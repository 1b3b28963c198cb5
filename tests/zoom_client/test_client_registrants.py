from datetime import UTC, datetime

import pytest

from zoom_client import (
    AddedRegistrant,
    Kind,
    NewRegistrant,
    PageTokenExpired,
    RegistrantAction,
    RegistrantRef,
    RegistrantStatus,
    ValidationFailed,
    ZoomOutcomeUnknown,
)

ID = 98765432109876543
TARO = NewRegistrant("taro@example.com", "太郎", "山田")
TEN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
BOTH_KINDS = pytest.mark.parametrize("kind", list(Kind))


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
        participant_pin_code=380303,
    )


def test_webinar_answers_a_link_to_share(zoom):
    zoom.will_answer({"registrant_id": "r1", "share_url": "https://zoom.us/s/1"}, 201)
    zoom.will_answer({"id": "r1", "status": "approved", "share_url": "https://zoom.us/s/1"})

    added = zoom.client().add_registrant(Kind.WEBINAR, ID, TARO)
    read = zoom.client().get_registrant(Kind.WEBINAR, ID, "r1")

    assert (added.share_url, read.share_url) == ("https://zoom.us/s/1", "https://zoom.us/s/1")
    assert "zoom.us" not in f"{added} {read}"


def test_empty_last_name_is_left_out_of_add_and_batch(zoom):
    zoom.will_answer({"registrant_id": "r1"}, 201)
    zoom.will_answer({"registrants": []}, 201)
    person = NewRegistrant("taro@example.com", "太郎", "")

    zoom.client().add_registrant(Kind.MEETING, ID, person)
    zoom.client().add_registrants(Kind.MEETING, ID, [person])

    alone, batch = zoom.bodies()
    assert alone == batch["registrants"][0] == {"email": person.email, "first_name": "太郎"}


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

    people = list(zoom.client().list_registrants(kind, ID))

    assert [(person.id, person.status.value) for person in people] == [
        ("a1", "approved"),
        ("a2", "approved"),
        ("a3", "approved"),
        ("p1", "pending"),
    ]
    assert [request.args.to_dict() for request in zoom.requests] == [
        {"status": "approved", "page_size": "300"},
        {"status": "approved", "page_size": "300", "next_page_token": "p2"},
        {"status": "pending", "page_size": "300"},
        {"status": "denied", "page_size": "300"},
    ]


@pytest.mark.parametrize("circle", [("p2", "p2"), ("p2", "p3", "p2")])
def test_pages_that_lead_in_a_circle_end(zoom, circle):
    for token in circle:
        zoom.will_answer(make_page("a1", next_page_token=token))
    with pytest.raises(PageTokenExpired):
        list(zoom.client().list_registrants(Kind.MEETING, ID))


@pytest.mark.parametrize("page", [{}, {"registrants": None}, {"registrants": [1]}, []])
def test_page_without_rows_is_not_an_empty_list(zoom, page):
    zoom.will_answer(page)
    with pytest.raises(ZoomOutcomeUnknown):
        list(zoom.client().list_registrants(Kind.MEETING, ID))


@pytest.mark.parametrize(("kind", "status"), [(Kind.MEETING, 204), (Kind.WEBINAR, 200)])
@pytest.mark.parametrize("action", list(RegistrantAction))
def test_status_change_names_id_and_address(zoom, kind, status, action):
    zoom.will_answer(status=status)
    people = [RegistrantRef("r1", "taro@example.com"), RegistrantRef("r2", "jiro@example.com")]

    zoom.client().set_registrant_status(kind, ID, action, people)

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
    assert request.args.to_dict() == {}


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
