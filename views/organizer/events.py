"""The start page: the organization's events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from services.dates import format_period
from services.events import count_seats, get_end, get_state
from services.first_steps import Step, list_first_steps
from services.full_dates import is_closed
from services.members import Member, Permission
from services.texts import localize
from storage import event_lists
from storage.event_lists import EventCounts, ListedEvent

from ..locale import read_locale
from ..numbers import read_number
from ..site import get_site
from .access import bp, needs

PAGE = 50
TABS = ("published", "draft", "ended")


@bp.get("", endpoint="list_events")
@needs(Permission.SEE_EVENTS)
def list_events(member: Member) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        counts = event_lists.count_events(
            session, member.organization_id, event_ids=member.event_ids, now=now
        )
        tab = _choose_tab(counts)
        found = event_lists.list_events(
            session,
            member.organization_id,
            tab,
            event_ids=member.event_ids,
            after=_read_place(request.args.get("after", "")),
            limit=PAGE + 1,
            now=now,
        )
        steps = _list_steps(session, member, counts)
    return render_template(
        "organizer/events.html",
        tab=tab,
        counts=counts,
        steps=steps,
        events=[_view(listed, now) for listed in found[:PAGE]],
        after=_write_place(found[PAGE - 1]) if len(found) > PAGE else "",
    )


def _choose_tab(counts: EventCounts) -> str:
    """Return the list that is asked for; else the drafts, as long as there is nothing else."""
    asked = request.args.get("tab", "")
    if asked in TABS:
        return asked
    return "draft" if counts.draft and not counts.published and not counts.ended else TABS[0]


def _list_steps(session: Session, member: Member, counts: EventCounts) -> list[Mapping[str, Any]]:
    """Return what leads to the first published event, for who may do all of it."""
    if counts.published or counts.ended or not member.may(Permission.MANAGE_ORGANIZATION):
        return []
    has_account = get_site().settings.has_zoom_account
    steps = list_first_steps(
        session, member.organization_id, has_account=has_account, drafts=counts.draft
    )
    return [
        {
            "is_done": step.is_done,
            "is_next": step.is_next,
            "can_wait": step.can_wait,
            **_describe(step.step),
        }
        for step in steps
    ]


def _describe(step: Step) -> dict[str, str]:
    settings = "/organizer/settings"
    title, text, url = {
        Step.ORGANIZATION: (
            _("Enter who you are"),
            _("Pages, mails and the privacy notice name your organization."),
            f"{settings}/organization",
        ),
        Step.ZOOM: (
            _("Connect your Zoom account"),
            _("Paste three values of your Zoom account. They are tested at once."),
            f"{settings}/zoom",
        ),
        Step.NOTICE: (
            _("Read the privacy notice"),
            _("A neutral draft is ready. Write a version of your own if it does not fit."),
            f"{settings}/notice",
        ),
        Step.EVENT: (
            _("Make an event"),
            _("Pick a meeting or webinar from Zoom, or create it from here."),
            "/organizer/events/new",
        ),
        Step.PUBLISH: (
            _("Publish it"),
            _("Open the draft, check its page, and publish it under “Publishing”."),
            "/organizer?tab=draft",
        ),
    }[step]
    return {"title": title, "text": text, "url": url}


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
        return "closed" if is_closed(listed.event) else "full"
    if listed.is_paused:
        return "paused"
    return "parked" if listed.has_parked else "fine"


def _write_place(listed: ListedEvent) -> str:
    event = listed.event
    return f"{event.starts_at.timestamp():.6f}_{event.id}"


def _read_place(text: str) -> tuple[datetime, int] | None:
    at, _, number = text.partition("_")
    event_id = read_number(number)
    try:
        return None if event_id is None else (datetime.fromtimestamp(float(at), UTC), event_id)
    except (ValueError, OverflowError, OSError):
        return None
