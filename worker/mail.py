"""Sending the mails that were asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from services.fault_points import fault_point
from services.mails import ADMIT_DELAY_AFTER, MailName, request_mail
from services.messages import MessageRefused
from storage import jobs, mails, registrations, zoom_registrants
from storage.jobs import ClaimedJob
from storage.session import Database

from .backoff import next_try
from .letters import Letter, LetterWriter, is_wanted
from .smtp import MailError, MailOutcomeUnknown, MailRefused, MailTransport

LEASE_SECONDS = 60.0
GIVE_UP_AFTER = timedelta(hours=24)

log = logging.getLogger(__name__)


class MailSending:
    """Handles the job `mail`."""

    def __init__(
        self,
        database: Database,
        *,
        transport: MailTransport,
        writer: LetterWriter,
        app_context: Callable[[], AbstractContextManager[object]],
        read_clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._transport = transport
        self._writer = writer
        self._app_context = app_context
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        letter = self._open(job)
        if letter is None:
            return
        try:
            with self._app_context():
                message = self._writer.compose(letter)
            fault_point("before_mail")
            self._transport.send(message, letter.registration.email)
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
            if mail is None or mail.state != "queued":
                jobs.finish(session, job, now=now)
                return None
            registration = registrations.get_registration(session, mail.registration_id)
            assert registration is not None, "a mail belongs to a registration"
            registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
            if not is_wanted(MailName(mail.name), registration, registrant):
                mail.state = "dropped"
                session.flush()
                jobs.finish(session, job, now=now)
                return None
            letter = self._writer.gather(session, mail, registration, now=now)
            session.flush()
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            return letter

    def _record_sent(self, job: ClaimedJob, letter: Letter) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            mail = mails.get_mail(session, letter.mail.id)
            assert mail is not None, "mails are not deleted while their job runs"
            mail.state = "sent"
            mail.sent_at = now
            is_first_news = mail.name in (MailName.CONFIRMATION, MailName.APPROVED)
            if is_first_news and not letter.context.is_link_ready:
                registration = registrations.get_registration(session, mail.registration_id)
                assert registration is not None, "a mail belongs to a registration"
                run_at = mail.created_at + ADMIT_DELAY_AFTER
                request_mail(session, MailName.DELAYED, registration, run_at=run_at, now=now)
            session.flush()
            jobs.finish(session, job, now=now)

    def _record_failure(self, job: ClaimedJob, error: MailError | MessageRefused) -> None:
        """Try later, or give up: a refused address, a day gone by, a second unknown outcome."""
        now = self._read_clock()
        is_final = isinstance(error, (MailRefused, MessageRefused))
        is_final = is_final or now - job.created_at > GIVE_UP_AFTER
        is_final = is_final or (isinstance(error, MailOutcomeUnknown) and job.attempts > 1)
        reason = f"{type(error).__name__}: {error}"
        log.warning("mail not sent", extra={"job": job.id, "reason": reason})
        with self._database.write() as session:
            if is_final:
                mail = mails.get_mail(session, job.payload["mail_id"])
                assert mail is not None, "mails are not deleted while their job runs"
                mail.state = "failed"
                mail.error = reason
                session.flush()
                jobs.park(session, job, reason=reason, now=now)
            else:
                run_at = next_try(job.attempts, now=now)
                jobs.postpone(session, job, run_at=run_at, reason=reason, now=now)
