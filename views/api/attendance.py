"""What is known of who came: clicks on the join button. Zoom itself is not asked."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from services.api_keys import Caller, Scope
from services.audit import Action, Fact
from services.registration_values import write_moment
from storage import registration_pages, registrations

from ..site import get_site
from .access import answer_json, bp, need_event, needs, read_query
from .paging import read_paging
from .registrations import read_narrowing, record_list

UNCLEAR = "unclear"
"""A click leads to Zoom's door; whether somebody went through it only Zoom knows."""


@bp.get("/events/<slug>/attendance", endpoint="list_attendance")
@needs(Scope.REGISTRATIONS_READ)
def list_all(caller: Caller, slug: str) -> ResponseReturnValue:
    query = read_query("limit", "cursor", "status")
    paging, wanted = read_paging(query, caller.organization_id), read_narrowing(query)
    with get_site().database.read() as session:
        event = need_event(session, caller, slug)
        page = registration_pages.list_ids(
            session, event.id, wanted, after=paging.after, limit=paging.limit
        )
        items = [
            {
                "registration": person.public_id,
                "status": person.status,
                "attendance": UNCLEAR,
                "join_clicks": person.join_clicks,
                "last_clicked_at": write_moment(person.last_clicked_at),
            }
            for person in registrations.list_registrations(session, page.ids)
        ]
        about = f"event:{event.public_id}"
    facts: dict[str, Fact] = {"count": len(items), "kind": "attendance"}
    record_list(caller, Action.PEOPLE_LISTED, about, facts)
    return answer_json({"items": items, "next": paging.write_next(page.next_after)})
