"""Who came: instances and participants, of the sandbox and of a Zoom that answers oddly."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.zoom_client.fake_zoom import TOKEN_ANSWER, make_sandbox_client
from zoom_client import (
    Instance,
    Kind,
    Label,
    PageTokenExpired,
    Participant,
    RecordExpired,
    RecordNotFound,
    ScopeMissing,
    WrongKind,
    ZoomOutcomeUnknown,
)
from zoom_client.limits import PAGES_MAX
from zoom_sandbox.server import SandboxServer

BOTH_KINDS = pytest.mark.parametrize("kind", list(Kind))
TEN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ELEVEN = TEN + timedelta(hours=1)
ROW = {"join_time": "2026-11-22T10:00:00Z", "leave_time": "2026-11-22T11:00:00Z"}


@pytest.fixture
def sandbox():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def held(sandbox, pool):
    """Hold a meeting or webinar with Taro by his link, his phone by address, and a stranger."""
    client = make_sandbox_client(sandbox.url, pool)

    def hold(kind, **how):
        control = sandbox.control
        meeting = control.add_meeting(kind, settings={"approval_type": 0})
        taro = control.add_registrant(meeting["id"], "taro@example.com", first_name="太郎")
        joins = [
            {"registrant_id": taro["id"], "left_at": TEN + timedelta(minutes=20)},
            {"email": "taro@example.com", "name": "電話", "is_waiting": True},
            {"email": "x@example.com", "name": "誰か", "room": "r1"},
        ]
        how = {"started_at": TEN, "ended_at": ELEVEN, "joins": joins, "has_host": False} | how
        made = control.hold(meeting["id"], **how)
        return SimpleNamespace(meeting_id=meeting["id"], uuid=made["uuid"], taro=taro["id"])

    sandbox.control.set_clock(ELEVEN)
    return SimpleNamespace(hold=hold, client=client, control=sandbox.control)


def list_actions(held):
    return [entry["action"] for entry in held.control.journal() if "part" in entry["action"]]


@pytest.mark.parametrize("uuid", ["abcd==", "ab/cd==", "/ab==", "a//b==", "a+b==", "ab/cd//=="])
@BOTH_KINDS
def test_who_came_is_read_from_the_report(held, kind, uuid):
    made = held.hold(kind, uuid=uuid)

    assert held.client.list_instances(kind, made.meeting_id) == [Instance(uuid, TEN)]
    twenty = TEN + timedelta(minutes=20)
    assert list(held.client.list_participants(kind, uuid, page_size=2)) == [
        Participant(made.taro, "taro@example.com", "太郎", TEN, twenty, 1200, False, None),
        Participant(None, "taro@example.com", "電話", TEN, ELEVEN, 3600, True, None),
        Participant(None, None, "誰か", TEN, ELEVEN, 3600, False, "r1"),
    ]
    assert list_actions(held) == ["report_participants"] * 2


@pytest.mark.parametrize("page_size", [0, 301])
def test_page_size_beyond_zooms_is_not_sent(held, page_size):
    with pytest.raises(ValueError, match="300"):
        list(held.client.list_participants(Kind.MEETING, "ab==", page_size=page_size))

    assert list_actions(held) == []


@BOTH_KINDS
def test_who_came_is_read_without_the_report_too(held, kind):
    made = held.hold(kind)
    held.control.remove_scopes(f"report:read:list_{kind}_participants:admin")

    came = list(held.client.list_participants(kind, made.uuid))

    assert [(p.registrant_id, p.seconds) for p in came] == [
        (made.taro, 1200),
        (None, 3600),
        (None, 3600),
    ]
    assert list_actions(held) == ["list_participants"]


def test_scope_for_either_way_is_needed(held):
    made = held.hold(Kind.MEETING)
    held.control.grant_scopes(["meeting:read:meeting:admin"])

    with pytest.raises(ScopeMissing) as raised:
        list(held.client.list_participants(Kind.MEETING, made.uuid))

    assert "meeting:read:list_past_participants:admin" in raised.value.scopes


@BOTH_KINDS
def test_record_that_zoom_still_writes_is_told_apart(held, kind):
    zeros = held.hold(kind, unready="zeros", ready_after=600)
    missing = held.hold(kind, unready="missing", ready_after=600)

    early = list(held.client.list_participants(kind, zeros.uuid))
    with pytest.raises(RecordNotFound) as raised:
        list(held.client.list_participants(kind, missing.uuid))
    held.control.move_clock(seconds=600)
    late = list(held.client.list_participants(kind, zeros.uuid))

    assert [p.is_ready for p in early] == [False] * 3
    assert [p.is_ready for p in late] == [True] * 3
    assert not isinstance(raised.value, RecordExpired)
    assert len(list(held.client.list_participants(kind, missing.uuid))) == 3


@BOTH_KINDS
def test_record_of_long_ago_is_gone(held, kind):
    made = held.hold(kind, started_at=TEN - timedelta(days=400), joins=[], has_host=True)
    older = held.hold(
        kind,
        started_at=TEN - timedelta(days=400),
        ended_at=TEN - timedelta(days=399),
        joins=[
            {"name": name, "joined_at": TEN - timedelta(days=400), "left_at": TEN - timedelta(399)}
            for name in "AB"
        ],
    )

    with pytest.raises(RecordNotFound) as lonely:
        list(held.client.list_participants(kind, made.uuid))
    with pytest.raises(RecordExpired):
        list(held.client.list_participants(kind, older.uuid))

    assert not isinstance(lonely.value, RecordExpired)


@BOTH_KINDS
def test_what_was_never_held_has_no_instances(held, kind):
    meeting = held.control.add_meeting(kind)
    other = Kind.WEBINAR if kind is Kind.MEETING else Kind.MEETING

    assert held.client.list_instances(kind, meeting["id"]) == []
    with pytest.raises(RecordNotFound):
        held.client.list_instances(kind, 123)
    if kind is Kind.WEBINAR:
        with pytest.raises(WrongKind):
            held.client.list_instances(other, meeting["id"])


class CountedBudget:
    def __init__(self):
        self.taken = []

    def take(self, name, *, is_walk=False):
        self.taken.append((name, is_walk))

    def close(self, name, until):
        raise AssertionError


@pytest.mark.parametrize(
    ("kind", "scope", "taken"),
    [
        (Kind.MEETING, "", [(Label.MEDIUM, False), (Label.MEDIUM, True)]),
        (Kind.WEBINAR, "", [(Label.LIGHT, False), (Label.MEDIUM, True)]),
        (Kind.MEETING, "report:read:admin", [(Label.MEDIUM, False), (Label.HEAVY, True)]),
    ],
)
def test_calls_are_taken_from_the_right_budgets(zoom, kind, scope, taken):
    budget = CountedBudget()
    client = zoom.client(budget=budget)
    zoom.will_answer_token(TOKEN_ANSWER | {"scope": scope})
    zoom.will_answer({f"{kind}s": []})
    zoom.will_answer({"participants": []})

    client.list_instances(kind, 1)
    assert list(client.list_participants(kind, "ab==")) == []

    assert budget.taken == taken


def test_row_with_nothing_but_a_time_is_read(zoom):
    zoom.will_answer({"participants": [{"join_time": "2026-11-22T10:00:00.66Z", "duration": None}]})

    [came] = zoom.client().list_participants(Kind.MEETING, "ab==")

    joined_at = TEN + timedelta(milliseconds=660)
    assert came == Participant(None, None, "", joined_at, None, 0, False, None)
    assert not came.is_ready


def test_stay_of_no_length_is_ready(zoom):
    zoom.will_answer({"participants": [ROW | {"leave_time": ROW["join_time"], "duration": 0}]})

    [came] = zoom.client().list_participants(Kind.MEETING, "ab==")

    assert came.is_ready


@pytest.mark.parametrize("row", [{}, {"join_time": "soon"}, "A"])
def test_row_without_a_time_makes_no_sense(zoom, row):
    zoom.will_answer({"participants": [row]})

    with pytest.raises(ZoomOutcomeUnknown) as raised:
        list(zoom.client().list_participants(Kind.MEETING, "ab=="))

    assert raised.value.may_have_happened is False


def test_list_that_leads_in_a_circle_ends(zoom):
    for token in ("p2", "p3", "p2"):
        zoom.will_answer({"participants": [ROW], "next_page_token": token})

    with pytest.raises(PageTokenExpired):
        list(zoom.client().list_participants(Kind.MEETING, "ab=="))


def test_list_without_an_end_ends(zoom, monkeypatch):
    assert PAGES_MAX == 1000
    monkeypatch.setattr("zoom_client.account.PAGES_MAX", 3)
    for number in range(3):
        zoom.will_answer({"participants": [ROW], "next_page_token": f"p{number}"})

    with pytest.raises(PageTokenExpired):
        list(zoom.client().list_participants(Kind.MEETING, "ab=="))


def test_no_person_is_in_a_repr(zoom):
    zoom.will_answer({"participants": [ROW | {"name": "太郎", "user_email": "taro@example.com"}]})

    came = list(zoom.client().list_participants(Kind.MEETING, "ab=="))

    assert "taro" not in repr(came)
    assert "太郎" not in repr(came)
