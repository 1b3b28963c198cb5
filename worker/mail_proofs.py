"""Sending the mails whose button says that somebody reads them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from services.dates import format_short
from services.event_views import view_mail_event
from services.joining import read_end_state
from services.links import Links
from services.mail_proofs import find_last_moment, note_mail, waits_for_button
from services.mails import MailName
from services.messages import MailContext
from services.questions import answers_from_json
from services.texts import write_full_name
from storage import events, jobs, submissions
from storage.jobs import ClaimedJob
from storage.models import SubmissionRow
from storage.session import Database

from .mail_failures import NOT_SENT, put_off
from .mailer import Mailer
from .sender_mails import SenderMail, make_mail


class ProofMailSending:
    """Handles the job `proof_mail`.

    One whose outcome is unknown is sent again, as the same message: two of them do no harm, and
    none at all keeps somebody out.
    """

    def __init__(self, database: Database, mailer: Mailer, *, links: Links) -> None:
        self._database = database
        self._mailer = mailer
        self._links = links
        self._read_clock = mailer.read_clock

    def handle(self, job: ClaimedJob) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            row = submissions.get_submission(session, job.payload["submission_id"])
            if row is None or not _is_wanted(session, row, now):
                # It is too late for a mail that never went.
                note_mail(session, job.payload["submission_id"], was_sent=False, now=now)
                jobs.finish(session, job, reason=NOT_SENT, now=now)
                return
            mail = self._gather(session, row, now)
        failure = self._mailer.send(job, partial(mail.compose, self._mailer), mail.email)
        now = self._read_clock()
        with self._database.write() as session:
            if failure is None or failure.is_final:
                was_sent = failure is None
                note_mail(session, job.payload["submission_id"], was_sent=was_sent, now=now)
            if failure is None:
                jobs.finish(session, job, now=now)
            else:
                put_off(session, job, failure.reason, is_final=failure.is_final, now=now)

    def _gather(self, session: Session, row: SubmissionRow, now: datetime) -> SenderMail:
        event = events.need_event(session, row.event_id)
        last = find_last_moment(event, answers_from_json(row.answers), sent_at=row.created_at)
        context = MailContext(
            event=view_mail_event(session, event, row.locale, now=now),
            sender_domain=self._mailer.sender.domain,
            greeting_name=write_full_name(row.family_name, row.given_name, row.locale),
            number=row.number,
            proof_url=self._links.mail_proof(row),
            proof_until=format_short(last, event.timezone, row.locale),
        )
        name, date = MailName.PROOF, row.created_at
        return make_mail(session, name, row, event, context=context, date=date)


def _is_wanted(session: Session, row: SubmissionRow, now: datetime) -> bool:
    event = events.need_event(session, row.event_id)
    return waits_for_button(row, now=now) and read_end_state(event, now) is None


def record_given_up(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Show at the submission that the worker has given up on its mail."""
    note_mail(session, job.payload["submission_id"], was_sent=False, now=now)
