"""Reading and writing mails to organizers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from .models import OrganizerMail


def add_mail(
    session: Session,
    *,
    name: str,
    email: str,
    access_link_id: int | None,
    endpoint_id: int | None = None,
    event_id: int | None = None,
    locale: str,
    message_id: str,
    now: datetime,
) -> int:
    mail = OrganizerMail(
        name=name,
        email=email,
        access_link_id=access_link_id,
        endpoint_id=endpoint_id,
        event_id=event_id,
        locale=locale,
        message_id=message_id,
        created_at=now,
    )
    session.add(mail)
    session.flush()
    return mail.id


def get_mail(session: Session, mail_id: int) -> OrganizerMail | None:
    return session.get(OrganizerMail, mail_id)


def get_last_mail(session: Session, *, name: str, email: str) -> OrganizerMail | None:
    """Return the newest mail of a kind to an address."""
    return session.scalar(
        select(OrganizerMail)
        .where(OrganizerMail.name == name, OrganizerMail.email == email)
        .order_by(OrganizerMail.id.desc())
        .limit(1)
    )


def get_last_told(
    session: Session, name: str, *, event_id: int, until: datetime
) -> datetime | None:
    """Return when mails of a kind about an event were last asked for that were not dropped."""
    return session.scalar(
        select(func.max(OrganizerMail.created_at)).where(
            OrganizerMail.event_id == event_id,
            OrganizerMail.name == name,
            OrganizerMail.created_at <= until,
            OrganizerMail.state != "dropped",
        )
    )


def has_newer(session: Session, mail: OrganizerMail) -> bool:
    """Tell whether another mail of the same kind about the same event goes to the same address.

    One that was dropped does not: there was nothing to tell at its time.
    """
    newer = exists().where(
        OrganizerMail.event_id == mail.event_id,
        OrganizerMail.name == mail.name,
        OrganizerMail.email == mail.email,
        OrganizerMail.id > mail.id,
        OrganizerMail.state != "dropped",
    )
    return bool(session.scalar(select(newer)))
