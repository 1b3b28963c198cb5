"""Hold a meeting: make what Zoom would know of it afterwards."""

import base64
import secrets
from datetime import timedelta
from typing import Any

from zoom_sandbox.clock import format_time, parse_time
from zoom_sandbox.notifications import tell_held
from zoom_sandbox.records import UNREADY, Instance, Meeting, Stay
from zoom_sandbox.sandbox import Sandbox

_FIRST_USER_ID = 16_778_240


def hold(sandbox: Sandbox, meeting: Meeting, body: dict[str, Any]) -> Instance:
    """Remember that a meeting was held, and tell of it if it has ended.

    `body` has `started_at` and `ended_at`. Each of its `joins` names the `registrant_id` of
    somebody who came by the personal link, or an `email`, or only a `name`; `joined_at` and
    `left_at` are those of the meeting unless given; `is_waiting` and `room` say where they were.
    The host was there all the time, unless `has_host` is False. Until `ready_at`, or so many
    seconds after the end as `ready_after` says, Zoom is not done with it: see `Instance.unready`.

    Raises:
        KeyError, TypeError, ValueError: that is not how a meeting is held.
    """
    instance = _plan_instance(sandbox, meeting, body)
    sandbox.state.save_instance(instance)
    if parse_time(instance.ended_at) <= sandbox.clock.now():
        tell_held(sandbox, meeting, instance)
    return instance


def _make_uuid(number: int) -> str:
    """Make a UUID; of three one begins with a slash, and one has two in a row."""
    text = base64.b64encode(secrets.token_bytes(16)).decode()
    return (text, f"/{text[1:]}", f"{text[:5]}//{text[7:]}")[number % 3]


def _plan_instance(sandbox: Sandbox, meeting: Meeting, body: dict[str, Any]) -> Instance:
    started_at, ended_at = parse_time(body["started_at"]), parse_time(body["ended_at"])
    if started_at > ended_at:
        raise ValueError("started_at is after ended_at")
    ready_at = ended_at + timedelta(seconds=body.get("ready_after", 0))
    unready = body.get("unready", "zeros")
    if unready not in UNREADY:
        raise ValueError(f"unready is one of {', '.join(UNREADY)}")
    host = sandbox.state.users[meeting.host_id]
    joins = [{"email": host.email, "name": host.display_name}] if body.get("has_host", True) else []
    times = {"joined_at": body["started_at"], "left_at": body["ended_at"]}
    return Instance(
        uuid=body.get("uuid") or _make_uuid(len(sandbox.state.instances)),
        meeting_id=meeting.id,
        kind=meeting.kind,
        started_at=format_time(started_at),
        ended_at=format_time(ended_at),
        ready_at=format_time(parse_time(body["ready_at"]) if "ready_at" in body else ready_at),
        unready=unready,
        stays=[
            _plan_stay(sandbox, meeting, number, times | join)
            for number, join in enumerate(joins + body.get("joins", []), _FIRST_USER_ID)
        ],
    )


def _plan_stay(sandbox: Sandbox, meeting: Meeting, number: int, join: dict[str, Any]) -> Stay:
    joined_at, left_at = parse_time(join.pop("joined_at")), parse_time(join.pop("left_at"))
    if joined_at > left_at:
        raise ValueError("joined_at is after left_at")
    if registrant_id := join.get("registrant_id"):
        registrant = sandbox.state.get_registrant(meeting, registrant_id)
        if registrant is None:
            raise ValueError(f"no registrant is {registrant_id}")
        join = {"name": registrant.name, "email": registrant.email} | join
    stay = {"name": join.get("email", "")} | join
    if not stay["name"]:
        raise ValueError("a join needs a registrant_id, an email or a name")
    return Stay(
        user_id=str(number), joined_at=format_time(joined_at), left_at=format_time(left_at), **stay
    )
