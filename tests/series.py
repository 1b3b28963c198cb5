"""A series at Zoom with an event of ours whose people choose dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.event_dates import EventDate, write_dates
from services.questions import DATES, Answer
from storage.models import Event
from tests import factories

COUNT = 3


def add_series_to_zoom(
    zoom: Any, *, starts_at: datetime, kind: str = "meeting", **settings: Any
) -> dict[str, Any]:
    """Have Zoom hold one date a day, as publishing leaves it there."""
    meeting: dict[str, Any] = zoom.add_meeting(
        kind,
        topic="Spring course",
        type=9 if kind == "webinar" else 8,
        start_time=starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration=60,
        timezone="Asia/Tokyo",
        recurrence={"type": 1, "end_times": COUNT},
        settings={
            "approval_type": 1,
            "registration_type": 3,
            "registrants_confirmation_email": False,
            "registrants_email_notification": False,
        }
        | settings,
    )
    return meeting


def make_series(session: Session, zoom: Any, *, now: datetime, **members: Any) -> Event:
    """Add an event of three dates, a week from now, of which people choose."""
    starts_at = now + timedelta(days=7)
    kind = members.setdefault("kind", "meeting")
    meeting = add_series_to_zoom(zoom, starts_at=starts_at, kind=kind)
    dates = [
        EventDate(row["occurrence_id"], datetime.fromisoformat(row["start_time"]), row["duration"])
        for row in meeting["occurrences"]
    ]
    values = {
        "zoom_id": meeting["id"],
        "starts_at": starts_at,
        "dates": write_dates(dates),
        "date_choice": "choose",
    }
    return factories.make_event(session, now=now, **values | members)


def list_ids(event: Event) -> list[str]:
    return [row["id"] for row in event.dates]


def choose(event: Event, numbers: Sequence[int]) -> dict[str, Answer]:
    """Answer the small form, and choose dates by their number, the first one being 0."""
    ids = list_ids(event)
    answers = {"company": Answer(("例株式会社",))}
    return answers | ({DATES: Answer(tuple(ids[n] for n in numbers))} if numbers else {})
