"""Reading and writing which secrets the database was made with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from .models import KnownSecret
from .statements import insert_for


def list_known_secrets(session: Session) -> list[KnownSecret]:
    """List them, the one used last for the first time at the front."""
    return list(
        session.scalars(
            select(KnownSecret).order_by(KnownSecret.first_used_at.desc(), KnownSecret.fingerprint)
        )
    )


def add_known_secrets(session: Session, fingerprints: Iterable[str], *, now: datetime) -> None:
    """Add fingerprints; several processes may do so at once."""
    for fingerprint in fingerprints:
        statement = insert_for(session)(KnownSecret).values(
            fingerprint=fingerprint, first_used_at=now
        )
        session.execute(statement.on_conflict_do_nothing(index_elements=[KnownSecret.fingerprint]))


def write_hash_keys(session: Session, fingerprint: str, sealed: bytes) -> None:
    """Store what hashes of a secret are compared with, unless it is stored."""
    session.execute(
        update(KnownSecret)
        .where(KnownSecret.fingerprint == fingerprint, KnownSecret.hash_keys.is_(None))
        .values(hash_keys=sealed)
    )


def forget_hash_keys(session: Session) -> None:
    """Forget what hashes of all secrets are compared with: nobody can read it any more."""
    session.execute(update(KnownSecret).values(hash_keys=None))
