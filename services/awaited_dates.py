"""Dates on which a place came free, and dates for which somebody waits whom Zoom refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from storage import zoom_registrants
from storage.models import Event


def find_freed(session: Session, about: Mapping[str, Any]) -> set[str] | None:
    """Return the dates on which a sign tells of a place, None for all.

    Whoever left them to be added anew has them again, or not.
    """
    dates, moved = about.get("dates"), about.get("tried")
    if dates is None:
        return None
    registrant = zoom_registrants.get_zoom_registrant(session, moved) if moved else None
    if registrant is None or registrant.join_url is None:
        return {*dates}
    return {*dates} - {*(registrant.occurrence_ids or ())}


def keep_awaited(
    session: Session, event: Event, refused: Sequence[Sequence[str]]
) -> Sequence[Sequence[str]]:
    """Forget refusals for several dates that nobody wants together any more; return the others.

    Any of these dates may have places, and nobody who has left it will tell. The caller holds the
    event's row.
    """
    left = {frozenset(dates) for dates in refused if len(dates) > 1}
    for wanted in zoom_registrants.list_awaited_dates(session, event.id) if left else ():
        left = {dates for dates in left if not dates.issubset(wanted)}
    if not left:
        return refused
    event.refused_dates = [
        dates for dates in event.refused_dates or () if frozenset(dates) not in left
    ]
    return [dates for dates in refused if frozenset(dates) not in left]
