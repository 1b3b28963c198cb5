"""Reading and writing registrations, their answers, consents and history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Tuple,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, aliased

from .models import Answer, Consent, Registration, RegistrationChange
from .registration_index import mark
from .statements import Statement, table_of

_BY_PUBLIC_ID = select(Registration).where(Registration.public_id == bindparam("public_id"))
_LOCKED = (
    select(Registration)
    .where(Registration.id == bindparam("registration_id"))
    # Rows that name it are inserted meanwhile: under a stronger lock two could wait in a circle.
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_INSERT_ANSWER = Statement(lambda _: insert(table_of(Answer)))
_INSERT_CONSENT = Statement(lambda _: insert(table_of(Consent)))


def insert_once(statement: Any) -> Any:
    """Have an INSERT of a registration do nothing where the event has one of this address."""
    return statement.on_conflict_do_nothing(
        index_elements=[Registration.event_id, Registration.email_key]
    ).returning(Registration.id)


def is_known(event_id: Any, email_key: Any) -> ColumnElement[bool]:
    """Have a statement ask whether the event has a registration of this address."""
    key = tuple_(event_id, email_key)
    nearest = _select_nearest(key, tuple_(*_UNIQUE) == key)
    return func.coalesce(nearest.scalar_subquery(), false())


def has_standing(event_id: Any, email_key: Any) -> ColumnElement[bool]:
    """As `is_known`, of a registration that was neither cancelled nor turned down."""
    key = tuple_(event_id, email_key)
    stands = Registration.status.in_(("pending", "waitlisted", "approved"))
    nearest = _select_nearest(key, and_(tuple_(*_UNIQUE) == key, stands))
    return func.coalesce(nearest.scalar_subquery(), false())


_UNIQUE = (Registration.event_id, Registration.email_key)


def _select_nearest(key: Tuple, *wanted: Any) -> Select[Any]:
    """Select of the first registration in the order of the unique index, from a key on.

    So no other index will do: of a table that it has not analysed yet PostgreSQL may take one of
    events, and read all who are registered.
    """
    of_all = select(*wanted).where(tuple_(*_UNIQUE) >= key)
    return of_all.order_by(*_UNIQUE).limit(literal_column("1"))


def _select_by_email_key() -> Select[Registration]:
    key = tuple_(*(bindparam(column.key, type_=column.type) for column in _UNIQUE))
    found = aliased(Registration, _select_nearest(key, Registration).subquery("nearest"))
    return select(found).where(tuple_(found.event_id, found.email_key) == key)


_BY_EMAIL_KEY = _select_by_email_key()
_INSERT_ONCE = Statement(lambda insert_or: insert_once(insert_or(table_of(Registration))))


def get_registration(session: Session, registration_id: int) -> Registration | None:
    return session.get(Registration, registration_id)


def get_registration_by_public_id(session: Session, public_id: str) -> Registration | None:
    return session.scalar(_BY_PUBLIC_ID, {"public_id": public_id})


def get_registration_by_email_key(
    session: Session, event_id: int, email_key: str
) -> Registration | None:
    return session.scalar(_BY_EMAIL_KEY, {"event_id": event_id, "email_key": email_key})


def list_registrations(session: Session, ids: Sequence[int]) -> list[Registration]:
    """List registrations by their ids, in the order in which they came."""
    return list(
        session.scalars(
            select(Registration).where(Registration.id.in_(ids)).order_by(Registration.id)
        )
    )


def list_registrations_by_email_key(session: Session, email_key: str) -> list[Registration]:
    """List one person's registrations at all events."""
    return list(
        session.scalars(
            select(Registration)
            .where(Registration.email_key == email_key)
            .order_by(Registration.id)
        )
    )


def lock_registration(session: Session, registration_id: int) -> Registration | None:
    """Read a registration so that nobody else changes it before this transaction ends."""
    return session.scalar(_LOCKED, {"registration_id": registration_id})


def insert_registration(session: Session, values: Mapping[str, Any]) -> int | None:
    """Insert a registration and return its id; None if the event has one of this address."""
    row = _INSERT_ONCE.fetch(session, values)
    return None if row is None else int(row[0])


def count_join_click(session: Session, registration: Registration, *, now: datetime) -> None:
    session.execute(
        update(Registration)
        .where(Registration.id == registration.id)
        .values(join_clicks=Registration.join_clicks + 1, last_clicked_at=now)
        .execution_options(synchronize_session=False)
    )


