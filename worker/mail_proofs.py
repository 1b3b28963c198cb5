"""Sending the mails whose button says that somebody reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage

from sqlalchemy.orm import Session

from services.dates import format_short
from services.event_views import view_mail_event
from services.joining import read_end_state
from services.links import Links
from services.mail_proofs import find_last_moment, note_mail, waits_for_button
from services.mails import MailName
from services.messages import MailContext, compose_message
from services.questions import answers_from_json
from services.texts import write_full_name
from storage import events, jobs, organizations, submissions
from storage.jobs import ClaimedJob
from storage.models import SubmissionRow
from storage.session import Database

from .mail_failures import NOT_SENT, put_off
from .mail_rendering import render_mail
from .mailer import Mailer


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
            email = row.email
            compose = self._gather(session, row, now)
        failure = self._mailer.send(job, compose, email)
        now = self._read_clock()
        with self._database.write() as session:
            if failure is None or failure.is_final:
                was_sent = failure is None
                note_mail(session, job.payload["submission_id"], was_sent=was_sent, now=now)
            if failure is None:
                jobs.finish(session, job, now=now)
            else:
                put_off(session, job, failure.reason, is_final=failure.is_final, now=now)

    def _gather(
        self, session: Session, row: SubmissionRow, now: datetime
    ) -> Callable[[], EmailMessage]:
        """Read what the mail says, and return what writes it without the database."""
        event = events.need_event(session, row.event_id)
        organization = organizations.need_organization(session, event.organization_id)
        locale, answers = row.locale, answers_from_json(row.answers)
        last = find_last_moment(event, answers, sent_at=row.created_at)
        context = MailContext(
            event=view_mail_event(session, event, locale, now=now),
            sender_domain=self._mailer.sender.domain,
            greeting_name=write_full_name(row.family_name, row.given_name, locale),
            number=row.number,
            proof_url=self._links.mail_proof(row),
            proof_until=format_short(last, event.timezone, locale),
        )
        name, reply_to = organization.name, organization.contact_email or None
        email, message_id, created_at = (
            row.email,
            hashlib.sha256(row.public_id.encode()).hexdigest()[:32],
            row.created_at,
        )

        def compose() -> EmailMessage:
            return compose_message(
                render_mail(MailName.PROOF, context, locale),
                sender=self._mailer.sender,
                sender_name=name,
                recipient=email,
                message_id=message_id,
                locale=locale,
                reply_to=reply_to,
                date=created_at,
            )

        return compose


def _is_wanted(session: Session, row: SubmissionRow, now: datetime) -> bool:
    event = events.need_event(session, row.event_id)
    return waits_for_button(row, now=now) and read_end_state(event, now) is None


def record_given_up(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Show at the submission that the worker has given up on its mail."""
    note_mail(session, job.payload["submission_id"], was_sent=False, now=now)
