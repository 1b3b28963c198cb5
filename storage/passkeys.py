"""Reading and writing passkeys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .models import Passkey
from .statements import rowcount


def has_passkey(session: Session, organizer_id: int) -> bool:
    statement = select(Passkey.id).where(Passkey.organizer_id == organizer_id).limit(1)
    return session.scalar(statement) is not None


def list_passkeys(session: Session, organizer_id: int) -> list[Passkey]:
    return list(
        session.scalars(
            select(Passkey).where(Passkey.organizer_id == organizer_id).order_by(Passkey.id)
        )
    )


def get_by_credential(session: Session, credential_id: bytes) -> Passkey | None:
    return session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def add_passkey(
    session: Session,
    organizer_id: int,
    *,
    credential_id: bytes,
    public_key: bytes,
    sign_count: int,
    transports: list[str],
    name: str,
    now: datetime,
) -> Passkey:
    passkey = Passkey(
        organizer_id=organizer_id,
        credential_id=credential_id,
        public_key=public_key,
        sign_count=sign_count,
        transports=transports,
        name=name,
        created_at=now,
    )
    session.add(passkey)
    session.flush()
    return passkey


def note_use(
    session: Session, passkey: Passkey, *, before: int, sign_count: int, now: datetime
) -> bool:
    """Store the device's counter; False if the same answer was used meanwhile."""
    changed = session.execute(
        update(Passkey)
        .where(Passkey.id == passkey.id, Passkey.sign_count == before)
        .values(sign_count=sign_count, used_at=now)
    )
    return rowcount(changed) == 1


def delete_passkey(session: Session, organizer_id: int, public_id: str) -> bool:
    """Delete a passkey of an organizer; False if there is none such."""
    changed = session.execute(
        delete(Passkey).where(Passkey.organizer_id == organizer_id, Passkey.public_id == public_id)
    )
    return rowcount(changed) == 1
