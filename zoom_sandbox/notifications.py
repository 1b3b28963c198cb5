"""What Zoom tells a webhook: its payloads, after the event descriptions of 2026-08-09."""

from typing import Any

from zoom_sandbox.records import Instance, Meeting, Registrant
from zoom_sandbox.sandbox import Sandbox

_VERBS = {"approve": "approved", "cancel": "cancelled", "deny": "denied"}


def tell_registered(
    sandbox: Sandbox, meeting: Meeting, registrant: Registrant, join_url: str
) -> None:
    """Tell of a new registrant; somebody pending has an empty link."""
    person = {
        **_person(registrant),
        **registrant.profile,
        "status": registrant.status,
        "join_url": join_url,
        **_pin_code(meeting, registrant),
    }
    sandbox.webhooks.send(
        f"{meeting.kind}.registration_created",
        {"object": {**_meeting(meeting), "registrant": person}},
    )


def tell_status(
    sandbox: Sandbox, meeting: Meeting, registrant: Registrant, action: str, join_url: str
) -> None:
    person = _person(registrant)
    if action == "approve":
        person |= {"join_url": join_url, **_pin_code(meeting, registrant)}
    sandbox.webhooks.send(
        f"{meeting.kind}.registration_{_VERBS[action]}",
        {**_operator(sandbox, meeting), "object": {**_meeting(meeting), "registrant": person}},
    )


def tell_created(sandbox: Sandbox, meeting: Meeting) -> None:
    described = {
        **_meeting(meeting),
        "join_url": shared_url_of(sandbox, meeting),
        "creation_source": "open_api",
        "settings": {
            "use_pmi": meeting.settings.get("use_pmi", False),
            "alternative_hosts": meeting.settings["alternative_hosts"],
        },
    }
    sandbox.webhooks.send(
        f"{meeting.kind}.created", {**_operator(sandbox, meeting), "object": described}
    )


def shared_url_of(sandbox: Sandbox, meeting: Meeting) -> str:
    """Build the link that is the same for everybody, and leads in only without registration."""
    return f"{sandbox.base_url}/j/{meeting.id}?pwd={meeting.embedded_passcode}"


def tell_updated(
    sandbox: Sandbox,
    meeting: Meeting,
    changed: dict[str, Any],
    former: dict[str, Any],
    *,
    scope: str,
) -> None:
    """Tell only what changed, with the former values beside it."""
    sandbox.webhooks.send(
        f"{meeting.kind}.updated",
        {
            **_operator(sandbox, meeting),
            "scope": scope,
            "time_stamp": int(sandbox.clock.now().timestamp() * 1000),
            "object": {"id": meeting.id, **_without_empty(changed)},
            "old_object": {"id": meeting.id, **_without_empty(former)},
        },
    )


def tell_deleted(sandbox: Sandbox, meeting: Meeting, *, operation: str) -> None:
    sandbox.webhooks.send(
        f"{meeting.kind}.deleted",
        {**_operator(sandbox, meeting), "operation": operation, "object": _meeting(meeting)},
    )


def tell_held(sandbox: Sandbox, meeting: Meeting, instance: Instance) -> None:
    """Tell that a meeting started and ended; these two name it by its id as text."""
    host = sandbox.state.users[meeting.host_id]
    held = {
        **{name: value for name, value in _meeting(meeting).items() if name != "occurrences"},
        "id": str(meeting.id),
        "uuid": instance.uuid,
        "host_email": host.email,
        "start_time": instance.started_at,
    }
    sandbox.webhooks.send(f"{meeting.kind}.started", {"object": held})
    ended = {**held, "end_time": instance.ended_at}
    if meeting.kind == "webinar":
        ended["practice_session"] = False
    sandbox.webhooks.send(f"{meeting.kind}.ended", {"object": ended})


def _operator(sandbox: Sandbox, meeting: Meeting) -> dict[str, str]:
    host = sandbox.state.users[meeting.host_id]
    return {"operator": host.email, "operator_id": host.id}


def _meeting(meeting: Meeting) -> dict[str, Any]:
    described = {
        "uuid": meeting.uuid,
        "id": meeting.id,
        "host_id": meeting.host_id,
        "topic": meeting.details["topic"],
        "type": meeting.type,
        "duration": meeting.details["duration"],
        "timezone": meeting.details["timezone"],
    }
    if "start_time" in meeting.details:
        described["start_time"] = meeting.details["start_time"]
    if meeting.occurrences:
        described["occurrences"] = [
            {"occurrence_id": o["occurrence_id"], "start_time": o["start_time"]}
            for o in meeting.occurrences
        ]
    return described


def _person(registrant: Registrant) -> dict[str, Any]:
    return {
        "id": registrant.id,
        "first_name": registrant.profile["first_name"],
        "last_name": registrant.profile.get("last_name", ""),
        "email": registrant.email,
    }


def _pin_code(meeting: Meeting, registrant: Registrant) -> dict[str, int]:
    return {"participant_pin_code": registrant.pin_code} if meeting.kind == "meeting" else {}


def _without_empty(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if value != {}}
