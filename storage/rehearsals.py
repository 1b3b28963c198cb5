"""Whether this database is a copy that was restored for practice, beside a site that goes on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .models import Rehearsal
from .statements import Statement, rowcount

_REHEARSAL = Statement(lambda _: select(Rehearsal.id))


def begin(session: Session, *, taken_at: datetime, now: datetime) -> None:
    session.add(Rehearsal(id=1, taken_at=taken_at, began_at=now))


def end(session: Session) -> bool:
    """Let this be a site like any other; False if it is one already."""
    return rowcount(session.execute(delete(Rehearsal))) > 0


def get_rehearsal(session: Session) -> Rehearsal | None:
    return session.scalar(select(Rehearsal))


def is_rehearsal(session: Session) -> bool:
    return _REHEARSAL.fetch(session, {}) is not None
