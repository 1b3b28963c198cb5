"""Whether this database is a copy that was restored for practice, beside a site that goes on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from .models import Rehearsal
from .statements import rowcount


def begin(session: Session, *, taken_at: datetime, now: datetime) -> None:
    session.add(Rehearsal(id=1, taken_at=taken_at, began_at=now))


def end(session: Session) -> bool:
    """Let this be a site like any other; False if it is one already."""
    return rowcount(session.execute(delete(Rehearsal))) > 0


def get_rehearsal(session: Session) -> Rehearsal | None:
    return session.scalar(select(Rehearsal))


def is_rehearsal(session: Session) -> bool:
    return bool(session.scalar(select(exists().select_from(Rehearsal))))
