"""The start page: the organization's events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from services.dates import format_period
from services.events import count_seats, get_end, get_state
from services.members import Member, Permission
from services.texts import localize
from storage import event_lists
from storage.event_lists import ListedEvent

from ..locale import read_locale
from ..site import get_site
from .access import bp, needs

PAGE = 50
TABS = ("published", "draft", "ended")


@bp.get("", endpoint="list_events")
@needs(Permission.SEE_EVENTS)
def list_events(member: Member) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    tab = request.args.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    with site.database.read() as session:
        counts = event_lists.count_events(
            session, member.organization_id, event_ids=member.event_ids, now=now
        )
        found = event_lists.list_events(
            session,
            member.organization_id,
            tab,
            event_ids=member.event_ids,
            after=_read_place(request.args.get("after", "")),
            limit=PAGE + 1,
            now=now,
        )
    return render_template(
        "organizer/events.html",
        tab=tab,
        counts=counts,
        events=[_view(listed, now) for listed in found[:PAGE]],
        after=_write_place(found[PAGE - 1]) if len(found) > PAGE else "",
    )


def _view(listed: ListedEvent, now: datetime) -> dict[str, Any]:
    event, locale = listed.event, read_locale()
    return {
        "public_id": event.public_id,
        "title": localize(event.title, locale) or event.slug,
        "when": format_period(event.starts_at, get_end(event), event.timezone, locale),
        "starts_at": event.starts_at,
        "kind": event.kind,
        "seats_taken": listed.seats_taken,
        "capacity": event.capacity,
        "pending": listed.pending,
        "delivery": _name_delivery(listed),
        "state": get_state(event, count_seats(event, listed.seats_taken), now),
    }


def _name_delivery(listed: ListedEvent) -> str:
    if listed.event.closed_by_zoom:
        return "closed"
    if listed.is_paused:
        return "paused"
    return "parked" if listed.has_parked else "fine"


def _write_place(listed: ListedEvent) -> str:
    event = listed.event
    return f"{event.starts_at.timestamp():.6f}_{event.id}"


def _read_place(text: str) -> tuple[datetime, int] | None:
    at, _, number = text.partition("_")
    try:
        return datetime.fromtimestamp(float(at), UTC), int(number)
    except (ValueError, OverflowError, OSError):
        return None
