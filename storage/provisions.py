"""Reading and writing what was given to third parties."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session, aliased

from .models import Consent, ProvidedPerson, Provision, Registration


def list_who_agreed(session: Session, event_id: int, question_id: str) -> list[int]:
    """List registered people whose newest word on a box is yes, in the order in which they came."""
    newer = aliased(Consent)
    is_newest = ~exists().where(
        newer.registration_id == Consent.registration_id,
        newer.question_id == Consent.question_id,
        newer.id > Consent.id,
    )
    statement = (
        select(Registration.id)
        .join(Consent, Consent.registration_id == Registration.id)
        .where(
            Registration.event_id == event_id,
            Registration.status == "approved",
            Consent.question_id == question_id,
            Consent.is_given,
            is_newest,
        )
        .order_by(Registration.id)
    )
    return list(session.scalars(statement))


def add_provision(
    session: Session,
    event_id: int,
    *,
    question_id: str,
    recipient: str,
    items: Sequence[str],
    registration_ids: Sequence[int],
    author: str,
    now: datetime,
) -> Provision:
    """Record that data of these people is given to a recipient."""
    provision = Provision(
        event_id=event_id,
        question_id=question_id,
        recipient=recipient,
        items=list(items),
        people=len(registration_ids),
        author=author,
        made_at=now,
    )
    session.add(provision)
    session.flush()
    if registration_ids:
        session.execute(
            insert(ProvidedPerson),
            [{"provision_id": provision.id, "registration_id": key} for key in registration_ids],
        )
    return provision


def list_provisions(session: Session, event_id: int) -> list[Provision]:
    """List an event's provisions, the newest first."""
    return list(
        session.scalars(
            select(Provision).where(Provision.event_id == event_id).order_by(Provision.id.desc())
        )
    )


def list_provisions_of(session: Session, registration_id: int) -> list[Provision]:
    """List what was given of one person, the first one first."""
    return list(
        session.scalars(
            select(Provision)
            .join(ProvidedPerson, ProvidedPerson.provision_id == Provision.id)
            .where(ProvidedPerson.registration_id == registration_id)
            .order_by(Provision.id)
        )
    )
