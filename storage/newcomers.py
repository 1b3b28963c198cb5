"""Storing a new registration with all that follows from it.

On SQLite a statement costs microseconds, and each kind of row has one. On PostgreSQL each is a
round trip, during which everybody else at the event waits for its seats: there all of them are one
statement, whose parts hand each other the ids that the database gives.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Select,
    TableValuedAlias,
    bindparam,
    case,
    column,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningUpdate

from . import events, job_requests, mails, registrations, submissions, webhooks, zoom_registrants
from .arrivals import Expected, ExpectedKind
from .direct_sessions import begins_late
from .job_requests import MAIL, ZOOM_SYNC
from .models import Answer, Consent, EventCounter, Mail, Registration, SubmissionRow, ZoomRegistrant
from .models.base import UtcDateTime
from .session import may_pass
from .statements import Statement, attach, is_postgresql, table_of

log = logging.getLogger(__name__)

Values = dict[str, Any]
Columns = dict[str, ColumnElement[Any]]

_OF_BOTH = (
    *("event_id", "form_version_id", "email", "email_key", "family_name", "given_name"),
    *("locale", "surface", "source", "created_at"),
)
_ANSWER = ("question_id", "position", "value", "other")
_CONSENT = ("question_id", "kind", "label", "notice_hash", "is_given")
_OF_ALL_CONSENTS = ("form_version_id", "locale", "surface")


class Refusal(Enum):
    """Why nobody was registered."""

    FULL = "full"
    KNOWN = "known"


@dataclass(frozen=True)
class Newcomer:
    """What a registration begins with: rows by column, without the ids that the database gives.

    The submission's row has what the others have in common with it; `registration`, `answers`,
    `consents` and `mail` have what is theirs. Where `syncs`, Zoom is to be told. `mail_at` is when
    the mail is due, unless it is never to go. `message` is what other systems are told, where any
    wants to.
    """

    registration: Values
    submission: Values
    answers: Sequence[Values]
    consents: Sequence[Values]
    syncs: bool
    mail: Values
    mail_at: datetime | None
    message: Values | None

    @property
    def event_id(self) -> int:
        return int(self.submission["event_id"])

    @cached_property
    def person(self) -> Values:
        """The registration's row, with what the submission has in common with it."""
        return self.registration | {name: self.submission[name] for name in _OF_BOTH}

    @property
    def counter(self) -> str:
        return f"status:{self.registration['status']}"


def add(
    session: Session,
    newcomer: Newcomer,
    *,
    takes_seat: bool,
    held: SubmissionRow | None = None,
) -> SubmissionRow | Refusal:
    """Store a newcomer, with a row of the submission unless it is `held` back till now.

    The same POST may have been held back without the caller knowing: its row is released too.
    A seat that was taken for an address which is known is given back.
    """
    if takes_seat and held is None and is_postgresql(session):
        added = _add_by_one_statement(session, newcomer)
    else:
        added = _add_in_steps(session, newcomer, takes_seat=takes_seat, held=held)
    if added is Refusal.KNOWN and takes_seat:
        events.give_back_seat(session, newcomer.event_id)
    return added


def add_alone(session: Session, newcomer: Newcomer, expected: Expected) -> SubmissionRow | None:
    """Store a newcomer who takes a seat by a statement that is the whole transaction.

    None where the session has begun one, or nothing was stored: the address is known, no seat is
    left, or something is not as expected. Which it is, is for a transaction to find out.
    Side effects: the session's transaction is over (`is_committed`).
    """
    # What laid out the newcomer may have had to read the form.
    if not begins_late(session):
        return None
    session.before_commit()
    statement, values = _prepare(newcomer, expected)
    try:
        found = statement.fetch_early(session, values)
    except DBAPIError as error:
        if may_pass(error):
            raise
        if getattr(error.orig, "sqlstate", "") != _TAKES_ALL_BACK:
            # Perhaps what is broken, or locked, is needed for what is expected alone.
            log.warning("somebody new is registered in several steps", exc_info=True)
        return None
    if found is None:
        return None
    session.is_committed = True
    return _attach(session, newcomer, *found)


