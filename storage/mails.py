"""Reading and writing the log of mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, exists, func, insert, select, update
from sqlalchemy.orm import Session

from .models import Mail
from .statements import rowcount, table_of

_INSERT = insert(table_of(Mail)).returning(Mail.id)
_COUNT = select(
    func.count().filter(Mail.registration_id == bindparam("registration_id")),
    func.count(),
).where(
    Mail.mailbox_key == bindparam("mailbox_key"),
    Mail.created_at > bindparam("since"),
    Mail.name.in_(bindparam("names", expanding=True)),
)


def get_mail(session: Session, mail_id: int) -> Mail | None:
    return session.get(Mail, mail_id)


def add_mail(session: Session, values: Mapping[str, Any]) -> int:
    """Add a mail to be sent and return its id."""
    return session.execute(_INSERT, dict(values)).scalar_one()


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


def drop_queued(session: Session, registration_id: int, *, names: Sequence[str]) -> None:
    """Drop mails that wait; one that is being sent, or may have been sent, goes its way."""
    session.execute(
        update(Mail)
        .where(
            Mail.registration_id == registration_id, Mail.state == "queued", Mail.name.in_(names)
        )
        .values(state="dropped")
    )


def begin_sending(session: Session, mail_id: int) -> bool:
    """Note that a mail is about to be sent, for the first or the last time.

    Returns False for one that was dropped since it was read.
    """
    is_first = Mail.state == "queued"
    changed = session.execute(
        update(Mail)
        .where(Mail.id == mail_id, Mail.state.not_in(("sent", "dropped")))
        .values(state=case((is_first, "sending"), else_="again"))
    )
    return rowcount(changed) == 1


def has_mail(session: Session, registration_id: int, *, name: str) -> bool:
    statement = select(exists().where(Mail.registration_id == registration_id, Mail.name == name))
    return bool(session.scalar(statement))


def list_mails(session: Session, registration_id: int) -> list[Mail]:
    return list(
        session.scalars(
            select(Mail).where(Mail.registration_id == registration_id).order_by(Mail.id)
        )
    )


def count_mails_since(
    session: Session,
    registration_id: int,
    mailbox_key: str,
    since: datetime,
    *,
    names: Sequence[str],
) -> tuple[int, int]:
    """Count mails of these names asked for: about one registration, and to one mailbox at all."""
    values = {
        "registration_id": registration_id,
        "mailbox_key": mailbox_key,
        "since": since,
        "names": names,
    }
    row = session.execute(_COUNT, values).one()
    return row[0], row[1]
