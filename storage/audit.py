"""Adding to the audit log and reading it; nothing here changes or removes an entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .models import AuditEntry, AuditHead, Membership, Organizer
from .statements import insert_for, table_of

CHUNK = 500


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are asked for; what is empty does not narrow."""

    actor: str = ""
    action: str = ""
    object: str = ""
    since: datetime | None = None
    until: datetime | None = None


def lock_head(session: Session, chain: int) -> tuple[int, str] | None:
    """Lock a chain against new entries; return number and hash of its last one."""
    if session.get(AuditHead, chain) is None:
        # Of two that begin a chain at once, the second waits here for the first.
        session.execute(
            insert_for(session)(table_of(AuditHead))
            .values(chain=chain, number=0, hash="")
            .on_conflict_do_nothing()
        )
    head = session.get_one(AuditHead, chain, with_for_update=True, populate_existing=True)
    return (head.number, head.hash) if head.number else None


def get_head(session: Session, chain: int) -> tuple[int, str] | None:
    head = session.get(AuditHead, chain, populate_existing=True)
    return None if head is None else (head.number, head.hash)


def add_entry(session: Session, entry: AuditEntry) -> None:
    """Append an entry to a chain whose head is locked, and move the head."""
    session.add(entry)
    head = session.get_one(AuditHead, entry.chain)
    head.number, head.hash = entry.number, entry.hash
    session.flush()


def list_entries(
    session: Session,
    chain: int,
    wanted: AuditFilter,
    *,
    before: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """List entries, the newest first; `before` is the number of the last one of the page before."""
    statement = _select(chain, wanted).order_by(AuditEntry.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditEntry.number < before)
    return list(session.scalars(statement))


def list_chains(session: Session) -> list[int]:
    """List what has entries, or had."""
    heads, found = select(AuditHead.chain), select(AuditEntry.chain)
    return sorted({*session.scalars(heads), *session.scalars(found.distinct())})


def stream_entries(
    session: Session, chain: int, wanted: AuditFilter, *, after: int = 0
) -> Iterator[AuditEntry]:
    """Yield entries after a number, the oldest first, read in chunks."""
    last = after
    while chunk := read_chunk(session, chain, wanted, after=last):
        yield from chunk
        last = chunk[-1].number


def read_chunk(
    session: Session, chain: int, wanted: AuditFilter, *, after: int
) -> list[AuditEntry]:
    """Return the next entries after a number, the oldest first."""
    statement = _select(chain, wanted).where(AuditEntry.number > after)
    return list(session.scalars(statement.order_by(AuditEntry.number).limit(CHUNK)))


def has_entry(session: Session, chain: int, action: str, object_: str) -> bool:
    """Tell whether something was ever done to a thing."""
    statement = select(AuditEntry.id).where(
        AuditEntry.chain == chain, AuditEntry.action == action, AuditEntry.object == object_
    )
    return session.scalar(statement.limit(1)) is not None


def list_actors(session: Session, public_ids: set[str]) -> dict[str, str]:
    """Return the addresses of organizers who are still known, by public id."""
    rows = session.execute(
        select(Organizer.public_id, Organizer.email).where(Organizer.public_id.in_(public_ids))
    )
    return {public_id: email for public_id, email in rows}


def list_organizers(session: Session, organization_id: int) -> list[tuple[str, str]]:
    """List public id and address of the members of an organization, as a filter offers them."""
    rows = session.execute(
        select(Organizer.public_id, Organizer.email)
        .join(Membership, Membership.organizer_id == Organizer.id)
        .where(Membership.organization_id == organization_id)
        .order_by(Organizer.email)
    )
    return [(public_id, email) for public_id, email in rows]


def _select(chain: int, wanted: AuditFilter) -> Select[AuditEntry]:
    statement = select(AuditEntry).where(AuditEntry.chain == chain)
    if wanted.actor:
        statement = statement.where(AuditEntry.actor == wanted.actor)
    if wanted.action:
        statement = statement.where(AuditEntry.action == wanted.action)
    if wanted.object:
        statement = statement.where(AuditEntry.object == wanted.object)
    if wanted.since:
        statement = statement.where(AuditEntry.at >= wanted.since)
    if wanted.until:
        statement = statement.where(AuditEntry.at < wanted.until)
    return statement