def _add_in_steps(
    session: Session, newcomer: Newcomer, *, takes_seat: bool, held: SubmissionRow | None
) -> SubmissionRow | Refusal:
    shared, event_id = newcomer.submission, newcomer.event_id
    now = shared["created_at"]
    if takes_seat and not events.take_seat(session, event_id):
        return Refusal.FULL
    registration_id = registrations.insert_registration(session, newcomer.person)
    if registration_id is None:
        return Refusal.KNOWN
    about = {"registration_id": registration_id}
    values = newcomer.submission | about
    if held is None:
        stored = submissions.insert_or_release_submission(session, values)
        assert stored is not None, "what has come of the same POST made its address known"
        row = _hand_over(session, newcomer, stored)
    else:
        row = held
        for name in submissions.OF_RELEASED:
            setattr(row, name, values[name])
    events.add_counters(session, event_id, {newcomer.counter: 1})
    registrations.add_answers(session, registration_id, newcomer.answers)
    about["submission_id"] = row.id
    same = {name: shared[name] for name in _OF_ALL_CONSENTS} | about | {"recorded_at": now}
    registrations.add_consents(session, [{**box, **same} for box in newcomer.consents])
    if newcomer.syncs:
        zoom_registrants.ensure_zoom_registrant(session, registration_id, event_id, now=now)
        job_requests.enqueue_about(
            session, ZOOM_SYNC, registration_id, event_id=event_id, run_at=now, now=now
        )
    if newcomer.message is not None:
        webhooks.add_messages(session, newcomer.message, registration_id)
    mail_id = mails.add_mail(session, newcomer.mail | about)
    if newcomer.mail_at is not None:
        job_requests.enqueue_about(
            session, MAIL, mail_id, event_id=event_id, run_at=newcomer.mail_at, now=now
        )
    return row


def _add_by_one_statement(session: Session, newcomer: Newcomer) -> SubmissionRow | Refusal:
    statement, values = _prepare(newcomer)
    found = statement.fetch(session, values)
    if found is None:
        return Refusal.FULL
    registration_id, submission_id = found[:2]
    if registration_id is None:
        return Refusal.KNOWN
    assert submission_id is not None, "what has come of the same POST made its address known"
    return _attach(session, newcomer, *found)


def _prepare(newcomer: Newcomer, expected: Expected | None = None) -> tuple[Statement, Values]:
    """Return the statement that stores a newcomer, and its parameters."""
    rows: dict[type[DeclarativeBase], Values] = {
        Registration: newcomer.registration,
        SubmissionRow: newcomer.submission,
        Mail: newcomer.mail,
    }
    registration, submission, mail = (tuple(row) for row in rows.values())
    shape = _Shape(
        *(registration, submission, mail, newcomer.syncs),
        mails=newcomer.mail_at is not None,
        tells=newcomer.message is not None,
        expects=expected.kind if expected else None,
    )
    values = {
        "taken_at": newcomer.event_id,
        "counter": newcomer.counter,
        "answers": newcomer.answers,
        "consents": newcomer.consents,
        "mail_at": newcomer.mail_at,
        **(newcomer.message or {}),
    }
    for model, row in rows.items():
        values |= {_name(model, column): value for column, value in row.items()}
    if expected:
        values |= expected.bind()
    return _write(shape), values


def _attach(
    session: Session,
    newcomer: Newcomer,
    registration_id: int,
    submission_id: int,
    public_id: str,
    *_: Any,
) -> SubmissionRow:
    """Have the session know the rows that a statement has stored."""
    values = newcomer.submission | {"registration_id": registration_id}
    row = submissions.load_stored(session, values, submission_id, public_id)
    return _hand_over(session, newcomer, row)


def _hand_over(session: Session, newcomer: Newcomer, row: SubmissionRow) -> SubmissionRow:
    """Have the registration at hand for whoever has the submission."""
    values = {"id": row.registration_id, **newcomer.person}
    set_committed_value(row, "registration", attach(session, Registration, values))
    return row


_NEW_AT_ZOOM: Columns = {name: literal(value) for name, value in zoom_registrants.NEW.items()}


class _Shape(NamedTuple):
    """The columns of a newcomer's rows, what work there is, and what is expected."""

    registration: tuple[str, ...]
    submission: tuple[str, ...]
    mail: tuple[str, ...]
    syncs: bool
    mails: bool
    tells: bool
    expects: ExpectedKind | None


@cache
def _write(shape: _Shape) -> Statement:
    """Write the statement for newcomers of one shape.

    It has no row where no seat is left, and one without ids for an address that is known. If it
    expects something it has no row then either, nor where that is not so, and takes no seat; and it
    fails as a whole where an address becomes known while it waits for its seat. The seat comes
    first, so that the registration's id is drawn under its lock.
    """
    return Statement(partial(_build, shape))


