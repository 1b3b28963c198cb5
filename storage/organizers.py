"""Reading and writing organizers and the browsers that they are signed in with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .models import Organizer, OrganizerSession
from .statements import rowcount


def get_organizer(session: Session, organizer_id: int) -> Organizer | None:
    return session.get(Organizer, organizer_id)


def get_organizer_by_key(session: Session, email_key: str) -> Organizer | None:
    return session.scalar(select(Organizer).where(Organizer.email_key == email_key))


def get_organizer_by_public_id(session: Session, public_id: str) -> Organizer | None:
    return session.scalar(select(Organizer).where(Organizer.public_id == public_id))


def lock_organizer(session: Session, organizer_id: int) -> Organizer:
    """Return an organizer whose way of signing in is about to change."""
    return session.get_one(
        Organizer, organizer_id, with_for_update={"key_share": True}, populate_existing=True
    )


def add_organizer(
    session: Session, *, email: str, email_key: str, name: str, locale: str, now: datetime
) -> Organizer:
    organizer = Organizer(
        email=email, email_key=email_key, name=name, locale=locale, created_at=now
    )
    session.add(organizer)
    session.flush()
    return organizer


def take_totp_counter(session: Session, organizer_id: int, counter: int) -> bool:
    """Use up a time step of an authenticator app; False if it, or a later one, was used."""
    changed = session.execute(
        update(Organizer)
        .where(Organizer.id == organizer_id, Organizer.totp_counter < counter)
        .values(totp_counter=counter)
    )
    return rowcount(changed) == 1


def get_browser(session: Session, token_hashes: Sequence[str]) -> OrganizerSession | None:
    return session.scalar(
        select(OrganizerSession).where(OrganizerSession.token_hash.in_(token_hashes))
    )


def add_browser(
    session: Session,
    organizer_id: int,
    *,
    token_hash: str,
    organization_id: int | None,
    confined_to: int | None = None,
    device: str,
    proven_at: datetime | None = None,
    now: datetime,
) -> OrganizerSession:
    browser = OrganizerSession(
        organizer_id=organizer_id,
        organization_id=organization_id,
        confined_to=confined_to,
        token_hash=token_hash,
        device=device,
        created_at=now,
        seen_at=now,
        proven_at=proven_at or now,
    )
    session.add(browser)
    session.flush()
    return browser


def list_browsers(
    session: Session, organizer_id: int, *, confined_to: int | None = None
) -> list[OrganizerSession]:
    """List the browsers of an organizer, the one seen last first; or those confined alike."""
    statement = select(OrganizerSession).where(OrganizerSession.organizer_id == organizer_id)
    if confined_to is not None:
        statement = statement.where(OrganizerSession.confined_to == confined_to)
    order = (OrganizerSession.seen_at.desc(), OrganizerSession.id.desc())
    return list(session.scalars(statement.order_by(*order)))


def note_seen(session: Session, session_id: int, *, now: datetime) -> None:
    _change(session, session_id, seen_at=now)


def note_proof(session: Session, session_id: int, *, now: datetime) -> None:
    _change(session, session_id, proven_at=now, seen_at=now)


def choose_organization(session: Session, session_id: int, organization_id: int) -> None:
    _change(session, session_id, organization_id=organization_id)


def end_session(session: Session, session_id: int) -> None:
    session.execute(delete(OrganizerSession).where(OrganizerSession.id == session_id))


def end_browsers(
    session: Session, organizer_id: int, *, but: int | None = None, confined_to: int | None = None
) -> int:
    """End all browsers of an organizer, all but one, or those confined alike; return how many."""
    statement = delete(OrganizerSession).where(OrganizerSession.organizer_id == organizer_id)
    if but is not None:
        statement = statement.where(OrganizerSession.id != but)
    if confined_to is not None:
        statement = statement.where(OrganizerSession.confined_to == confined_to)
    return rowcount(session.execute(statement))


def end_old_browsers(session: Session, *, created_before: datetime, seen_before: datetime) -> None:
    """Delete the sessions that have ended by themselves."""
    for column, moment in (
        (OrganizerSession.created_at, created_before),
        (OrganizerSession.seen_at, seen_before),
    ):
        session.execute(delete(OrganizerSession).where(column < moment))


def _change(session: Session, session_id: int, **values: object) -> None:
    session.execute(
        update(OrganizerSession).where(OrganizerSession.id == session_id).values(**values)
    )
