"""Single registrations as organizers see them; the event was found within their organization."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Registration


def get_person(session: Session, event_id: int, public_id: str) -> Registration | None:
    return session.scalar(
        select(Registration).where(
            Registration.event_id == event_id, Registration.public_id == public_id
        )
    )


def list_people(session: Session, event_id: int, public_ids: list[str]) -> list[Registration]:
    """List those of an event who are named, in the order in which they came."""
    return list(
        session.scalars(
            select(Registration)
            .where(Registration.event_id == event_id, Registration.public_id.in_(public_ids))
            .order_by(Registration.id)
        )
    )
