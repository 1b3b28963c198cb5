"""Consents as evidence: what was shown, in which language, and whether the box was ticked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from storage import registration_index, registrations
from storage.models import Consent, Registration, SubmissionRow

from .events import read_definition
from .questions import OPTIONAL, ConsentKind, FormDefinition, Question
from .submissions import Submission

_RECORDED = (
    *("form_version_id", "question_id", "kind", "label", "notice_hash"),
    *("locale", "surface", "is_given", "recorded_at"),
)

PERSONAL_PAGE = "personal"
"""The surface of a box on the personal page."""


def keep_consents(
    session: Session,
    registration: Registration,
    row: SubmissionRow,
    submission: Submission,
    *,
    now: datetime,
) -> None:
    """Record every box of a submission, ticked or not, with the wording that was shown."""
    same = {
        "registration_id": registration.id,
        "submission_id": row.id,
        "form_version_id": submission.form_version_id,
        "locale": submission.locale,
        "surface": submission.surface,
        "recorded_at": now,
    }
    registrations.add_consents(
        session, [{**box, **same} for box in consent_rows(session, submission)]
    )


def consent_rows(session: Session, submission: Submission) -> list[dict[str, Any]]:
    """Lay out the boxes of a submission, ticked or not, each with the wording that was shown."""
    definition = read_definition(session, submission.form_version_id)
    return [
        {
            "question_id": consent.question_id,
            "kind": consent.kind,
            "label": consent.label,
            "notice_hash": _hash_notice_of(definition, consent.question_id),
            "is_given": consent.is_given,
        }
        for consent in submission.consents
    ]


def keep_consents_of_newcomer(
    session: Session,
    registration: Registration,
    row: SubmissionRow,
    submission: Submission,
    *,
    now: datetime,
) -> None:
    """Record the boxes of somebody who takes over a registration that others had made.

    Optional consents are not taken over: a stranger may have ticked them. The personal page asks
    the owner for them.
    """
    boxes = tuple(
        replace(box, is_given=box.is_given and box.kind not in OPTIONAL)
        for box in submission.consents
    )
    keep_consents(session, registration, row, replace(submission, consents=boxes), now=now)


def hand_on_consents(session: Session, former: Registration, row: SubmissionRow) -> None:
    """Give the registration of `row` all that was recorded of a former one of the same person.

    It stays what was shown, and said, at that time; `row` is what its form is kept in now.
    """
    same = {"registration_id": row.registration_id}
    evidence = registrations.list_consents(session, former.id)
    registrations.add_consents(
        session,
        [
            {name: getattr(consent, name) for name in _RECORDED}
            | same
            | {"submission_id": None if consent.submission_id is None else row.id}
            for consent in evidence
        ],
    )
    if row.registration_id is not None:
        registration_index.mark(session, row.registration_id)


def change_consent(
    session: Session,
    registration: Registration,
    question: Question,
    *,
    form_version_id: int,
    label: str,
    locale: str,
    is_given: bool,
    now: datetime,
) -> None:
    """Add what a person says on the personal page; what was recorded before stays.

    `question` is the box in the version of the form that is named, `label` its wording in
    `locale`, as it was shown.
    """
    assert question.consent is not None, "only consents are recorded"
    row: dict[str, Any] = {
        "registration_id": registration.id,
        "submission_id": None,
        "form_version_id": form_version_id,
        "question_id": question.id,
        "kind": question.consent,
        "label": label,
        "notice_hash": hash_notice(question),
        "locale": locale,
        "surface": PERSONAL_PAGE,
        "is_given": is_given,
        "recorded_at": now,
    }
    registrations.add_consents(session, [row])
    registration_index.mark(session, registration.id)


def list_present_consents(
    session: Session, registration: Registration, *kinds: ConsentKind
) -> list[Consent]:
    """Return the newest evidence of each box of some kinds: that is what holds."""
    evidence = registrations.list_consents(session, registration.id)
    newest = {consent.question_id: consent for consent in evidence if consent.kind in kinds}
    return list(newest.values())


def is_mailable(proven_at: datetime | None, evidence: Iterable[tuple[str, str, bool]]) -> bool:
    """Tell whether advertising may go to a person: the address proven, the newest box ticked.

    Args:
        evidence: question, kind and answer of each box that they have seen, the oldest first.
    """
    wanted = ConsentKind.MARKETING
    newest = {question: is_given for question, kind, is_given in evidence if kind == wanted}
    return proven_at is not None and bool(newest) and all(newest.values())


@lru_cache(maxsize=1024)
def _hash_notice_of(definition: FormDefinition, question_id: str) -> str:
    """Hash the notice of one box: a version of a form never changes, and everybody sends it."""
    return hash_notice(definition.get_question(question_id))


def hash_notice(question: Question | None) -> str:
    """Return the SHA-256 of a consent's notice in all its languages."""
    notice = {} if question is None else {**question.whole_notice}
    canonical = json.dumps(notice, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
