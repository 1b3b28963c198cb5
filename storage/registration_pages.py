"""Pages of an event's registrations in the order in which they came, for whoever reads them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from .models import Registration, ZoomRegistrant

MOST_LOOKED_AT = 2_000
"""So many rows are looked at for one page, where no index finds who fits: what nobody fits costs no
more than what many do. A status and an address are found by an index."""

_STATUSES = ("pending", "waitlisted", "approved", "denied", "cancelled")


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
    is_plain = not wanted.delivery and wanted.updated_since is None
    most = limit + 1 if is_plain else MOST_LOOKED_AT
    looked_at = last = 0
    ids: list[int] = []
    for last, is_erased, updated_at, delivered in session.execute(
        _select(event_id, wanted, after, most)
    ):
        looked_at += 1
        is_old = wanted.updated_since is not None and updated_at < wanted.updated_since
        if is_erased or is_old or (wanted.delivery and delivered != wanted.delivery):
            continue
        ids.append(last)
        if len(ids) > limit:
            return IdPage(ids[:limit], ids[limit - 1])
    return IdPage(ids, last if looked_at == most else None)


def _select(event_id: int, wanted: Narrowing, after: int, most: int) -> Any:
    """Read the next ones, by number.

    They are indexed by event, status and number: SQLite would else sort all of an event for each
    page. So the next of each status are found first, and the next of those.
    """
    nearest = select(Registration.id).where(
        Registration.event_id == event_id, Registration.id > after
    )
    if wanted.email_key:
        parts = [nearest.where(Registration.email_key == wanted.email_key)]
        if wanted.status:
            parts = [parts[0].where(Registration.status == wanted.status)]
    else:
        statuses = [wanted.status] if wanted.status else _STATUSES
        parts = [nearest.where(Registration.status == status) for status in statuses]
    parts = [part.order_by(Registration.id).limit(most) for part in parts]
    found = union_all(*(select(part.subquery().c.id) for part in parts)).subquery()
    return (
        select(
            Registration.id,
            Registration.email == "",
            Registration.updated_at,
            func.coalesce(ZoomRegistrant.delivery, ""),
        )
        .outerjoin(ZoomRegistrant, ZoomRegistrant.registration_id == Registration.id)
        .where(Registration.id.in_(select(found.c.id).order_by(found.c.id).limit(most)))
        .order_by(Registration.id)
    )