def list_first_waitlisted(
    session: Session,
    event_id: int,
    *,
    dates: Collection[str] | None,
    full: Collection[str] = (),
    refused: Sequence[Collection[str]] = (),
    limit: int,
) -> list[Registration]:
    """List who moves up first.

    Args:
        dates: only who chose one of them; None where nobody chooses.
        full: nobody who chose one of them.
        refused: nobody who chose all of one of these.
    """
    statement = select(Registration).where(
        Registration.event_id == event_id, Registration.status == "waitlisted"
    )
    if dates is not None:
        statement = statement.where(chose_one_of(dates))
    if full:
        statement = statement.where(~chose_one_of(full))
    for together in refused:
        statement = statement.where(not_(and_(*(chose_one_of([date]) for date in together))))
    return list(
        session.scalars(
            statement.order_by(Registration.queued_at, Registration.id)
            .limit(limit)
            .execution_options(populate_existing=True)
        )
    )


def chose_one_of(dates: Collection[str]) -> ColumnElement[bool]:
    """Build the condition that a registration has one of these dates of a series among its own."""
    return exists().where(
        Answer.registration_id == Registration.id,
        Answer.question_id == "event_dates",
        Answer.value.in_(dates),
    )


def has_registrations(session: Session, event_id: int) -> bool:
    """Tell whether anybody ever registered for an event, in whatever state."""
    return bool(session.scalar(select(exists().where(Registration.event_id == event_id))))


def count_waitlisted_before(
    session: Session, registration: Registration, *, dates: Collection[str] | None = None
) -> int:
    """Count who waits before somebody; `dates` as in `list_first_waitlisted`."""
    statement = select(func.count()).where(
        Registration.event_id == registration.event_id,
        Registration.status == "waitlisted",
        or_(
            Registration.queued_at < registration.queued_at,
            and_(
                Registration.queued_at == registration.queued_at, Registration.id < registration.id
            ),
        ),
    )
    if dates is not None:
        statement = statement.where(chose_one_of(dates))
    return session.scalar(statement) or 0


def replace_answers(
    session: Session, registration_id: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Store answers; each row has question_id, position, value, other."""
    session.execute(delete(Answer).where(Answer.registration_id == registration_id))
    add_answers(session, registration_id, rows)


def add_answers(session: Session, registration_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    _INSERT_ANSWER.insert_all(
        session, [{"registration_id": registration_id, **row} for row in rows]
    )


def list_answers(session: Session, registration_id: int) -> list[Answer]:
    return list(
        session.scalars(
            select(Answer)
            .where(Answer.registration_id == registration_id)
            .order_by(Answer.question_id, Answer.position)
        )
    )


def add_consents(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    _INSERT_CONSENT.insert_all(session, rows)


def list_consents(session: Session, registration_id: int) -> list[Consent]:
    """List the evidence of one person, oldest first; the newest of a question holds."""
    return list(
        session.scalars(
            select(Consent).where(Consent.registration_id == registration_id).order_by(Consent.id)
        )
    )


def add_change(
    session: Session,
    registration_id: int,
    *,
    actor: str,
    action: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: datetime,
) -> None:
    session.add(
        RegistrationChange(
            registration_id=registration_id,
            actor=actor,
            action=action,
            before=dict(before),
            after=dict(after),
            changed_at=now,
        )
    )
    mark(session, registration_id)


def erase_changes(session: Session, registration_id: int, *, action: str) -> None:
    """Forget what changes of a kind were about; that they were made stays."""
    session.execute(
        update(RegistrationChange)
        .where(
            RegistrationChange.registration_id == registration_id,
            RegistrationChange.action == action,
        )
        .values(before={}, after={})
    )
    mark(session, registration_id)


def count_changes(session: Session, registration_id: int) -> int:
    statement = select(func.count()).where(RegistrationChange.registration_id == registration_id)
    return session.scalar(statement) or 0


def find_last_change(session: Session) -> int:
    """Return the id of the last change of anybody; 0 where nobody was ever changed."""
    return session.scalar(select(func.max(RegistrationChange.id))) or 0


def list_changes(
    session: Session, registration_id: int, *, after: int = 0
) -> list[RegistrationChange]:
    """List somebody's changes, the first one first; those after a change's id."""
    return list(
        session.scalars(
            select(RegistrationChange)
            .where(
                RegistrationChange.registration_id == registration_id,
                RegistrationChange.id > after,
            )
            .order_by(RegistrationChange.id)
        )
    )
