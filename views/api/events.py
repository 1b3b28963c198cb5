"""Events: anybody may ask for one that is published, a program for all of its organization."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services.api_keys import Caller, Scope
from services.chosen_dates import list_closed, read_closed
from services.event_dates import read_dates, takes_choice
from services.events import EventState, choose_link_policy, count_seats, get_end, get_state
from services.registration_values import write_moment
from storage import event_lists, events, organizations
from storage.models import Event, Organization

from ..site import get_site
from .access import Problem, answer_json, bp, find_caller, needs, read_query
from .cross_origin import let_pages_read
from .paging import read_paging


@bp.get("/events", endpoint="list_events")
@needs(Scope.EVENTS_READ)
def list_all(caller: Caller) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    paging = read_paging(read_query("limit", "cursor"), caller.organization_id)
    with site.database.read() as session:
        rows = event_lists.list_in_order(
            session, caller.organization_id, after=paging.after, limit=paging.limit + 1
        )
        shown = rows[: paging.limit]
        closed = list_closed(session, (event for event, _ in shown), now=now)
        owner = organizations.need_organization(session, caller.organization_id)
        items = [
            _write_own(owner, event, taken, closed.get(event.id, {}), now) for event, taken in shown
        ]
    last = shown[-1][0].id if len(rows) > paging.limit else None
    return answer_json({"items": items, "next": paging.write_next(last)})


@bp.get("/events/<slug>", endpoint="read_event")
def read_one(slug: str) -> ResponseReturnValue:
    """Answer a program of the organization with all of an event, anybody else with what is open."""
    read_query()
    site = get_site()
    now = site.read_clock()
    caller = find_caller(Scope.EVENTS_READ)
    with site.database.read() as session:
        event = find_event(session, slug, caller)
        taken = events.get_counter(session, event.id, events.SEATS)
        closed = read_closed(session, event, now=now) if event.dates else {}
        if caller:
            owner = organizations.need_organization(session, caller.organization_id)
            written = _write_own(owner, event, taken, closed, now)
        else:
            written = _write_open(event, taken, closed, now)
        response = answer_json(written)
        return let_pages_read(session, response, event, caller)


def find_event(session: Session, slug: str, caller: Caller | None) -> Event:
    """Return an event that may be seen, or answer 404: to anybody those that are published."""
    if caller is not None:
        event = event_lists.get_event_by_slug(session, caller.organization_id, slug)
    else:
        event = events.get_event_by_slug(session, slug)
        if event is not None and event.status == EventState.DRAFT:
            event = None
    if event is None:
        raise Problem(404)
    return event


def _write_open(
    event: Event, taken: int, closed: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    site = get_site()
    return {
        "slug": event.slug,
        "kind": event.kind,
        "state": get_state(event, count_seats(event, taken), now),
        "title": event.title,
        "lead": event.lead,
        "description": event.description,
        "starts_at": write_moment(event.starts_at),
        "ends_at": write_moment(get_end(event)),
        "timezone": event.timezone,
        "language": event.default_locale,
        "opens_at": write_moment(event.opens_at),
        "closes_at": write_moment(event.closes_at),
        "dates": [
            {
                "id": date.id,
                "starts_at": write_moment(date.starts_at),
                "ends_at": write_moment(date.ends_at),
                "closed": closed.get(date.id),
            }
            for date in read_dates(event)
        ],
        "people_choose_dates": takes_choice(event),
        "page": site.links.event(event.slug),
        "form": f"{site.settings.site_url}/api/v1/events/{event.slug}/form",
    }


def _write_own(
    owner: Organization, event: Event, taken: int, closed: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    return _write_open(event, taken, closed, now) | {
        "id": event.public_id,
        "capacity": event.capacity,
        "seats_taken": taken,
        "has_waitlist": event.has_waitlist,
        "approval": event.approval,
        "link_policy": choose_link_policy(event, owner),
        "created_at": write_moment(event.created_at),
        "updated_at": write_moment(event.updated_at),
    }
