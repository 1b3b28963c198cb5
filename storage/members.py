"""Reading and writing members of organizations, and the events that they were let into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from . import organizations
from .models import Event, EventAccess, Membership, Organization, Organizer


@dataclass(frozen=True)
class MemberRow:
    """A membership with its person; `event_ids` is None for all events."""

    membership: Membership
    organizer: Organizer
    event_ids: frozenset[int] | None


def list_memberships(session: Session, organizer_id: int) -> list[tuple[Membership, Organization]]:
    """List where an organizer is a member, by the organization's name."""
    rows = session.execute(
        select(Membership, Organization)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.organizer_id == organizer_id)
        .order_by(Organization.name, Organization.id)
    )
    return [(membership, organization) for membership, organization in rows]


def list_members(session: Session, organization_id: int) -> list[MemberRow]:
    """List the members of an organization in the order in which they came."""
    rows = session.execute(
        select(Membership, Organizer)
        .join(Organizer, Organizer.id == Membership.organizer_id)
        .where(Membership.organization_id == organization_id)
        .order_by(Membership.id)
    )
    return [_complete(session, membership, organizer) for membership, organizer in rows]


def get_member(session: Session, organization_id: int, public_id: str) -> MemberRow | None:
    """Return a member of this organization by the membership's public id."""
    row = session.execute(
        select(Membership, Organizer)
        .join(Organizer, Organizer.id == Membership.organizer_id)
        .where(Membership.organization_id == organization_id, Membership.public_id == public_id)
    ).first()
    return None if row is None else _complete(session, row[0], row[1])


def lock_member(session: Session, organization_id: int, public_id: str) -> MemberRow | None:
    """As `get_member`, for a change: the organization's members are changed by one at a time."""
    organizations.lock_organization(session, organization_id)
    return get_member(session, organization_id, public_id)


def get_membership(session: Session, organization_id: int, organizer_id: int) -> Membership | None:
    return session.scalar(
        select(Membership).where(
            Membership.organization_id == organization_id,
            Membership.organizer_id == organizer_id,
        )
    )


def list_event_ids(session: Session, membership: Membership) -> frozenset[int] | None:
    """Return the events that a member was let into; None for all."""
    if membership.has_all_events:
        return None
    ids = session.scalars(
        select(EventAccess.event_id).where(EventAccess.membership_id == membership.id)
    )
    return frozenset(ids)


def add_membership(
    session: Session,
    organization_id: int,
    organizer_id: int,
    *,
    role: str,
    event_ids: Iterable[int] | None,
    now: datetime,
) -> Membership:
    membership = Membership(
        organization_id=organization_id,
        organizer_id=organizer_id,
        role=role,
        has_all_events=event_ids is None,
        created_at=now,
    )
    session.add(membership)
    session.flush()
    set_event_ids(session, membership, event_ids)
    return membership


def set_event_ids(
    session: Session, membership: Membership, event_ids: Iterable[int] | None
) -> None:
    """Let a member into these events of the organization alone; None lets into all of them."""
    membership.has_all_events = event_ids is None
    session.execute(delete(EventAccess).where(EventAccess.membership_id == membership.id))
    own = session.scalars(
        select(Event.id).where(
            Event.organization_id == membership.organization_id, Event.id.in_(event_ids or ())
        )
    )
    session.add_all(EventAccess(membership_id=membership.id, event_id=id_) for id_ in own)
    session.flush()


def delete_membership(session: Session, membership: Membership) -> None:
    session.delete(membership)
    session.flush()


def count_owners(session: Session, organization_id: int, role: str) -> int:
    """Count members with a role over all events; under `lock_member` the count stays so."""
    count = session.scalar(
        select(func.count())
        .select_from(Membership)
        .where(
            Membership.organization_id == organization_id,
            Membership.role == role,
            Membership.has_all_events,
        )
    )
    return count or 0


def has_owner(session: Session, role: str) -> bool:
    """Tell whether anybody is an owner of anything: else the site is new."""
    return session.scalar(select(Membership.id).where(Membership.role == role).limit(1)) is not None


def _complete(session: Session, membership: Membership, organizer: Organizer) -> MemberRow:
    return MemberRow(membership, organizer, list_event_ids(session, membership))
