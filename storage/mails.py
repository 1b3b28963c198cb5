"""Reading and writing the log of mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import Mail


def get_mail(session: Session, mail_id: int) -> Mail | None:
    return session.get(Mail, mail_id)


def add_mail(session: Session, mail: Mail) -> Mail:
    session.add(mail)
    session.flush()
    return mail


def list_queued(session: Session, registration_id: int, *, names: Sequence[str]) -> list[Mail]:
    return list(
        session.scalars(
            select(Mail).where(
                Mail.registration_id == registration_id,
                Mail.state == "queued",
                Mail.name.in_(names),
            )
        )
    )


def list_mails(session: Session, registration_id: int) -> list[Mail]:
    return list(
        session.scalars(
            select(Mail).where(Mail.registration_id == registration_id).order_by(Mail.id)
        )
    )


def count_mails_since(
    session: Session, email_key: str, since: datetime, *, names: Sequence[str], event_id: int | None
) -> int:
    """Count mails of these names asked for one address, at one event or at all."""
    statement = select(func.count()).where(
        Mail.email_key == email_key, Mail.created_at > since, Mail.name.in_(names)
    )
    if event_id is not None:
        statement = statement.where(Mail.event_id == event_id)
    return session.scalar(statement) or 0
