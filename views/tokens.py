"""From the token in an address to the rows that it opens, or to 404."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import abort, g
from sqlalchemy.orm import Session

from services import receipts
from services.events import LinkPolicy, get_end, read_link_policy
from services.tokens import Purpose, TokenClaim, read_token
from storage import events, registrations, submissions
from storage.events import AnyEvent
from storage.models import Event, Registration, SubmissionRow
from storage.submissions import Receipt

from .framing import check_frame
from .site import get_site

LINKS_LIVE = timedelta(days=180)
"""For so long after an event its links still open: as long as answers are kept by default."""


@dataclass(frozen=True)
class Opened:
    """What a link to a registration opens.

    `submission` is set where the link was read on a screen. A token from a mail proves the address
    once something is done with it: `came_by_mail`.
    """

    event: Event
    policy: LinkPolicy
    person: Registration
    submission: SubmissionRow | None
    came_by_mail: bool


class OpenedReceipt(Receipt):
    """What a receipt's address opens."""

    @property
    def policy(self) -> LinkPolicy:
        return LinkPolicy(self.event.link_policy)

    @property
    def person(self) -> Registration:
        assert self.registration is not None, "held submissions are not asked for it"
        return self.registration


def open_receipt(
    session: Session,
    token: str,
    purpose: Purpose = Purpose.RECEIPT,
    *,
    is_only_shown: bool = False,
) -> OpenedReceipt:
    """Load what a receipt's token opens, or another one about a submission; else answer 404.

    A receipt that `is_only_shown` may be what this process has stored a moment ago, without a
    session.
    """
    found = get_site().first_looks.take(token) if is_only_shown else None
    found = found or _find_receipt(session, token, purpose)
    # Of what was erased there is nobody to tell anything.
    if found is None or not found.submission.email:
        abort(404)
    check_frame(found.event)
    _check_age(found.event)
    g.known_locale = found.submission.locale
    return OpenedReceipt(*found)


def open_token(session: Session, token: str, *purposes: Purpose) -> Opened:
    """Load what a token of these purposes opens; anything else gets the same 404."""
    claim = read_token(token)
    if claim is None or claim.purpose not in purposes:
        abort(404)
    if claim.purpose in (Purpose.JOIN_MAIL, Purpose.PERSONAL_MAIL):
        opened = _open_registration(session, claim)
    else:
        opened = _open_submission(session, claim)
    if opened is None:
        abort(404)
    _check_age(opened.event)
    g.known_locale = (opened.submission or opened.person).locale
    return opened


def _find_receipt(session: Session, token: str, purpose: Purpose) -> Receipt | None:
    claim = read_token(token)
    if claim is None or claim.purpose is not purpose:
        return None
    found = submissions.get_receipt(session, claim.public_id)
    return found if get_site().signer.is_genuine(claim) else None


def _open_registration(session: Session, claim: TokenClaim) -> Opened | None:
    registration = registrations.get_registration_by_public_id(session, claim.public_id)
    version = registration.link_version if registration else 0
    if not get_site().signer.is_genuine(claim, version) or registration is None:
        return None
    event, policy = _load_event(session, registration.event_id)
    return Opened(event, policy, registration, None, came_by_mail=True)


def _open_submission(session: Session, claim: TokenClaim) -> Opened | None:
    found = submissions.get_receipt(session, claim.public_id)
    registration = found.registration if found else None
    version = registration.link_version if registration else 0
    if not get_site().signer.is_genuine(claim, version) or not found or not registration:
        return None
    submission = found.submission
    event, policy = _load_event(session, submission.event_id)
    if claim.purpose is Purpose.JOIN_SCREEN:
        may_lead_on = receipts.speaks_for_registration(submission)
    else:
        may_lead_on = receipts.may_change_from_screen(found, policy=policy)
    if not may_lead_on:
        return None
    return Opened(event, policy, registration, submission, came_by_mail=False)


def _check_age(event: AnyEvent) -> None:
    if get_site().read_clock() > get_end(event) + LINKS_LIVE:
        abort(404)


def _load_event(session: Session, event_id: int) -> tuple[Event, LinkPolicy]:
    event = events.need_event(session, event_id)
    return event, read_link_policy(session, event)
