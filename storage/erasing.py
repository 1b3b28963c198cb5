"""Forgetting a person: what of their registration says who it was, in every table that has it."""

from __future__ import annotations

import os
import secrets
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
_OPEN_MAIL = ("queued", "held")


def forget(session: Session, registration: Registration, *, in_place: str) -> None:
    """Put `in_place` where the address was, and nothing where the rest was.

    The row stays, so that numbers stay true; so do the boxes, which are evidence and name nobody.
    """
    key, address = registration.email_key, registration.email
    forget_submissions(session, registration.event_id, registration.id, key, in_place=in_place)
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
    _forget_rows_of_tables(session, registration.event_id, address)
    registration.email, registration.email_key = "", in_place
    registration.family_name = registration.given_name = ""
    registration.source = {}
    session.flush()


def forget_submissions(
    session: Session, event_id: int, registration_id: int, email_key: str, *, in_place: str
) -> None:
    """Forget what was sent: for the registration, with its address, or corrected to it later."""
    is_own = SubmissionRow.registration_id == registration_id
    own_ids = select(SubmissionRow.id).where(is_own).scalar_subquery()
    was_sent = or_(
        is_own,
        SubmissionRow.corrected_by_id.in_(own_ids),
        (SubmissionRow.event_id == event_id) & (SubmissionRow.email_key == email_key),
    )
    is_held = SubmissionRow.outcome == "held"  # nobody is to be registered by it any more
    for (number,) in session.execute(select(SubmissionRow.id).where(was_sent)).all():
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


def _forget_rows_of_tables(session: Session, event_id: int, address: str) -> None:
    """Empty the rows with an address in tables that were sent to an event."""
    tables = select(PeopleImport.id).where(PeopleImport.event_id == event_id).scalar_subquery()
    text = func.lower(cast(PeopleImportRow.cells, String))
    session.execute(
        update(PeopleImportRow)
        .where(
            PeopleImportRow.import_id.in_(tables),
            text.contains(f'"{address.lower()}"', autoescape=True),
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
        return sorted(set((folder / _FILE).read_text().split()))
    except FileNotFoundError:
        return []
