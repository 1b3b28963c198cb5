"""Reading and writing the log of mails."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from .models import Mail, Registration
from .statements import Statement, rowcount, table_of

_INSERT = Statement(lambda _: insert(table_of(Mail)).returning(Mail.id))


def get_mail(session: Session, mail_id: int) -> Mail | None:
    return session.get(Mail, mail_id)


def add_mail(session: Session, values: Mapping[str, Any]) -> int:
    """Add a mail to be sent and return its id."""
    row = _INSERT.fetch(session, values)
    assert row is not None, "it was inserted"
    return int(row[0])


class Queued(NamedTuple):
    """A mail that waits to be sent, until `due_at` if it was put off."""

    id: int
    registration_id: int
    due_at: datetime | None


def list_queued(
    session: Session, registration_ids: Sequence[int], *, names: Sequence[str]
) -> list[Queued]:
    """List the mails about some registrations that wait."""
    rows = session.execute(
        select(Mail.id, Mail.registration_id, Mail.due_at).where(
            Mail.registration_id.in_(registration_ids),
            Mail.state == "queued",
            Mail.name.in_(names),
        )
    )
    return [Queued(*row) for row in rows]


def is_queued(
    session: Session, registration_id: int, *, name: str, submission_id: int | None
) -> bool:
    """Tell whether a mail about one submission waits to be sent."""
    waiting = exists().where(
        Mail.registration_id == registration_id,
        Mail.state == "queued",
        Mail.name == name,
        Mail.submission_id == submission_id,
    )
    return bool(session.scalar(select(waiting)))


def list_held(session: Session) -> list[Mail]:
    """List the mails that a restore held back."""
    return list(session.scalars(select(Mail).where(Mail.state == "held").order_by(Mail.id)))


def list_dropped(session: Session, event_id: int, *, reason: str, limit: int) -> list[Mail]:
    """List the first mails of an event that were dropped for a reason."""
    # By the people of the event, as mails have an index of theirs.
    of_event = Registration.id == Mail.registration_id, Registration.event_id == event_id
    dropped = Mail.state == "dropped", Mail.error == reason
    statement = select(Mail).join(Registration, and_(*of_event)).where(*dropped)
    return list(session.scalars(statement.order_by(Mail.id).limit(limit)))


def has_later(session: Session, mail: Mail, *, names: Sequence[str], or_dropped_for: str) -> bool:
    """Tell whether a mail of these names was asked for later to the same person and not dropped.

    One that was dropped for the reason given counts too.
    """
    later = exists().where(
        Mail.registration_id == mail.registration_id,
        Mail.id > mail.id,
        Mail.name.in_(names),
        or_(Mail.state != "dropped", Mail.error == or_dropped_for),
    )
    return bool(session.scalar(select(later)))


def drop_queued(session: Session, registration_id: int, *, names: Sequence[str]) -> None:
    """Drop mails that wait; one that is being sent, or may have been sent, goes its way."""
    session.execute(
        update(Mail)
        .where(
            Mail.registration_id == registration_id, Mail.state == "queued", Mail.name.in_(names)
        )
        .values(state="dropped")
    )


def drop_failed(session: Session, registration_id: int, *, names: Sequence[str]) -> list[int]:
    """Drop mails that failed and return their ids."""
    return list(
        session.scalars(
            update(Mail)
            .where(
                Mail.registration_id == registration_id,
                Mail.state == "failed",
                Mail.name.in_(names),
            )
            .values(state="dropped")
            .returning(Mail.id)
        )
    )


def begin_sending(session: Session, mail_id: int) -> bool:
    """Note that a mail is about to be sent, for the first time or for the last.

    Returns False for one that was dropped or held back since it was read.
    """
    is_first = Mail.state == "queued"
    changed = session.execute(
        update(Mail)
        .where(Mail.id == mail_id, Mail.state.not_in(("sent", "dropped", "held")))
        .values(state=case((is_first, "sending"), else_="again"))
    )
    return rowcount(changed) == 1


def list_mails(session: Session, registration_id: int) -> list[Mail]:
    return list(
        session.scalars(
            select(Mail).where(Mail.registration_id == registration_id).order_by(Mail.id)
        )
    )


def list_of_names(
    session: Session, registration_ids: Collection[int], names: Sequence[str]
) -> list[Mail]:
    """List the mails of these names about some registrations."""
    return list(
        session.scalars(
            select(Mail).where(Mail.registration_id.in_(registration_ids), Mail.name.in_(names))
        )
    )


class Counting(NamedTuple):
    """A mail that counts against a limit: when it goes, and whether it was put off until then."""

    event_id: int
    registration_id: int
    goes_at: datetime
    is_put_off: bool


def list_counting(
    session: Session, mailbox_key: str, *, since: datetime, names: Collection[str], but_for: str
) -> list[Counting]:
    """List the mails of these names to one mailbox that went since then, or go yet.

    Not those which ended for the reason `but_for`, nor one that was put off and dropped meanwhile.
    """
    rows = session.execute(
        select(Mail.event_id, Mail.registration_id, Mail.created_at, Mail.due_at).where(
            Mail.mailbox_key == mailbox_key,
            Mail.name.in_(names),
            or_(
                and_(Mail.due_at.is_(None), Mail.created_at > since, Mail.error != but_for),
                and_(Mail.due_at > since, Mail.state != "dropped"),
            ),
        )
    )
    return [Counting(event, person, due or made, bool(due)) for event, person, made, due in rows]


def select_count(names: tuple[str, ...]) -> Select[int]:
    """Build a count of mails of these names: to `mailbox_key`, asked for later than `since`."""
    return select(func.count()).where(
        Mail.mailbox_key == bindparam("mailbox_key"),
        Mail.created_at > bindparam("since", type_=Mail.created_at.type),
        or_(*(Mail.name == name for name in names)),
    )
