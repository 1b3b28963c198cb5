"""Meetings that were held, and what Zoom tells of them afterwards."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.zoom_sandbox.api import refusal

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ELEVEN = TEN + timedelta(hours=1)
HALF = TEN + timedelta(minutes=30)
WITH_ID = {"include_fields": "registrant_id"}
BOTH_KINDS = pytest.mark.parametrize("kind", ["meeting", "webinar"])


@pytest.fixture
def after(sandbox, api):
    """Stand at noon of the day, with a token of then."""
    sandbox.control.set_clock(ELEVEN + timedelta(hours=1))
    api.sign_in()
    return sandbox.control


def twice(uuid):
    return quote(quote(uuid, safe=""), safe="")


def participants(api, kind, uuid, *, report=False, **query):
    start = f"/report/{kind}s" if report else f"/past_{kind}s"
    return api.call("GET", f"{start}/{twice(uuid)}/participants", **query)


def rows(api, kind, uuid, *, report=False, **query):
    response = participants(api, kind, uuid, report=report, **query)
    assert response.status_code == 200, response.text
    return response.json()["participants"]


@BOTH_KINDS
def test_stays_are_told_with_who_they_belong_to(api, after, kind):
    meeting = after.add_meeting(kind, settings={"approval_type": 0})
    taro = after.add_registrant(meeting["id"], "taro@example.com", first_name="太郎")
    joins = [
        {"registrant_id": taro["id"], "joined_at": HALF},
        {"email": "Taro@example.com", "name": "taro's phone", "left_at": HALF, "is_waiting": True},
        {"email": "stranger@example.com", "name": "誰か", "room": "r1"},
    ]

    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN, joins=joins)

    host, by_link, by_address, stranger = rows(api, kind, held["uuid"], report=True, **WITH_ID)
    assert (host["user_email"], host["id"], host["registrant_id"]) == (
        "host@example.com",
        "SandboxHost0000000000w",
        "",
    )
    assert by_link["registrant_id"] == taro["id"]
    assert (by_link["name"], by_link["user_email"]) == ("太郎", "taro@example.com")
    assert (by_link["join_time"], by_link["leave_time"], by_link["duration"]) == (
        "2026-11-22T10:30:00Z",
        "2026-11-22T11:00:00Z",
        1800,
    )
    assert (by_address["user_email"], by_address["status"]) == (
        "Taro@example.com",
        "in_waiting_room",
    )
    assert (stranger["user_email"], stranger["name"], stranger["bo_mtg_id"]) == ("", "誰か", "r1")
    assert {row["participant_user_id"] for row in (by_link, by_address, stranger)} == {""}
    listed = rows(api, kind, held["uuid"])
    assert [row["name"] for row in listed] == ["Sandbox Host", "太郎", "taro's phone", "誰か"]
    assert all("registrant_id" not in row and "bo_mtg_id" not in row for row in listed)


@BOTH_KINDS
def test_every_time_has_its_own_record(api, after, kind):
    meeting = after.add_meeting(kind)
    days = [TEN - timedelta(days=days) for days in (0, 3, 1, 2)]
    uuids = {
        day: after.hold(
            meeting["id"],
            started_at=day,
            ended_at=day + timedelta(hours=1),
            joins=[{"name": f"{day:%d}"}],
        )["uuid"]
        for day in days
    }

    listed = api.call("GET", f"/past_{kind}s/{meeting['id']}/instances").json()[f"{kind}s"]

    assert [row["uuid"] for row in listed] == [uuids[day] for day in sorted(days)]
    assert sum(uuid.startswith("/") for uuid in uuids.values()) >= 1
    assert sum("//" in uuid for uuid in uuids.values()) >= 1
    for day, uuid in uuids.items():
        assert [row["name"] for row in rows(api, kind, uuid)[1:]] == [f"{day:%d}"]
    # A number names the latest.
    latest = api.call("GET", f"/past_{kind}s/{meeting['id']}/participants").json()
    assert [row["name"] for row in latest["participants"][1:]] == ["22"]


def test_days_narrow_the_instances(api, after):
    meeting = after.add_meeting()
    for day in range(3):
        start = TEN - timedelta(days=day)
        after.hold(meeting["id"], started_at=start, ended_at=start)

    def count(**query):
        path = f"/past_meetings/{meeting['id']}/instances"
        return len(api.call("GET", path, **query).json()["meetings"])

    assert count(**{"from": "2026-11-21", "to": "2026-11-22"}) == 2
    assert count(**{"from": "2026-11-21"}) == 3


@pytest.mark.parametrize("start", ["/past_{kind}s", "/report/{kind}s"])
@BOTH_KINDS
def test_slashes_of_a_uuid_need_two_encodings(api, after, kind, start):
    meeting = after.add_meeting(kind)
    for uuid in ("/abc==", "a//b=="):
        after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN, uuid=uuid, joins=[{"name": "A"}])
        path = f"{start.format(kind=kind)}/{{}}/participants"
        assert api.call("GET", path.format(twice(uuid))).status_code == 200
        once = api.call("GET", path.format(quote(uuid, safe="")))
        assert refusal(once) == (404, 3001)


@BOTH_KINDS
def test_zoom_takes_its_time(sandbox, api, after, kind):
    meeting = after.add_meeting(kind)
    uuids = {
        unready: after.hold(
            meeting["id"],
            started_at=TEN,
            ended_at=ELEVEN,
            joins=[{"name": "A"}, {"name": "B"}, {"name": "C"}],
            unready=unready,
            ready_after=2 * 3600,
        )["uuid"]
        for unready in ("zeros", "part", "missing")
    }
    path = f"/past_{kind}s/{meeting['id']}/instances"

    assert {row["duration"] for row in rows(api, kind, uuids["zeros"], report=True)} == {0}
    assert [row["name"] for row in rows(api, kind, uuids["part"])] == ["Sandbox Host", "A"]
    assert refusal(participants(api, kind, uuids["missing"])) == (404, 3001)
    assert len(api.call("GET", path).json()[f"{kind}s"]) == 2

    after.move_clock(hours=1)

    api.sign_in()
    for uuid in uuids.values():
        assert [row["duration"] for row in rows(api, kind, uuid)] == [3600] * 4
    assert len(api.call("GET", path).json()[f"{kind}s"]) == 3


def test_what_has_not_ended_is_not_told(api, after):
    meeting = after.add_meeting()
    noon = ELEVEN + timedelta(hours=1)
    held = after.hold(
        meeting["id"], started_at=TEN, ended_at=noon + timedelta(hours=1), joins=[{"name": "A"}]
    )

    assert refusal(participants(api, "meeting", held["uuid"])) == (404, 3001)
    assert api.call("GET", f"/past_meetings/{meeting['id']}/instances").json() == {"meetings": []}
    assert refusal(api.call("GET", f"/past_meetings/{meeting['id']}")) == (404, 3001)


def test_lonely_meeting_is_not_reported(api, after):
    meeting = after.add_meeting()
    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN)

    assert refusal(participants(api, "meeting", held["uuid"], report=True)) == (404, 3001)
    assert rows(api, "meeting", held["uuid"]) == []


@BOTH_KINDS
def test_records_end_after_a_year_or_later(api, after, kind):
    meeting = after.add_meeting(kind)
    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN, joins=[{"name": "A"}])

    after.move_clock(days=366)
    api.sign_in()
    assert refusal(participants(api, kind, held["uuid"], report=True)) == (400, 12702)
    assert len(rows(api, kind, held["uuid"])) == 2
    after.move_clock(days=100)
    api.sign_in()
    assert refusal(participants(api, kind, held["uuid"])) == (400, 12702)
    path = f"/past_{kind}s/{meeting['id']}/instances"
    assert api.call("GET", path).json() == {f"{kind}s": []}


def test_past_meeting_sums_up(api, after):
    meeting = after.add_meeting(topic="説明会")
    joins = [{"name": "A", "left_at": HALF}, {"name": "A", "joined_at": HALF, "room": "r"}]
    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN, joins=joins)

    told = api.call("GET", f"/past_meetings/{meeting['id']}").json()

    names = ("uuid", "topic", "duration", "end_time", "participants_count", "total_minutes")
    assert [told[name] for name in names] == [
        held["uuid"],
        "説明会",
        60,
        "2026-11-22T11:00:00Z",
        2,
        90,
    ]


def test_report_costs_much_and_is_for_administrators(api, after):
    meeting = after.add_meeting()
    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN, joins=[{"name": "A"}])

    answered = participants(api, "meeting", held["uuid"], report=True)
    after.remove_scopes("report:read:list_meeting_participants:admin")

    assert answered.headers["X-RateLimit-Category"] == "Heavy"
    refused = participants(api, "meeting", held["uuid"], report=True)
    assert refusal(refused) == (400, 4711)
    listed = participants(api, "meeting", held["uuid"])
    assert (listed.status_code, listed.headers["X-RateLimit-Category"]) == (200, "Medium")


def test_long_report_comes_in_pages(api, after):
    meeting = after.add_meeting()
    names = [f"n{number}" for number in range(305)]
    held = after.hold(
        meeting["id"],
        started_at=TEN,
        ended_at=ELEVEN,
        has_host=False,
        joins=[{"name": name} for name in names],
    )

    first = participants(api, "meeting", held["uuid"], report=True, page_size=300).json()
    token = first["next_page_token"]
    rest = participants(
        api, "meeting", held["uuid"], report=True, page_size=300, next_page_token=token
    ).json()

    assert (first["total_records"], first["page_count"]) == (305, 2)
    assert [row["name"] for row in first["participants"] + rest["participants"]] == names
    assert rest["next_page_token"] == ""
    assert refusal(participants(api, "meeting", held["uuid"], page_size=301)) == (400, 300)


def test_held_meeting_is_told_of(sandbox, after):
    after.send_webhooks_to("http://127.0.0.1:1/", "secret")
    meeting = after.add_meeting()
    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN)

    told = [delivery["message"] for delivery in after.webhooks()][1:]

    assert [message["event"] for message in told] == ["meeting.started", "meeting.ended"]
    ended = told[1]["payload"]["object"]
    assert (ended["id"], ended["uuid"]) == (str(meeting["id"]), held["uuid"])


def test_deleted_meeting_takes_its_records_along(api, after):
    meeting = after.add_meeting()
    held = after.hold(meeting["id"], started_at=TEN, ended_at=ELEVEN, joins=[{"name": "A"}])

    api.call("DELETE", f"/meetings/{meeting['id']}")

    assert refusal(participants(api, "meeting", held["uuid"])) == (404, 3001)
    assert after.state()["instances"] == []


def test_restarted_sandbox_knows_what_was_held(start_sandbox, connect, tmp_path):
    first = start_sandbox(state_path=tmp_path / "state.sqlite")
    meeting = first.control.add_meeting()
    held = first.control.hold(
        meeting["id"], started_at=TEN, ended_at=ELEVEN, joins=[{"name": "A"}], uuid="/a=="
    )
    first.close()
    second = start_sandbox(state_path=tmp_path / "state.sqlite")
    second.control.set_clock(ELEVEN)
    assert [row["name"] for row in rows(connect(second), "meeting", held["uuid"])[1:]] == ["A"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ended_at": TEN - timedelta(hours=1)},
        {"joins": [{}]},
        {"joins": [{"registrant_id": "nobody"}]},
        {"joins": [{"name": "A", "left_at": TEN - timedelta(hours=1)}]},
        {"joins": [{"name": "A", "colour": "red"}]},
        {"unready": "never"},
    ],
)
def test_meeting_is_not_held_in_impossible_ways(sandbox, wrong):
    meeting = sandbox.control.add_meeting()
    with pytest.raises(ValueError, match="400"):
        sandbox.control.hold(meeting["id"], **{"started_at": TEN, "ended_at": ELEVEN} | wrong)
