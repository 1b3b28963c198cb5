"""Reading and writing the links that people are invited with."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import InvitationLink, Registration


def add_link(session: Session, link: InvitationLink) -> InvitationLink:
    session.add(link)
    session.flush()
    return link


def get_link(session: Session, event_id: int, code: str) -> InvitationLink | None:
    return session.scalar(
        select(InvitationLink).where(
            InvitationLink.event_id == event_id, InvitationLink.code == code
        )
    )


def lock_link(session: Session, link: InvitationLink) -> InvitationLink:
    """Return a link as it is now, for a change that others may make too."""
    return session.get_one(InvitationLink, link.id, with_for_update=True, populate_existing=True)


def get_link_of(session: Session, registration_id: int) -> InvitationLink | None:
    """Return the link of a registered person, if one was made."""
    return session.scalar(
        select(InvitationLink).where(InvitationLink.registration_id == registration_id)
    )


def list_links(session: Session, event_id: int) -> list[tuple[InvitationLink, Registration | None]]:
    """List an event's links, the newest first, each with the person whose it is."""
    rows = session.execute(
        select(InvitationLink, Registration)
        .outerjoin(Registration, Registration.id == InvitationLink.registration_id)
        .where(InvitationLink.event_id == event_id)
        .order_by(InvitationLink.id.desc())
    )
    return [(link, person) for link, person in rows]
