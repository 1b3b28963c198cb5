"""Pages of an event's registrations in the order in which they came, for whoever reads them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import Registration, ZoomRegistrant

MOST_LOOKED_AT = 2_000
"""So many rows are looked at for one page: what nobody fits costs no more than what many do."""


@dataclass(frozen=True)
class Narrowing:
    """Whom a list has; what is empty does not narrow it."""

    status: str = ""
    delivery: str = ""
    email_key: str = ""
    updated_since: datetime | None = None


@dataclass(frozen=True)
class IdPage:
    """The ids of one page, and after which to go on; None after the last page.

    It may have fewer than were asked for, even none, and be followed by others.
    """

    ids: list[int]
    next_after: int | None


def list_ids(
    session: Session, event_id: int, wanted: Narrowing, *, after: int, limit: int
) -> IdPage:
    """List ids by number: who comes meanwhile stands at the end, and nobody is there twice.

    Who was erased is not there any more.
    """
    delivery = func.coalesce(ZoomRegistrant.delivery, "")
    statement = (
        select(Registration.id, Registration.updated_at, delivery)
        .outerjoin(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
        .where(Registration.event_id == event_id, Registration.id > after)
        .where(Registration.email != "")
        .order_by(Registration.id)
        .limit(MOST_LOOKED_AT)
    )
    if wanted.status:
        statement = statement.where(Registration.status == wanted.status)
    if wanted.email_key:
        statement = statement.where(Registration.email_key == wanted.email_key)
    ids: list[int] = []
    last = looked_at = 0
    for last, updated_at, delivered in session.execute(statement):
        looked_at += 1
        if wanted.updated_since is not None and updated_at < wanted.updated_since:
            continue
        if wanted.delivery and delivered != wanted.delivery:
            continue
        ids.append(last)
        if len(ids) > limit:
            return IdPage(ids[:limit], ids[limit - 1])
    return IdPage(ids, last if looked_at == MOST_LOOKED_AT else None)
