"""One accepted POST of a registration form, as a value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from storage import events, registrations, submissions
from storage.events import AnyEvent
from storage.models import SubmissionRow
from storage.models.base import new_public_id

from .codes import make_receipt_number
from .questions import Answer, ConsentKind, answers_from_json, answers_to_json


class Surface(StrEnum):
    """Where the form was shown."""

    PAGE = "page"
    EMBED = "embed"
    API = "api"
    """Nowhere here: a program has asked, and sent what it was told."""
    BY_HAND = "hand"
    """Nowhere: an organizer has entered what they were told otherwise."""


class Doubt(StrEnum):
    """Why a submission was kept aside."""

    TRAP = "trap"
    """It has something in the field that people do not see."""
    MAIL_PROOF = "mail_proof"
    """Its browser did no work; the button in the mail that was sent has not been pressed."""
    MAIL_FAILED = "mail_fail"
    """So it is, and that mail could not be sent."""
    NO_MAIL = "no_mail"
    """So it is, but too many such mails were asked for to that address already."""
    ERASING = "erasing"
    """Somebody with its address was being erased, and then the event took nobody any more."""


@dataclass(frozen=True)
class ConsentGiven:
    """The state of one box, ticked or not, with the label as it was shown."""

    question_id: str
    kind: ConsentKind
    label: str
    is_given: bool


@dataclass(frozen=True)
class Submission:
    """What one person sent.

    `email` is what mails go to, `email_key` the same address lower-cased with an ASCII domain: two
    submissions are of one person when their keys are equal. `source` has the campaign tags as
    `services.sources` cleans them. `is_suspicious` says that the trap was filled, which keeps it
    aside for the organizer.
    """

    email: str
    email_key: str
    family_name: str
    given_name: str
    answers: Mapping[str, Answer]
    consents: tuple[ConsentGiven, ...]
    locale: str
    form_version_id: int
    nonce: str
    surface: Surface = Surface.PAGE
    source: Mapping[str, str] = field(default_factory=dict)
    is_suspicious: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 over all that was typed: tells a second tab's click from a second person."""
        typed = [
            self.email,
            self.family_name,
            self.given_name,
            answers_to_json(self.answers),
            [(consent.question_id, consent.is_given) for consent in self.consents],
        ]
        canonical = json.dumps(typed, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class FormChanged(Exception):
    """The event has another form by now than the one that was filled in."""


def has_senders(session: Session, event_id: int) -> bool:
    """Tell whether anybody has sent an event's form, registered or kept aside.

    Side effects: the locks of the event and its seats, so that whoever takes one just now is seen.
    """
    events.lock_event(session, event_id)
    events.lock_seats(session, event_id)
    is_one_kept = submissions.count_held(session, event_id) > 0
    return is_one_kept or registrations.has_registrations(session, event_id)


def check_form(event: AnyEvent, form_version_id: int) -> None:
    """Check that a form which was just sent is the one that the event has.

    Raises:
        FormChanged: it has another one.
    """
    if form_version_id != event.form_version_id:
        raise FormChanged


def read_submission(row: SubmissionRow) -> Submission:
    """Turn a stored submission back into the value it was made from."""
    return Submission(
        email=row.email,
        email_key=row.email_key,
        family_name=row.family_name,
        given_name=row.given_name,
        answers=answers_from_json(row.answers),
        consents=tuple(
            ConsentGiven(
                question_id=consent["question_id"],
                kind=ConsentKind(consent["kind"]),
                label=consent["label"],
                is_given=consent["is_given"],
            )
            for consent in row.consents
        ),
        locale=row.locale,
        form_version_id=row.form_version_id,
        nonce=row.nonce,
        surface=Surface(row.surface),
        source=row.source,
    )


def keep_as_said(row: SubmissionRow, submission: Submission) -> None:
    """Have a row say what a submission does, though its registration began with something else."""
    row.form_version_id, row.digest = submission.form_version_id, submission.digest
    row.family_name, row.given_name = submission.family_name, submission.given_name
    row.answers = answers_to_json(submission.answers)
    row.consents = _write_consents(submission)


def _write_consents(submission: Submission) -> list[dict[str, Any]]:
    return [dict(vars(consent)) for consent in submission.consents]


def write_submission(
    event: AnyEvent, submission: Submission, outcome: str, now: datetime
) -> dict[str, Any]:
    """Build the row that a submission is stored as, all but the id of its registration."""
    public_id = new_public_id()
    return {
        "public_id": public_id,
        "number": make_receipt_number(public_id),
        "event_id": event.id,
        "form_version_id": submission.form_version_id,
        "nonce": submission.nonce,
        "digest": submission.digest,
        "outcome": outcome,
        "held_for": "",
        "email": submission.email,
        "email_key": submission.email_key,
        "family_name": submission.family_name,
        "given_name": submission.given_name,
        "answers": answers_to_json(submission.answers),
        "consents": _write_consents(submission),
        "locale": submission.locale,
        "surface": submission.surface,
        "source": dict(submission.source),
        "code_version": 0,
        "code_issued_at": None,
        "code_tries": 0,
        "created_at": now,
    }
