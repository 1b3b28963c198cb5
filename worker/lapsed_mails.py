"""Telling whoever registered again while being erased that it came to nothing."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from services.event_views import view_mail_event
from services.joining import JoinState, read_end_state
from services.lapsed_requests import find_next_look, find_undecided
from services.mails import MailName
from services.messages import MailContext
from services.texts import write_full_name
from storage import events, jobs, submissions
from storage.jobs import ClaimedJob
from storage.models import Event, SubmissionRow
from storage.session import Database

from .mail_failures import NOT_SENT, Failure, put_off
from .mailer import Mailer
from .sender_mails import SenderMail, make_mail
from .smtp import MailOutcomeUnknown

_ENDED = lazy_gettext(
    "You sent the registration form of this event while an earlier registration with your email "
    "address was being erased. We are sorry: your request was not registered before the event was "
    "over."
)
_CANCELLED = lazy_gettext(
    "The event for which you sent the registration form will not take place. We are very sorry. "
    "Your request was not registered yet, so there is nothing you need to do."
)


class LapsedMailSending:
    """Handles the job `lapsed_mail`, which waits until the event is over.

    One whose outcome is unknown is sent once more, as the same message, and then put aside.
    """

    def __init__(self, database: Database, mailer: Mailer) -> None:
        self._database = database
        self._mailer = mailer
        self._read_clock = mailer.read_clock

    def handle(self, job: ClaimedJob) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            sent = submissions.get_submission(session, job.payload["submission_id"])
            row = find_undecided(session, sent) if sent else None
            if row is None:
                jobs.finish(session, job, reason=NOT_SENT, now=now)
                return
            event = events.need_event(session, row.event_id)
            look_at = find_next_look(event, now=now)
            if look_at is not None:
                jobs.repeat(session, job, at=look_at, now=now)
                return
            mail = self._gather(session, row, event, now)
        failure = self._mailer.send(job, partial(mail.compose, self._mailer), mail.email)
        now = self._read_clock()
        with self._database.write() as session:
            if failure is None:
                jobs.finish(session, job, now=now)
            else:
                _put_off(session, job, failure, now=now)

    def _gather(
        self, session: Session, row: SubmissionRow, event: Event, now: datetime
    ) -> SenderMail:
        is_cancelled = read_end_state(event, now) is JoinState.EVENT_CANCELLED
        context = MailContext(
            event=view_mail_event(session, event, row.locale, now=now),
            sender_domain=self._mailer.sender.domain,
            greeting_name=write_full_name(row.family_name, row.given_name, row.locale),
            number=row.number,
            # Still lazy: its language is that of the mail, which is set when it is drawn.
            standing=_CANCELLED if is_cancelled else _ENDED,
        )
        return make_mail(session, MailName.LAPSED, row, event, context=context, date=now)


def _put_off(session: Session, job: ClaimedJob, failure: Failure, *, now: datetime) -> None:
    """Have it tried later, or put aside where for the second time nobody knows whether it went.

    That it perhaps went stands in the job's reason, whatever else comes in between.
    """
    perhaps_went = _is_unknown(job.reason)
    is_final = failure.is_final or (perhaps_went and _is_unknown(failure.reason))
    reason = job.reason if perhaps_went and not is_final else failure.reason
    put_off(session, job, reason, is_final=is_final, now=now)


def _is_unknown(reason: str) -> bool:
    return reason.startswith(f"{MailOutcomeUnknown.__name__}:")
