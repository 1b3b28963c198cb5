"""Sending the mails that were asked for."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from services.chosen_dates import has_date_ahead
from services.fault_points import fault_point
from services.mails import (
    ADMIT_DELAY_AFTER,
    EVENT_OVER,
    MailName,
    choose_word,
    is_too_late,
    request_mail,
    request_word_of_delay,
)
from services.messages import MessageRefused
from storage import events, jobs, mails, registrations, submissions, zoom_registrants
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.models import Event, Mail, Registration
from storage.session import Database

from .letters import Letter, LetterWriter, is_wanted
from .mail_failures import NOT_SENT, judge, put_off
from .mailer import Mailer
from .new_requests import is_to_be_forgotten
from .smtp import MailError, MailOutcomeUnknown

TWICE_UNKNOWN = f"{MailOutcomeUnknown.__name__}: nobody knows, of either try, whether it was sent"

_FIRST_NEWS = (MailName.CONFIRMATION, MailName.APPROVED)

log = logging.getLogger(__name__)


class MailSending:
    """Handles the job `mail`."""

    def __init__(self, database: Database, mailer: Mailer, *, writer: LetterWriter) -> None:
        self._database = database
        self._mailer = mailer
        self._writer = writer
        self._read_clock = mailer.read_clock

    def handle(self, job: ClaimedJob) -> None:
        letter = self._open(job)
        if letter is None:
            return
        try:
            with self._mailer.app_context():
                message = self._writer.compose(letter)
            if not self._begin(job, letter):
                return
            fault_point("before_mail")
            self._mailer.transport.send(message, letter.registration.email)
            fault_point("after_mail")
        except (MailError, MessageRefused) as error:
            self._record_failure(job, error)
            return
        self._record_sent(job, letter)

    def _open(self, job: ClaimedJob) -> Letter | None:
        """Read what the mail needs; drop one whose purpose is gone."""
        now = self._read_clock()
        with self._database.write() as session:
            mail = mails.get_mail(session, job.payload["mail_id"])
            if mail is not None and mail.state == "sent":
                _end_sent(session, job, mail.id, now=now)
                return None
            if mail is None or mail.state == "dropped":
                jobs.finish(session, job, reason=NOT_SENT, now=now)
                return None
            if mail.state == "held":
                # Only whoever decides on this mail has it sent, not who has all done again.
                jobs.park(session, job, reason=mail.error, now=now)
                return None
            registration = registrations.get_registration(session, mail.registration_id)
            assert registration is not None, "a mail belongs to a registration"
            event = events.need_event(session, mail.event_id)
            if is_to_be_forgotten(session, mail, registration, event, now=now):
                _drop(session, job, mail, now=now)
                return None
            if mail.state == "again":
                log.error("mail given up", extra={"job": job.id, "reason": TWICE_UNKNOWN})
                mail.state, mail.error = "failed", TWICE_UNKNOWN
                session.flush()
                jobs.park(session, job, reason=TWICE_UNKNOWN, now=now)
                return None
            name = MailName(mail.name)
            if not _is_wanted(session, name, registration, event, now):
                is_over = mail.state == "queued" and is_too_late(name, event, now=now)
                _drop(session, job, mail, error=EVENT_OVER if is_over else mail.error, now=now)
                if name is MailName.REFUSED:
                    _tell_instead(session, registration, event, now)
                return None
            letter = self._writer.gather(session, mail, registration, now=now)
            session.flush()
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            return letter

    def _begin(self, job: ClaimedJob, letter: Letter) -> bool:
        """Store that the mail goes now: whoever finds it so knows that it may have been sent."""
        now = self._read_clock()
        with self._database.write() as session:
            is_wanted = mails.begin_sending(session, letter.mail.id)
            if is_wanted:
                jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            else:
                jobs.finish(session, job, reason=NOT_SENT, now=now)
        return is_wanted

    def _record_sent(self, job: ClaimedJob, letter: Letter) -> None:
        """Store that it went before anything that waits for others: else it would go again."""
        is_owed_more = letter.mail.name in _FIRST_NEWS and not letter.context.is_link_ready
        now = self._read_clock()
        with self._database.write() as session:
            mail = mails.get_mail(session, letter.mail.id)
            assert mail is not None, "mails are not deleted while their job runs"
            mail.state, mail.error = "sent", ""
            mail.sent_at = now
            session.flush()
            if is_owed_more:
                jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            else:
                jobs.finish(session, job, now=now)
        if is_owed_more:
            with self._database.write() as session:
                _end_sent(session, job, letter.mail.id, now=now)

    def _record_failure(self, job: ClaimedJob, error: MailError | MessageRefused) -> None:
        """Try later, or give up; so too where for the second time nobody knows whether it went."""
        now = self._read_clock()
        failure = judge(job, error)
        is_unknown = isinstance(error, MailOutcomeUnknown)
        with self._database.write() as session:
            mail = mails.get_mail(session, job.payload["mail_id"])
            assert mail is not None, "mails are not deleted while their job runs"
            is_last = mail.state == "again"
            is_final = failure.is_final or (is_unknown and is_last)
            is_doubtful = is_unknown or is_last
            mail.state = "failed" if is_final else "unknown" if is_doubtful else "queued"
            mail.error = failure.reason
            # First: this waits for whoever erases the person at this moment.
            session.flush()
            registration = registrations.get_registration(session, mail.registration_id)
            assert registration is not None, "a mail belongs to a registration"
            event = events.need_event(session, mail.event_id)
            if is_to_be_forgotten(session, mail, registration, event, now=now):
                _drop(session, job, mail, now=now)
                return
            put_off(session, job, failure.reason, is_final=is_final, now=now)


def _drop(session: Session, job: ClaimedJob, mail: Mail, *, error: str = "", now: datetime) -> None:
    mail.state, mail.error = "dropped", error
    session.flush()
    jobs.finish(session, job, reason=NOT_SENT, now=now)


def _tell_instead(
    session: Session, registration: Registration, event: Event, now: datetime
) -> None:
    """Tell whom Zoom refused how they stand, where the word of that came too late to be news.

    It may be the first mail that they get: the one about their status was dropped for that word.
    """
    is_refused = choose_word(session, MailName.CONFIRMATION, registration) is MailName.REFUSED
    if not is_refused or not _is_wanted(session, MailName.CONFIRMATION, registration, event, now):
        return
    words = mails.list_of_names(session, [registration.id], (*_FIRST_NEWS, MailName.DATES))
    last = max(words, key=lambda word: word.id, default=None)
    submission = None
    if last is not None:
        if last.state != "dropped":
            return
        if last.submission_id is not None:
            submission = submissions.get_submission(session, last.submission_id)
    # In place of a word that no limit of the day would have kept from going.
    request_mail(
        session,
        MailName.CONFIRMATION,
        registration,
        submission=submission,
        is_by_organizer=True,
        now=now,
    )


def _end_sent(session: Session, job: ClaimedJob, mail_id: int, *, now: datetime) -> None:
    """End the job of a mail that went; who was told of no link yet hears if Zoom takes long."""
    mail = mails.get_mail(session, mail_id)
    assert mail is not None, "mails are not deleted while their job runs"
    if mail.name in _FIRST_NEWS:
        registration = registrations.get_registration(session, mail.registration_id)
        assert registration is not None, "a mail belongs to a registration"
        event = events.need_event(session, mail.event_id)
        if _is_wanted(session, MailName.DELAYED, registration, event, now):
            run_at = mail.goes_at + ADMIT_DELAY_AFTER
            request_word_of_delay(session, registration, run_at=run_at, now=now)
    jobs.finish(session, job, now=now)


def _is_wanted(
    session: Session, name: MailName, registration: Registration, event: Event, now: datetime
) -> bool:
    """Tell whether a mail still holds; that it does not is found under the registration's lock.

    Whoever stores what Zoom has answered holds it, and may count on this very mail.
    """
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    has_date = has_date_ahead(session, event, registration, now=now)
    if is_wanted(name, registration, registrant, event=event, has_date=has_date, now=now):
        return True
    registrations.lock_registration(session, registration.id)
    for read in (registration, registrant):
        if read is not None:
            session.refresh(read)
    has_date = has_date_ahead(session, event, registration, now=now)
    return is_wanted(name, registration, registrant, event=event, has_date=has_date, now=now)


def record_given_up(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Show in the log of mails that the worker has given up on one."""
    mail = mails.get_mail(session, job.payload["mail_id"])
    if mail is not None and mail.state not in ("sent", "dropped"):
        mail.state, mail.error = "failed", "GivenUp"
