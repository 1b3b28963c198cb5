"""Forgetting a person: what of their registration says who it was, in every table that has it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import String, case, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from .models import (
    Answer,
    Mail,
    PeopleImport,
    PeopleImportRow,
    Registration,
    RegistrationChange,
    SubmissionRow,
)

_FILE = "erased"
_OPEN_MAIL = ("queued", "held", "unknown")

RETURNED = "!"
"""Before a public id it says that the person has come back and was not erased."""


@dataclass(frozen=True)
class Sent:
    """Of a form that says who somebody is: what became of it, and when it came."""

    id: int
    outcome: str
    created_at: datetime


def list_sent(session: Session, registration: Registration) -> list[Sent]:
    """List what was sent: for a registration, with its address, or corrected to it later."""
    is_own = SubmissionRow.registration_id == registration.id
    own_ids = select(SubmissionRow.id).where(is_own).scalar_subquery()
    event_id, key = registration.event_id, registration.email_key
    was_sent = or_(
        is_own,
        SubmissionRow.corrected_by_id.in_(own_ids),
        (SubmissionRow.event_id == event_id) & (SubmissionRow.email_key == key),
    )
    columns = (SubmissionRow.id, SubmissionRow.outcome, SubmissionRow.created_at)
    rows = session.execute(select(*columns).where(was_sent).order_by(SubmissionRow.id))
    return [Sent(*row) for row in rows]


def forget(
    session: Session, registration: Registration, *, in_place: str, sent_ids: Iterable[int]
) -> None:
    """Put `in_place` where the address was, and nothing where the rest was; so in what was sent.

    The row stays, so that numbers stay true; so do the boxes, which are evidence and name nobody.
    """
    key, address = registration.email_key, registration.email
    _forget_submissions(session, sent_ids, in_place=in_place)
    session.execute(delete(Answer).where(Answer.registration_id == registration.id))
    session.execute(
        update(RegistrationChange)
        .where(
            RegistrationChange.registration_id == registration.id,
            RegistrationChange.action != "status",
        )
        .values(before={}, after={})
    )
    session.execute(
        update(Mail)
        .where(Mail.registration_id == registration.id)
        .values(mailbox_key=in_place, error="")
    )
    _forget_rows_of_tables(session, registration.event_id, _list_spellings(address, key))
    registration.email, registration.email_key = "", in_place
    registration.family_name = registration.given_name = ""
    registration.source = {}
    session.flush()


def _forget_submissions(session: Session, ids: Iterable[int], *, in_place: str) -> None:
    """Forget what was sent. What was held is nothing to decide about any more."""
    is_held = SubmissionRow.outcome == "held"  # nobody is to be registered by it any more
    for number in ids:
        # Each digest of its own: two that were equal must stay two, and tell of nothing typed.
        session.execute(
            update(SubmissionRow)
            .where(SubmissionRow.id == number)
            .values(
                email="",
                email_key=in_place,
                family_name="",
                given_name="",
                answers={},
                consents=[],
                source={},
                outcome=case((is_held, "dropped"), else_=SubmissionRow.outcome),
                digest=secrets.token_hex(32),
            )
        )


def drop_mails(session: Session, registration_id: int) -> None:
    """Have no mail go to somebody any more; one that is being sent goes its way."""
    session.execute(
        update(Mail)
        .where(Mail.registration_id == registration_id, Mail.state.in_(_OPEN_MAIL))
        .values(state="dropped")
    )


def _list_spellings(address: str, email_key: str) -> set[str]:
    """Return how an address may stand in a table: a domain beyond ASCII is written in two ways."""
    local, at, domain = email_key.rpartition("@")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode("idna")
    return {address, address.lower(), email_key, f"{local}{at}{domain}"}


def _forget_rows_of_tables(session: Session, event_id: int, addresses: Iterable[str]) -> None:
    """Empty the rows with one of these addresses in tables that were sent to an event."""
    # Both databases keep JSON as Python writes it: beyond ASCII all is escaped, also to `lower`.
    wanted = sorted({json.dumps(address).lower() for address in addresses})
    tables = select(PeopleImport.id).where(PeopleImport.event_id == event_id).scalar_subquery()
    text = func.lower(cast(PeopleImportRow.cells, String))
    session.execute(
        update(PeopleImportRow)
        .where(
            PeopleImportRow.import_id.in_(tables),
            or_(*(text.contains(cell, autoescape=True) for cell in wanted)),
        )
        .values(cells=[], reason="")
        .execution_options(synchronize_session=False)
    )


def note_erased(folder: Path, public_id: str) -> None:
    """Add to the list that is kept apart from the database, for a backup that is put back later.

    It has public ids alone, which say nothing to whoever has no backup.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / _FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{public_id}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def read_erased(folder: Path) -> list[str]:
    """Return the public ids of all who were erased, as far as this machine knows."""
    try:
        lines = (folder / _FILE).read_text().split()
    except FileNotFoundError:
        return []
    erased: set[str] = set()
    for line in lines:
        if line.startswith(RETURNED):
            erased.discard(line.removeprefix(RETURNED))
        else:
            erased.add(line)
    return sorted(erased)
