"""Reading and writing the links that people are invited with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import false, select
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


def list_links(
    session: Session, event_id: int, codes: Collection[str], *, and_unowned: bool = False
) -> list[tuple[InvitationLink, Registration | None]]:
    """List links of an event by their codes, the newest first, each with the person whose it is.

    `and_unowned` adds those that are no registered person's, of whom there may be very many.
    """
    unowned = InvitationLink.registration_id.is_(None) if and_unowned else false()
    rows = session.execute(
        select(InvitationLink, Registration)
        .outerjoin(Registration, Registration.id == InvitationLink.registration_id)
        .where(InvitationLink.event_id == event_id, InvitationLink.code.in_(codes) | unowned)
        .order_by(InvitationLink.id.desc())
    )
    return [(link, person) for link, person in rows]


def has_links_of_people(session: Session, event_id: int) -> bool:
    links = select(InvitationLink.id).where(
        InvitationLink.event_id == event_id, InvitationLink.registration_id.is_not(None)
    )
    return session.scalar(links.limit(1)) is not None


def list_codes(session: Session, registration_ids: Sequence[int]) -> dict[int, str]:
    """Return the codes of the links of some registered people, by their ids."""
    rows = session.execute(
        select(InvitationLink.registration_id, InvitationLink.code).where(
            InvitationLink.registration_id.in_(registration_ids)
        )
    )
    return {key: code for key, code in rows if key is not None}
