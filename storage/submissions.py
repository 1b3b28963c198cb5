"""Reading and writing submissions: every accepted POST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import instance_dict

from .events import EventHead, with_head
from .models import Event, Registration, SubmissionRow
from .registrations import has_standing
from .statements import Statement, attach, rowcount, table_of

_BY_NONCE = select(SubmissionRow).where(
    SubmissionRow.event_id == bindparam("event_id"),
    SubmissionRow.nonce == bindparam("nonce"),
    SubmissionRow.digest == bindparam("digest"),
)

_SUBMISSION, _REGISTRATION = table_of(SubmissionRow).c, table_of(Registration).c
_COLUMNS, _REGISTRATION_COLUMNS = tuple(_SUBMISSION), tuple(_REGISTRATION)
_NAMES = tuple(column.name for column in _COLUMNS)
_REGISTRATION_NAMES = tuple(column.name for column in _REGISTRATION_COLUMNS)
_OTHER = table_of(SubmissionRow).alias("other")
_HAS_RIVAL = exists().where(
    _OTHER.c.registration_id == _SUBMISSION.registration_id,
    _OTHER.c.digest != _SUBMISSION.digest,
    _OTHER.c.corrected_by_id.is_(None),
    _OTHER.c.id != _SUBMISSION.id,
)
_RECEIPT = Statement(
    lambda _: with_head(
        select(*_COLUMNS, *_REGISTRATION_COLUMNS, _HAS_RIVAL)
        .select_from(table_of(SubmissionRow))
        .outerjoin(table_of(Registration), _REGISTRATION.id == _SUBMISSION.registration_id)
        .join(table_of(Event), table_of(Event).c.id == _SUBMISSION.event_id)
        .where(_SUBMISSION.public_id == bindparam("which"))
    )
)
_BY_PUBLIC_ID = select(SubmissionRow).where(SubmissionRow.public_id == bindparam("public_id"))
OF_RELEASED = ("outcome", "registration_id", "code_version", "code_issued_at")
"""What changes in a row that was held back and is released."""
# Written out, as the index of what is held is found by its very words.
_HELD: ColumnElement[str] = literal_column("'held'")
MADE_REGISTRATION = or_(SubmissionRow.outcome == "created", SubmissionRow.outcome == "superseded")
"""Of one submission of each registration, whether or not it still speaks for it."""
_ASKED = "mail_proof"
_IS_REPEAT = (SubmissionRow.outcome == "repeat", SubmissionRow.corrected_by_id.is_(None))
_AT_ONCE = 1000
"""So many values stand in one statement."""
_IS_REGISTERED = has_standing(SubmissionRow.event_id, SubmissionRow.email_key)


def insert_once(statement: Any) -> Any:
    """Have an INSERT of a submission do nothing where the same POST has one already."""
    return statement.on_conflict_do_nothing(
        index_elements=[SubmissionRow.event_id, SubmissionRow.nonce, SubmissionRow.digest]
    ).returning(SubmissionRow.id, SubmissionRow.public_id)


def insert_or_release(statement: Any) -> Any:
    """Have an INSERT of a submission release what the same POST has, if nothing has come of it yet.

    Where something has, it does nothing. A row that is released keeps its receipt.
    """
    return statement.on_conflict_do_update(
        index_elements=[SubmissionRow.event_id, SubmissionRow.nonce, SubmissionRow.digest],
        set_={name: statement.excluded[name] for name in OF_RELEASED},
        where=SubmissionRow.registration_id.is_(None),
    ).returning(SubmissionRow.id, SubmissionRow.public_id)


_INSERT_ONCE = Statement(lambda insert: insert_once(insert(table_of(SubmissionRow))))
_INSERT_OR_RELEASE = Statement(lambda insert: insert_or_release(insert(table_of(SubmissionRow))))
_REGISTERED = Statement(
    lambda _: select(table_of(SubmissionRow).c.id).where(
        SubmissionRow.event_id == bindparam("event_id"),
        SubmissionRow.nonce == bindparam("nonce"),
        SubmissionRow.digest == bindparam("digest"),
        SubmissionRow.registration_id.is_not(None),
    )
)
_RIVAL = Statement(
    lambda _: (
        select(table_of(SubmissionRow).c.id)
        .where(
            SubmissionRow.registration_id == bindparam("registration_id"),
            SubmissionRow.digest != bindparam("digest"),
            SubmissionRow.corrected_by_id.is_(None),
            SubmissionRow.id != bindparam("own_id"),
        )
        .limit(1)
    )
)


def get_submission(session: Session, submission_id: int) -> SubmissionRow | None:
    return session.get(SubmissionRow, submission_id)


def get_submission_by_public_id(session: Session, public_id: str) -> SubmissionRow | None:
    return session.scalar(_BY_PUBLIC_ID, {"public_id": public_id})


class Receipt(NamedTuple):
    """What a receipt is about; a submission that is held has no registration.

    `has_rival`: somebody has sent other values for the registration that the submission made.
    """

    submission: SubmissionRow
    registration: Registration | None
    event: EventHead
    has_rival: bool


def get_receipt(session: Session, public_id: str) -> Receipt | None:
    """Read all of it at once; the session must know neither of the rows yet."""
    row = _RECEIPT.fetch(session, {"which": public_id})
    if row is None:
        return None
    registration_at, rival_at = len(_COLUMNS), len(_COLUMNS) + len(_REGISTRATION_COLUMNS)
    submission = attach(session, SubmissionRow, dict(zip(_NAMES, row, strict=False)))
    registration = None
    if submission.registration_id is not None:
        values = dict(zip(_REGISTRATION_NAMES, row[registration_at:rival_at], strict=True))
        registration = attach(session, Registration, values)
    return Receipt(submission, registration, EventHead(*row[rival_at + 1 :]), row[rival_at])


def compose_receipt(row: SubmissionRow, event: EventHead) -> Receipt | None:
    """As `get_receipt`, without reading; None if no registration was made with the submission."""
    registration = instance_dict(row).get("registration")
    return registration and Receipt(row, registration, event, has_rival=False)


def get_submission_by_nonce(
    session: Session, event_id: int, nonce: str, digest: str
) -> SubmissionRow | None:
    return session.scalar(_BY_NONCE, {"event_id": event_id, "nonce": nonce, "digest": digest})


def find_registered(
    session: Session, event_id: int, nonce: str, digest: str
) -> SubmissionRow | None:
    """As `get_submission_by_nonce`, if somebody is registered by it; for many who are not."""
    values = {"event_id": event_id, "nonce": nonce, "digest": digest}
    row = _REGISTERED.fetch_early(session, values)
    return None if row is None else session.get(SubmissionRow, row[0])


def list_submissions_by_number(session: Session, number: str) -> list[SubmissionRow]:
    """List what has this receipt number: nearly always one, as it is a short hash."""
    return list(
        session.scalars(
            select(SubmissionRow).where(SubmissionRow.number == number).order_by(SubmissionRow.id)
        )
    )


def get_creating_submission(session: Session, registration_id: int) -> SubmissionRow | None:
    """Return the submission that made a registration, whether or not it still speaks for it."""
    return session.scalar(
        select(SubmissionRow)
        .where(SubmissionRow.registration_id == registration_id, MADE_REGISTRATION)
        .order_by(SubmissionRow.id)
        .limit(1)
    )


def list_corrections_before(session: Session, row: SubmissionRow) -> list[datetime]:
    """Return when the corrected submissions were sent that lead to this one, the first at last."""
    times, last = [], row.id
    columns = select(SubmissionRow.id, SubmissionRow.created_at)
    while (
        previous := session.execute(
            columns.where(SubmissionRow.corrected_by_id == last).limit(1)
        ).first()
    ) is not None:
        last = previous.id
        times.append(previous.created_at)
    return times


def map_corrected(session: Session, registration_ids: Sequence[int]) -> dict[int, int]:
    """Return the registrations that right addresses have, by those that the wrong ones had."""
    right = aliased(SubmissionRow)
    # One that was superseded and not corrected itself is of somebody who took over a later form.
    has_heir = or_(
        right.outcome == "created",
        and_(right.outcome == "superseded", right.corrected_by_id.is_(None)),
    )
    rows = session.execute(
        select(SubmissionRow.registration_id, right.registration_id)
        .join(right, right.id == SubmissionRow.corrected_by_id)
        .where(
            SubmissionRow.registration_id.in_(registration_ids),
            SubmissionRow.outcome == "superseded",
            has_heir,
        )
    )
    return {wrong: new for wrong, new in rows if wrong is not None and new is not None}


def insert_submission(session: Session, values: Mapping[str, Any]) -> SubmissionRow | None:
    """Insert a submission; return None if the same POST has one already."""
    row = _INSERT_ONCE.fetch(session, values)
    return None if row is None else attach(session, SubmissionRow, {"id": row[0], **values})


def insert_or_release_submission(
    session: Session, values: Mapping[str, Any]
) -> SubmissionRow | None:
    """As `insert_submission`, but the same POST's row is released if it was held back till now."""
    row = _INSERT_OR_RELEASE.fetch(session, values)
    return None if row is None else load_stored(session, values, *row)


