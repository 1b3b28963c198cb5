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
from storage.models import Event, Registration, SubmissionRow

from .site import get_site

LINKS_LIVE = timedelta(days=180)
"""For so long after an event its links still open: as long as answers are kept by default."""


@dataclass(frozen=True)
class Opened:
    """What a token opens.

    `submission` is set where the link was read on a screen, and on receipts. A token from a mail
    proves the address once something is done with it: `came_by_mail`.
    """

    event: Event
    policy: LinkPolicy
    registration: Registration | None
    submission: SubmissionRow | None
    came_by_mail: bool

    @property
    def person(self) -> Registration:
        """Return the registration; receipts of held submissions have none and never ask."""
        assert self.registration is not None, "only receipts come without a registration"
        return self.registration


def open_token(session: Session, token: str, *purposes: Purpose) -> Opened:
    """Load what a token of these purposes opens; anything else gets the same 404."""
    claim = read_token(token)
    if claim is None or claim.purpose not in purposes:
        abort(404)
    if claim.purpose in (Purpose.JOIN_MAIL, Purpose.PERSONAL_MAIL):
        opened = _open_registration(session, claim)
    else:
        opened = _open_submission(session, claim)
    if opened is None or get_site().read_clock() > get_end(opened.event) + LINKS_LIVE:
        abort(404)
    g.known_locale = (opened.submission or opened.person).locale
    return opened


def _open_registration(session: Session, claim: TokenClaim) -> Opened | None:
    registration = registrations.get_registration_by_public_id(session, claim.public_id)
    version = registration.link_version if registration else 0
    if not get_site().signer.is_genuine(claim, version) or registration is None:
        return None
    event, policy = _load_event(session, registration.event_id)
    return Opened(event, policy, registration, None, came_by_mail=True)


def _open_submission(session: Session, claim: TokenClaim) -> Opened | None:
    submission = submissions.get_submission_by_public_id(session, claim.public_id)
    registration = None
    if submission is not None and submission.registration_id is not None:
        registration = registrations.get_registration(session, submission.registration_id)
    is_receipt = claim.purpose is Purpose.RECEIPT
    version = registration.link_version if registration and not is_receipt else 0
    if not get_site().signer.is_genuine(claim, version) or submission is None:
        return None
    event, policy = _load_event(session, submission.event_id)
    opened = Opened(event, policy, registration, submission, came_by_mail=False)
    return opened if is_receipt or _may_lead_on(session, claim, opened) else None


def _may_lead_on(session: Session, claim: TokenClaim, opened: Opened) -> bool:
    """Tell whether a link that was read on a screen still leads to the registration."""
    if opened.registration is None or opened.submission is None:
        return False
    if claim.purpose is Purpose.JOIN_SCREEN:
        return receipts.speaks_for_registration(opened.submission)
    return receipts.may_change_from_screen(
        session, opened.submission, opened.registration, policy=opened.policy
    )


def _load_event(session: Session, event_id: int) -> tuple[Event, LinkPolicy]:
    event = events.need_event(session, event_id)
    return event, read_link_policy(session, event)
