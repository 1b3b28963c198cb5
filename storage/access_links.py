"""Reading and writing links that work once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .models import AccessLink
from .statements import rowcount


def add_link(session: Session, link: AccessLink) -> AccessLink:
    session.add(link)
    session.flush()
    return link


def get_link(session: Session, link_id: int) -> AccessLink | None:
    return session.get(AccessLink, link_id)


def get_live_link(session: Session, public_id: str, *, now: datetime) -> AccessLink | None:
    """Return a link that was not used and has not expired."""
    return session.scalar(
        select(AccessLink).where(
            AccessLink.public_id == public_id,
            AccessLink.used_at.is_(None),
            AccessLink.expires_at > now,
        )
    )


def list_live_links(
    session: Session, organization_id: int, purpose: str, *, now: datetime
) -> list[AccessLink]:
    """List the links of a kind in an organization that still work, the newest first."""
    return list(
        session.scalars(
            select(AccessLink)
            .where(
                AccessLink.organization_id == organization_id,
                AccessLink.purpose == purpose,
                AccessLink.used_at.is_(None),
                AccessLink.expires_at > now,
            )
            .order_by(AccessLink.id.desc())
        )
    )


def use_link(session: Session, link_id: int, *, now: datetime) -> bool:
    """Use a link up; False if somebody else was first."""
    changed = session.execute(
        update(AccessLink)
        .where(AccessLink.id == link_id, AccessLink.used_at.is_(None))
        .values(used_at=now)
    )
    return rowcount(changed) == 1


def end_links(
    session: Session,
    purpose: str,
    *,
    organizer_id: int | None = None,
    organization_id: int | None = None,
    email: str | None = None,
    invited_by: int | None = None,
    now: datetime,
) -> None:
    """End all links of a kind, so that a newer one is the only one."""
    statement = update(AccessLink).where(
        AccessLink.purpose == purpose, AccessLink.used_at.is_(None)
    )
    if organizer_id is not None:
        statement = statement.where(AccessLink.organizer_id == organizer_id)
    if organization_id is not None:
        statement = statement.where(AccessLink.organization_id == organization_id)
    if email is not None:
        statement = statement.where(AccessLink.email == email)
    if invited_by is not None:
        statement = statement.where(AccessLink.invited_by == invited_by)
    session.execute(statement.values(used_at=now))


def forget_old(session: Session, *, expired_before: datetime) -> None:
    """Delete links that ended long ago, with the addresses in them and in their mails."""
    session.execute(delete(AccessLink).where(AccessLink.expires_at < expired_before))