def load_stored(
    session: Session, values: Mapping[str, Any], submission_id: int, public_id: str
) -> SubmissionRow:
    """Have the session know what was stored: the values as they are, or a row that was released."""
    if public_id == values["public_id"]:
        return attach(session, SubmissionRow, {"id": submission_id, **values})
    row = session.get(SubmissionRow, submission_id, populate_existing=True)
    assert row is not None, "the statement has changed it"
    return row


def lock_submission(session: Session, submission_id: int) -> SubmissionRow | None:
    """Read a submission so that nobody else changes it before this transaction ends."""
    return session.scalar(
        select(SubmissionRow)
        .where(SubmissionRow.id == submission_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def has_twin(session: Session, row: SubmissionRow, *, since: datetime) -> bool:
    """Tell whether the same person has sent the same values in another POST since then."""
    statement = select(
        exists().where(
            SubmissionRow.registration_id == row.registration_id,
            SubmissionRow.digest == row.digest,
            SubmissionRow.id != row.id,
            SubmissionRow.created_at >= since,
        )
    )
    return bool(session.scalar(statement))


def has_rival(session: Session, row: SubmissionRow) -> bool:
    """As `Receipt.has_rival`, at this moment."""
    values = {"registration_id": row.registration_id, "digest": row.digest, "own_id": row.id}
    return _RIVAL.fetch(session, values) is not None


def count_held(session: Session, event_id: int) -> int:
    return sum(count_held_by_reason(session, event_id).values())


def count_held_by_reason(session: Session, event_id: int) -> dict[str, int]:
    """Count what is kept aside, by why."""
    rows = session.execute(
        select(SubmissionRow.held_for, func.count())
        .where(SubmissionRow.event_id == event_id, SubmissionRow.outcome == _HELD)
        .group_by(SubmissionRow.held_for)
    )
    return {reason: count for reason, count in rows}


def count_undecided(
    session: Session, event_id: int, *, since: datetime, patience: timedelta, now: datetime
) -> tuple[int, int]:
    """Count what waits for an organizer, and how much of it does so only since a moment.

    Who was sent a mail with a button can let themselves in, and waits once `patience` is over. Who
    is registered by now, by another submission or otherwise, waits for nobody.
    """
    waits = (SubmissionRow.event_id == event_id, SubmissionRow.outcome == _HELD)
    is_asked, came_at = SubmissionRow.held_for == _ASKED, SubmissionRow.created_at
    is_new = or_(came_at >= since, and_(is_asked, came_at >= since - patience))
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(case((is_new, 1), else_=0)), 0)).where(
            *waits, or_(not_(is_asked), came_at <= now - patience), not_(_IS_REGISTERED)
        )
    ).one()
    return row[0], row[1]


