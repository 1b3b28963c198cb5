"""Who came, as far as Zoom has told, and who pressed our own join button."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue

from services.api_keys import Caller, Scope
from services.attendance import Verdict
from services.attendance_verdicts import PersonAttendance, read_attendance
from services.audit import Action, Fact
from services.registration_values import write_moment
from storage import registration_pages, registrations
from storage.models import Registration

from ..site import get_site
from .access import answer_json, bp, need_event, needs, read_query
from .paging import read_paging
from .registrations import read_narrowing, record_list


@bp.get("/events/<slug>/attendance", endpoint="list_attendance")
@needs(Scope.REGISTRATIONS_READ)
def list_all(caller: Caller, slug: str) -> ResponseReturnValue:
    query = read_query("limit", "cursor", "status")
    paging, wanted = read_paging(query, caller.organization_id), read_narrowing(query)
    site = get_site()
    with site.database.read() as session:
        event = need_event(session, caller, slug)
        page = registration_pages.list_ids(
            session, event.id, wanted, after=paging.after, limit=paging.limit
        )
        known = read_attendance(session, event, page.ids, now=site.read_clock())
        items = [
            _write_person(person, known[person.id])
            for person in registrations.list_registrations(session, page.ids)
        ]
        about = f"event:{event.public_id}"
    facts: dict[str, Fact] = {"count": len(items), "kind": "attendance"}
    record_list(caller, Action.PEOPLE_LISTED, about, facts)
    return answer_json({"items": items, "next": paging.write_next(page.next_after)})


def _write_person(person: Registration, known: PersonAttendance) -> dict[str, Any]:
    return {
        "registration": person.public_id,
        "status": person.status,
        **_write_verdict(known.whole),
        "dates": [
            {
                "date": date.id,
                "starts_at": write_moment(date.starts_at),
                "ends_at": write_moment(date.ends_at),
                **_write_verdict(verdict),
            }
            for date, verdict in known.dates
            if date.id
        ],
        "join_clicks": person.join_clicks,
        "last_clicked_at": write_moment(person.last_clicked_at),
    }


def _write_verdict(verdict: Verdict) -> dict[str, Any]:
    presence = verdict.presence
    return {
        "attendance": verdict.standing,
        "reason": verdict.reason,
        "unrecognised": verdict.unrecognised or None,
        "first_joined_at": write_moment(presence.first_joined_at) if presence else None,
        "last_left_at": write_moment(presence.last_left_at) if presence else None,
        "seconds": presence.seconds if presence else None,
    }
