from datetime import UTC, datetime
from pathlib import Path

from tests.zoom_sandbox.api import PERSON, refusal
from zoom_sandbox import SandboxSettings, create_sandbox


def test_journal_has_an_entry_per_person_of_a_batch(sandbox, api):
    meeting = api.create()
    other = {**PERSON, "email": "hanako@example.com"}
    path = f"{api.path(meeting)}/batch_registrants"
    rows = api.call("POST", path, {"registrants": [PERSON, other]}).json()["registrants"]
    entries = sandbox.control.journal(action="add_batch")
    assert [(e["email"], e["registrant_id"], e["effect"], e["status"]) for e in entries] == [
        (row["email"], row["registrant_id"], "add", 201) for row in rows
    ]


def test_journal_has_refused_calls_without_effect(sandbox, api):
    meeting = api.create()
    api.add(meeting, email="host@example.com")
    [entry] = sandbox.control.journal(email="host@example.com", meeting_id=meeting["id"])
    assert (entry["effect"], entry["status"], entry["code"]) == (None, 400, 3027)
    assert datetime.fromisoformat(entry["at"]).tzinfo is not None


def test_journal_names_each_kind_of_effect(sandbox, api):
    meeting = api.create()
    added = api.add(meeting).json()
    for action in ("approve", "cancel", "approve", "deny", "deny"):
        api.set_status(meeting, action, {"email": PERSON["email"]})
    api.call("PATCH", api.path(meeting), {"topic": "New"})
    api.call("PATCH", f"{api.path(meeting)}/registrants/questions", {"questions": []})
    api.call("DELETE", f"{api.path(meeting)}/registrants/{added['registrant_id']}")
    api.call("DELETE", api.path(meeting))
    effects = [entry["effect"] for entry in sandbox.control.journal()]
    expected = "token create add approve cancel approve deny None update questions delete"
    assert list(map(str, effects)) == [*expected.split(), "delete_meeting"]


def test_reset_forgets_everything(sandbox, api):
    api.add(api.create())
    sandbox.control.fault("token", does="close")
    sandbox.control.move_clock(days=3)
    sandbox.control.reset()
    state = sandbox.control.state()
    assert (state["meetings"], state["registrants"], state["faults"]) == ([], [], [])
    assert sandbox.control.journal() == []
    assert api.call("GET", "/users/host@example.com").status_code == 401


def test_clock_can_be_set(sandbox):
    sandbox.control.set_clock(datetime(2030, 1, 1, tzinfo=UTC))
    assert sandbox.control.state()["now"].startswith("2030-01-01T00:00:0")


def test_meeting_added_behind_the_api_has_all_settings(sandbox, api):
    settings = {"approval_type": 1, "registrants_confirmation_email": False}
    webinar = sandbox.control.add_meeting("webinar", topic="説明会", settings=settings)
    read = api.call("GET", f"/webinars/{webinar['id']}").json()
    assert (read["topic"], read["settings"]["registrants_confirmation_email"]) == ("説明会", False)


def test_meeting_converted_to_a_webinar_changes_paths(sandbox, api):
    meeting = api.create()
    sandbox.control.change_meeting(meeting["id"], kind="webinar", type=5)
    assert refusal(api.call("GET", f"/meetings/{meeting['id']}")) == (400, 3000)
    assert api.call("GET", f"/webinars/{meeting['id']}").json()["id"] == meeting["id"]


def test_registrant_added_behind_the_api_is_listed(sandbox, api):
    meeting = api.create()
    sandbox.control.add_registrant(meeting["id"], "old@example.com", status="denied")
    assert api.emails(meeting, "denied") == ["old@example.com"]


def test_control_is_for_this_machine_only():
    client = create_sandbox(SandboxSettings()).test_client()
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/control/state", environ_overrides=elsewhere).status_code == 404
    assert client.get("/control/state").status_code == 200


def test_restarted_sandbox_knows_what_it_knew(start_sandbox, connect, tmp_path: Path):
    first = start_sandbox(state_path=tmp_path / "state.sqlite")
    api = connect(first)
    meeting = api.create()
    added = api.add(meeting, auto_approve=True).json()
    first.close()
    second = start_sandbox(state_path=tmp_path / "state.sqlite")
    api = connect(second)
    read = api.call("GET", f"{api.path(meeting)}/registrants/{added['registrant_id']}").json()
    assert read["join_url"].split("?")[1] == added["join_url"].split("?")[1]
    assert [e["email"] for e in second.control.journal(effect="add")] == [PERSON["email"]]


def test_deleted_records_stay_deleted_after_a_restart(start_sandbox, connect, tmp_path: Path):
    first = start_sandbox(state_path=tmp_path / "state.sqlite")
    api = connect(first)
    meeting = api.create()
    api.add(meeting)
    api.call("DELETE", api.path(meeting))
    first.close()
    state = start_sandbox(state_path=tmp_path / "state.sqlite").control.state()
    assert (state["meetings"], state["registrants"]) == ([], [])