def get_next_asked(session: Session, event_id: int, *, after: datetime) -> datetime | None:
    """Return when the first of those came after a moment who can still press a mail's button."""
    return session.scalar(
        select(func.min(SubmissionRow.created_at)).where(
            SubmissionRow.event_id == event_id,
            SubmissionRow.outcome == _HELD,
            SubmissionRow.held_for == _ASKED,
            SubmissionRow.created_at > after,
        )
    )


def list_held(
    session: Session,
    event_id: int,
    *,
    reasons: Sequence[str] = (),
    email_key: str | None = None,
    until: int | None = None,
    limit: int | None = None,
) -> list[SubmissionRow]:
    """List what was kept aside, the oldest first: for some reasons or one address, up to an id."""
    held = select(SubmissionRow).where(
        SubmissionRow.event_id == event_id, SubmissionRow.outcome == _HELD
    )
    if reasons:
        held = held.where(SubmissionRow.held_for.in_(reasons))
    if email_key is not None:
        held = held.where(SubmissionRow.email_key == email_key)
    if until is not None:
        held = held.where(SubmissionRow.id <= until)
    return list(session.scalars(held.order_by(SubmissionRow.id).limit(limit)))


def list_ids_of_registered(session: Session, ids: Sequence[int]) -> set[int]:
    """List those of some submissions whose address is registered by now."""
    found = select(SubmissionRow.id).where(SubmissionRow.id.in_(ids), _IS_REGISTERED)
    return set(session.scalars(found))


def list_all_repeats(session: Session, registration_id: int) -> list[SubmissionRow]:
    """As `list_repeats`, all of them, the first one first."""
    return list(session.scalars(_select_repeats(registration_id).order_by(SubmissionRow.id)))


def list_repeats_of(session: Session, registration_ids: Sequence[int]) -> list[SubmissionRow]:
    """As `list_all_repeats`, of several registrations."""
    found: list[SubmissionRow] = []
    for start in range(0, len(registration_ids), _AT_ONCE):
        some = SubmissionRow.registration_id.in_(registration_ids[start : start + _AT_ONCE])
        found += session.scalars(select(SubmissionRow).where(some, *_IS_REPEAT))
    return sorted(found, key=lambda row: row.id)


def list_repeats(session: Session, registration_id: int, *, limit: int) -> list[SubmissionRow]:
    """List the latest submissions that changed nothing because the address was known.

    One whose sender has said that another address was meant is nobody's here to read.
    """
    latest = _select_repeats(registration_id).order_by(SubmissionRow.id.desc())
    return list(session.scalars(latest.limit(limit)))


def _select_repeats(registration_id: int) -> Select[SubmissionRow]:
    is_about = SubmissionRow.registration_id == registration_id
    return select(SubmissionRow).where(is_about, *_IS_REPEAT)


def count_try(session: Session, submission_id: int, *, limit: int) -> bool:
    """Count one try of a code; return False, counting nothing, when all are used up."""
    changed = session.execute(
        update(SubmissionRow)
        .where(SubmissionRow.id == submission_id, SubmissionRow.code_tries < limit)
        .values(code_tries=SubmissionRow.code_tries + 1)
    )
    return rowcount(changed) == 1


def issue_code(submission: SubmissionRow, *, now: datetime) -> None:
    """Start a new code for a receipt; the one before it stops working."""
    submission.code_version = submission.code_version + 1
    submission.code_issued_at = now
    submission.code_tries = 0
