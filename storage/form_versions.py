"""Walking through the versions of a form, however many there are."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import FormVersion

AT_ONCE = 20


def walk_versions(session: Session, event_id: int) -> Iterator[FormVersion]:
    """Yield the versions of an event's form, the newest first, a few at once in memory."""
    statement = (
        select(FormVersion)
        .where(FormVersion.event_id == event_id)
        .order_by(FormVersion.number.desc())
        .limit(AT_ONCE)
    )
    versions = list(session.scalars(statement))
    while versions:
        yield from versions
        versions = list(session.scalars(statement.where(FormVersion.number < versions[-1].number)))
