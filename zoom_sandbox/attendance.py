"""What was held and who came: instances, past meetings, participants and their report."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from zoom_sandbox.answers import Answer, meeting_missing, too_old
from zoom_sandbox.calls import Call
from zoom_sandbox.clock import parse_time
from zoom_sandbox.paging import page_of
from zoom_sandbox.records import Instance, Stay, read_meeting_id

_A_YEAR = timedelta(days=365)
_FIFTEEN_MONTHS = timedelta(days=456)


def list_instances(call: Call) -> Answer:
    """List the times that have ended; of one never held the list is empty."""
    meeting = call.find_meeting()
    rows = [
        {"uuid": instance.uuid, "start_time": instance.started_at}
        for instance in call.sandbox.state.list_instances(meeting.id)
        if _is_known(call, instance)
        and _age(call, instance) <= _FIFTEEN_MONTHS
        and _is_between(instance.started_at[:10], call.query)
    ]
    return Answer(200, {f"{call.kind}s": rows})


def _is_between(day: str, query: dict[str, str]) -> bool:
    """Each bound takes effect only together with the other."""
    is_bound = "from" in query and "to" in query
    return not is_bound or query["from"] <= day <= query["to"]


def get_past_meeting(call: Call) -> Answer:
    instance = _find(call, _A_YEAR)
    meeting = call.sandbox.state.meetings[instance.meeting_id]
    host = call.sandbox.state.users[meeting.host_id]
    inside = [stay for stay in _list_stays(call, instance) if not stay.is_waiting]
    seconds = sum(_count_seconds(call, instance, stay) for stay in inside if not stay.room)
    length = parse_time(instance.ended_at) - parse_time(instance.started_at)
    return Answer(
        200,
        {
            "id": meeting.id,
            "uuid": instance.uuid,
            "duration": length // timedelta(minutes=1),
            "start_time": instance.started_at,
            "end_time": instance.ended_at,
            "host_id": host.id,
            "dept": "",
            "participants_count": len({stay.person for stay in inside}),
            "source": "Zoom",
            "topic": meeting.details["topic"],
            "total_minutes": seconds // 60,
            "type": meeting.type,
            "user_email": host.email,
            "user_name": host.display_name,
            "has_meeting_summary": False,
        },
    )


def list_participants(call: Call) -> Answer:
    """List the stays, none where only one person came; whose room it was is not told."""
    instance = _find(call, _FIFTEEN_MONTHS)
    stays = _list_stays(call, instance)
    return _answer_page(call, instance, stays if _has_company(instance) else [], "internal_user")


def report_participants(call: Call) -> Answer:
    """Report the stays; what only one person came to is not reported."""
    instance = _find(call, _A_YEAR)
    if not _has_company(instance):
        raise meeting_missing(call.kind, instance.uuid)
    stays = _list_stays(call, instance)
    return _answer_page(call, instance, stays, "customer_key", "bo_mtg_id", "participant_user_id")


def _find(call: Call, longest: timedelta) -> Instance:
    """Find by UUID, or the latest by the meeting's number."""
    wanted = unquote(call.path["meeting_id"])
    state, number = call.sandbox.state, read_meeting_id(wanted)
    candidates = list(state.instances.values()) if number is None else state.list_instances(number)
    known = [
        one
        for one in candidates
        if one.kind == call.kind
        and wanted in (one.uuid, str(one.meeting_id))
        and _is_known(call, one)
    ]
    if not known:
        raise meeting_missing(call.kind, wanted)
    instance = known[-1]
    call.note(None, state.meetings[instance.meeting_id])
    if _age(call, instance) > longest:
        raise too_old(call.kind)
    return instance


def _is_known(call: Call, instance: Instance) -> bool:
    has_ended = parse_time(instance.ended_at) <= call.sandbox.clock.now()
    return has_ended and (instance.unready != "missing" or _is_ready(call, instance))


def _is_ready(call: Call, instance: Instance) -> bool:
    return parse_time(instance.ready_at) <= call.sandbox.clock.now()


def _age(call: Call, instance: Instance) -> timedelta:
    return call.sandbox.clock.now() - parse_time(instance.ended_at)


def _has_company(instance: Instance) -> bool:
    return len({stay.person for stay in instance.stays}) > 1


def _list_stays(call: Call, instance: Instance) -> list[Stay]:
    stays = instance.stays
    is_cut = instance.unready == "part" and not _is_ready(call, instance)
    return stays[: len(stays) // 2] if is_cut else stays


def _count_seconds(call: Call, instance: Instance, stay: Stay) -> int:
    if instance.unready == "zeros" and not _is_ready(call, instance):
        return 0
    return int((parse_time(stay.left_at) - parse_time(stay.joined_at)).total_seconds())


def _answer_page(call: Call, instance: Instance, stays: Sequence[Stay], *also: str) -> Answer:
    page, frame = page_of(call, stays, lambda stay: stay.user_id)
    del frame["page_number"]
    rows = [_describe(call, instance, stay, also) for stay in page]
    return Answer(200, {**frame, "participants": rows})


def _describe(call: Call, instance: Instance, stay: Stay, also: Sequence[str]) -> dict[str, Any]:
    """Describe one stay; `registrant_id` is there for who asked for it."""
    user = call.sandbox.state.get_user(stay.email) if stay.email else None
    user_id = user.id if user else ""
    described: dict[str, Any] = {
        "id": user_id,
        "name": stay.name,
        "user_id": stay.user_id,
        "user_email": _show_email(call, instance, stay, is_user=user is not None),
        "join_time": stay.joined_at,
        "leave_time": stay.left_at,
        "duration": _count_seconds(call, instance, stay),
        "failover": False,
        "status": "in_waiting_room" if stay.is_waiting else "in_meeting",
    }
    if call.query.get("include_fields") == "registrant_id":
        described["registrant_id"] = stay.registrant_id
    extras = {
        "internal_user": user is not None,
        "customer_key": "",
        "bo_mtg_id": stay.room,
        "participant_user_id": user_id,
    }
    return described | {name: extras[name] for name in also}


def _show_email(call: Call, instance: Instance, stay: Stay, *, is_user: bool) -> str:
    """Hide the addresses of guests, but for those who registered for this meeting."""
    state = call.sandbox.state
    registered = state.find_registrant(state.meetings[instance.meeting_id], stay.email)
    return stay.email if is_user or registered or stay.registrant_id else ""
