"""What is written to whoever sends the form while the address's former owner is being erased.

They are somebody new, and are registered once the former one is forgotten. Until then their form
stands with that registration, of which nothing is told any more.
"""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from services.erasing import is_erased
from services.erasing_waits import find_wait, list_newer
from services.event_dates import get_chosen
from services.event_views import view_mail_event
from services.events import EventState, get_state, read_seats
from services.joining import read_end_state
from services.mails import MailName
from services.messages import MailContext
from services.questions import answers_from_json
from services.registrations import Status
from services.texts import write_full_name
from storage import registrations
from storage.models import Event, Mail, Registration, SubmissionRow

_GOES_ON = lazy_gettext(
    "An earlier registration with your email address is still being erased. As soon as that is "
    "done, mostly within minutes, we will register your new request and email you. Until then you "
    "are not registered: if no mail has come shortly before the event, please contact the "
    "organizer."
)
_STANDS_STILL = lazy_gettext(
    "An earlier registration with your email address is still being erased, and that takes longer "
    "than usual. As soon as it is done, we will register your new request and email you. Until "
    "then you are not registered: if no mail has come shortly before the event, please contact the "
    "organizer."
)
_TAKES_NOBODY = lazy_gettext(
    "An earlier registration with your email address is still being erased. The event takes "
    "nobody at the moment, so the organizer will look at your new request after that."
)


def find_new_request(
    session: Session, mail: Mail, registration: Registration
) -> SubmissionRow | None:
    """Return the form that a mail answers, where its sender is registered by it later."""
    is_asked = mail.name == MailName.REPEAT and registration.status == Status.CANCELLED
    newer = list_newer(session, registration) if is_asked else None
    return next((row for row in newer or () if row.id == mail.submission_id), None)


def is_to_be_forgotten(
    session: Session, mail: Mail, registration: Registration, event: Event, *, now: datetime
) -> bool:
    """Tell whether a mail is about somebody who is erased, or to be, and so is not sent any more.

    What answers a form goes yet, unless that came before the erasing and is forgotten with it, or
    can register nobody any more.
    """
    if is_erased(registration):
        return True
    if registration.status != Status.CANCELLED:
        return False
    newer = list_newer(session, registration)
    if newer is None:
        return False
    is_newer = mail.name == MailName.REPEAT and any(row.id == mail.submission_id for row in newer)
    return not is_newer or read_end_state(event, now) is not None


def make_context(
    session: Session, event: Event, sent: SubmissionRow, *, locale: str, domain: str, now: datetime
) -> MailContext:
    """Say what is in the mail about a new request; of the former registration nothing is."""
    dates = get_chosen(event, answers_from_json(sent.answers)) if event.dates else ()
    return MailContext(
        event=view_mail_event(session, event, locale, dates=dates, now=now),
        sender_domain=domain,
        greeting_name=write_full_name(sent.family_name, sent.given_name, locale),
        number=sent.number,
        is_new_request=True,
        standing=_choose_standing(session, event, sent, now),
    )


def _choose_standing(session: Session, event: Event, sent: SubmissionRow, now: datetime) -> str:
    state = get_state(event, read_seats(session, event), now, sent_at=sent.created_at)
    assert sent.registration_id is not None, "it stands with the former registration"
    former = registrations.get_registration(session, sent.registration_id)
    wait = find_wait(session, former) if former is not None else None
    goes_on: str = _STANDS_STILL if wait is not None and wait.is_stuck else _GOES_ON
    standing: str = goes_on if state is EventState.OPEN else _TAKES_NOBODY
    return standing