def _build(shape: _Shape, insert: Any) -> Select[Any]:
    put = partial(_insert_from, insert)
    row, mail_at = (
        _bind(SubmissionRow, shape.submission),
        bindparam("mail_at", type_=UtcDateTime),
    )
    event_id, now = row["event_id"], row["created_at"]
    seat = _take_seat(row, shape.expects).cte("seat")
    own = _bind(Registration, shape.registration) | {name: row[name] for name in _OF_BOTH}
    person = registrations.insert_once(put(Registration, own, seat)).cte("person")
    about: Columns = {"registration_id": person.c.id}
    # What is released is read again, for which one that is all by itself leaves no transaction.
    put_once = submissions.insert_once if shape.expects else submissions.insert_or_release
    receipt = put_once(put(SubmissionRow, row | about, person)).cte("receipt")
    counted: Columns = {"event_id": event_id, "name": bindparam("counter"), "value": literal(1)}
    parts = [events.add_to_counter(put(EventCounter, counted, person))]
    answers = _unfold("answers", Answer, _ANSWER)
    parts.append(put(Answer, about | dict(answers.c), person.join(answers, true())))
    about |= {"submission_id": receipt.c.id}
    boxes = _unfold("consents", Consent, _CONSENT)
    same = {name: row[name] for name in _OF_ALL_CONSENTS} | about | {"recorded_at": now}
    both = receipt.join(person, true())
    parts.append(put(Consent, same | dict(boxes.c), both.join(boxes, true())))
    jobs = []
    if shape.syncs:
        at_zoom: Columns = {"registration_id": person.c.id, "event_id": event_id}
        parts.append(put(ZoomRegistrant, at_zoom | {"updated_at": now} | _NEW_AT_ZOOM, person))
        jobs.append(job_requests.select_job(ZOOM_SYNC, person, event_id, run_at=now, now=now))
    if shape.tells:
        told = webhooks.bind_happening() | {"registration_id": person.c.id}
        parts.append(webhooks.insert_messages(insert, told, person))
    mail = put(Mail, _bind(Mail, shape.mail) | about, both)
    if shape.mails:
        sent = mail.returning(Mail.id).cte("sent")
        jobs.append(job_requests.select_job(MAIL, sent, event_id, run_at=mail_at, now=now))
    else:
        parts.append(mail)
    if jobs:
        parts.append(job_requests.upsert_from(insert, union_all(*jobs)))
    found = seat.outerjoin(person, true()).outerjoin(receipt, true())
    woken = func.pg_notify(job_requests.CHANNEL, "")
    checks = [_take_all_back(seat.c.event_id, unless=receipt.c.id)] if shape.expects else []
    return (
        select(person.c.id, receipt.c.id, receipt.c.public_id, woken, *checks)
        .select_from(found)
        .add_cte(*(part.cte(f"part_{number}") for number, part in enumerate(parts)))
    )


def _take_seat(row: Columns, expects: ExpectedKind | None) -> ReturningUpdate[int]:
    if expects is None:
        taken = events.take_a_seat()
    else:
        is_known = registrations.is_known(row["event_id"], row["email_key"])
        taken = events.take_a_seat(*expects.list_of_event())
        taken = taken.where(~is_known, *expects.list_others())
    return taken.returning(EventCounter.event_id)


_TAKES_ALL_BACK = "22012"
"""PostgreSQL's code for a division by zero, whose message shows nothing that was typed."""


def _take_all_back(number: ColumnElement[int], *, unless: ColumnElement[int]) -> ColumnElement[int]:
    """Have a statement fail where it could not store what it was to store."""
    return case((unless.is_(None), literal(1) // (number - number)))


def _insert_from(
    insert: Any, model: type[DeclarativeBase], columns: Columns, source: FromClause
) -> Any:
    """Write an INSERT of a row for each one of the source."""
    rows = select(*columns.values()).select_from(source)
    return insert(table_of(model)).from_select(list(columns), rows, include_defaults=False)


def _bind(model: type[DeclarativeBase], names: Iterable[str]) -> Columns:
    columns = table_of(model).c
    return {name: bindparam(_name(model, name), type_=columns[name].type) for name in names}


@cache
def _name(model: type[DeclarativeBase], column: str) -> str:
    return f"{model.__tablename__}_{column}"


def _unfold(name: str, model: type[DeclarativeBase], names: Iterable[str]) -> TableValuedAlias:
    """Make rows of a parameter that holds a list of them."""
    columns = (column(part, table_of(model).c[part].type) for part in names)
    rows = func.json_to_recordset(bindparam(name, type_=JSON))
    return rows.table_valued(*columns, name=name).render_derived(with_types=True)
