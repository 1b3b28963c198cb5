"""Whom Zoom had before an event was published here, as keyed hashes of addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from .models import KnownRegistrant
from .statements import Statement, insert_for

_IS_KNOWN = Statement(
    lambda _: select(KnownRegistrant.event_id).where(
        KnownRegistrant.event_id == bindparam("event"),
        KnownRegistrant.email_hash == bindparam("hash"),
    )
)


def replace_hashes(session: Session, event_id: int, hashes: Iterable[str]) -> None:
    session.execute(delete(KnownRegistrant).where(KnownRegistrant.event_id == event_id))
    rows = [{"event_id": event_id, "email_hash": value} for value in sorted(set(hashes))]
    if rows:
        session.execute(insert_for(session)(KnownRegistrant), rows)


def is_known(session: Session, event_id: int, email_hashes: Sequence[str]) -> bool:
    """Tell whether Zoom had an address from the first day, by its hashes with each secret."""
    return any(
        _IS_KNOWN.fetch(session, {"event": event_id, "hash": email_hash})
        for email_hash in email_hashes
    )
