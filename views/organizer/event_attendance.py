"""Who came, on an event's page: how many by date, and what stands in the way."""

from __future__ import annotations

from typing import Any

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from services import attendance_records, audit
from services.attendance import RecordState
from services.audit import Action
from services.dates import format_period
from services.event_dates import EventDate
from services.members import Member, Permission
from storage import attendance
from storage.models import AttendanceRecord, Event
from zoom_client import ScopeMissing

from ..locale import read_locale
from ..site import get_site
from .access import bp, need_event, needs


@bp.post("/events/<event>/attendance", endpoint="ask_attendance")
@needs(Permission.CHANGE_PEOPLE)
def ask(member: Member, event: str) -> ResponseReturnValue:
    """Have Zoom asked once more for what it has not told, or what leaves somebody unclear."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        asked = [date for date, record in list_told(session, found) if may_ask(record)]
        for date in asked:
            attendance_records.ask(session, found, date, now=now)
        facts: dict[str, audit.Fact] = {"act": "attendance", "count": len(asked)}
        audit.record(session, member, Action.PEOPLE_CHANGED, f"event:{event}", facts=facts, now=now)
    return redirect(f"/organizer/events/{event}#attendance-heading", code=303)


def is_clear(record: AttendanceRecord) -> bool:
    return record.state == RecordState.SETTLED and not record.unrecognised


def may_ask(record: AttendanceRecord) -> bool:
    return not is_clear(record) and record.state != RecordState.UNTOLD


def list_told(session: Session, event: Event) -> list[tuple[EventDate, AttendanceRecord]]:
    """List the dates that Zoom was asked about, as they are now, with what it has told."""
    if not event.records_attendance:
        return []
    dates = {date.id: date for date in attendance_records.list_dates(event)}
    found = (
        (dates.get(record.date_id), record)
        for record in attendance.list_records(session, [event.id])
    )
    return [(date, record) for date, record in found if date and date.ends_at == record.ends_at]


def view_attendance(session: Session, event: Event) -> list[dict[str, Any]]:
    """Say of each date of an event that is over who came; nothing where it is not recorded."""
    return [_view_record(event, date, record) for date, record in list_told(session, event)]


def _view_record(event: Event, date: EventDate, record: AttendanceRecord) -> dict[str, Any]:
    rest = record.expected - record.attended
    is_settled = record.state in (RecordState.SETTLED, RecordState.PARTIAL)
    return {
        "when": (
            format_period(date.starts_at, date.ends_at, event.timezone, read_locale())
            if date.id
            else ""
        ),
        "is_settled": is_settled,
        "attended": record.attended,
        "absent": rest if is_clear(record) else 0,
        "unclear": 0 if is_clear(record) else rest,
        "text": _explain(record),
        "is_refused": record.problem == ScopeMissing.__name__,
        "can_ask": may_ask(record),
    }


def _explain(record: AttendanceRecord) -> str:
    """Say in a sentence why not all is known; empty where it is."""
    if record.problem == ScopeMissing.__name__:
        return _(
            "Zoom does not tell who came, as its app lacks a scope. Add it there: what is missing "
            "is then fetched by itself, or at once if you ask again."
        )
    if record.state == RecordState.SETTLED:
        if not record.unrecognised:
            return ""
        return ngettext(
            "%(num)d person was there whom nobody can tell. It may be somebody who is registered, "
            "so the others are unclear rather than absent.",
            "%(num)d people were there whom nobody can tell. They may be people who are "
            "registered, so the others are unclear rather than absent.",
            record.unrecognised,
        )
    return {
        RecordState.WAITING: _(
            "Zoom has not finished its record. It is asked again by itself, for three days."
        ),
        RecordState.PARTIAL: _(
            "Zoom has not finished its record in three days. Who is in it has attended; the "
            "others are unclear."
        ),
        RecordState.NOT_HELD: _("Zoom knows of nothing that was held then."),
        RecordState.GONE: _("Zoom does not tell who came then, or not any more."),
        RecordState.UNTOLD: _("The privacy notice did not speak of it yet."),
    }[RecordState(record.state)]
