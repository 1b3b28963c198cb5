"""Sending mails to organizers: invitations, links for a lost password, word of what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import partial

from sqlalchemy.orm import Session

from services.held_telling import count_waiting
from services.links import Links
from services.messages import compose_message
from services.organizer_mails import OrganizerMailName
from services.pending_mails import count_pending
from services.texts import localize
from storage import access_links, events, jobs, organizations, organizer_mails, webhooks
from storage.jobs import ClaimedJob
from storage.models import Event, OrganizerMail
from storage.session import Database

from .mail_failures import NOT_SENT, put_off
from .mail_rendering import render_parts
from .mailer import Mailer


class _IsOver(Exception):
    """The mail would say something that is not so any more."""


@dataclass(frozen=True)
class _Opened:
    """A mail with whose it is, empty for the site's own, and what its templates show besides."""

    mail: OrganizerMail
    organization: str
    values: Mapping[str, object]


class OrganizerMailSending:
    """Handles the job `organizer_mail`.

    One whose outcome is unknown is sent again: the same link in two mails does no harm, and none
    at all keeps somebody out.
    """

    def __init__(self, database: Database, mailer: Mailer, *, links: Links) -> None:
        self._database = database
        self._mailer = mailer
        self._links = links
        self._read_clock = mailer.read_clock

    def handle(self, job: ClaimedJob) -> None:
        opened = self._open(job)
        if opened is None:
            return
        failure = self._mailer.send(job, partial(self._compose, opened), opened.mail.email)
        now = self._read_clock()
        with self._database.write() as session:
            if failure is None:
                _change(session, job, "sent", sent_at=now)
                jobs.finish(session, job, now=now)
            else:
                state = "failed" if failure.is_final else "queued"
                _change(session, job, state, error=failure.reason)
                put_off(session, job, failure.reason, is_final=failure.is_final, now=now)

    def _open(self, job: ClaimedJob) -> _Opened | None:
        """Read what the mail needs; drop one that says nothing any more."""
        now = self._read_clock()
        with self._database.write() as session:
            mail = organizer_mails.get_mail(session, job.payload["mail_id"])
            if mail is None or mail.state in ("sent", "dropped"):
                jobs.finish(session, job, reason=NOT_SENT, now=now)
                return None
            try:
                organization_id, values = self._read_subject(session, mail, now)
            except _IsOver:
                mail.state = "dropped"
                session.flush()
                jobs.finish(session, job, reason=NOT_SENT, now=now)
                return None
            organization = (
                organizations.need_organization(session, organization_id).name
                if organization_id is not None
                else ""
            )
            return _Opened(mail, organization, values)

    def _read_subject(
        self, session: Session, mail: OrganizerMail, now: datetime
    ) -> tuple[int | None, dict[str, object]]:
        """Return whose mail it is and what it says.

        Raises:
            _IsOver: the link was used or is too old, what it is about is gone or decided, or a
                newer mail says the same, as after days without a mail server.
        """
        if mail.event_id is not None:
            event = events.need_event(session, mail.event_id)
            return event.organization_id, self._read_event(session, mail, event, now)
        if mail.endpoint_id is not None:
            endpoint = webhooks.get_by_id(session, mail.endpoint_id)
            if endpoint is None:
                raise _IsOver
            return endpoint.organization_id, {"endpoint": endpoint}
        if mail.access_link_id is not None:
            link = access_links.get_link(session, mail.access_link_id)
            if link is None or link.used_at is not None or link.expires_at <= now:
                raise _IsOver
            return link.organization_id, {"url": self._links.access(link)}
        return None, {}

    def _read_event(
        self, session: Session, mail: OrganizerMail, event: Event, now: datetime
    ) -> dict[str, object]:
        if mail.name == OrganizerMailName.PENDING:
            count, page = count_pending(session, event, now=now), "people?status=pending"
        else:
            count, page = count_waiting(session, event, now=now)[0], "held"
        if not count or organizer_mails.has_newer(session, mail):
            raise _IsOver
        url = f"{self._links.base_url}/organizer/events/{event.public_id}/{page}"
        return {"url": url, "title": localize(event.title, mail.locale), "count": count}

    def _compose(self, opened: _Opened) -> EmailMessage:
        mail, organization = opened.mail, opened.organization
        values = {"site_url": self._links.base_url, "organization": organization, **opened.values}
        return compose_message(
            render_parts(f"organizer_mail/{mail.name}", values, mail.locale),
            sender=self._mailer.sender,
            sender_name=organization or "Uketsuke",
            recipient=mail.email,
            message_id=mail.message_id,
            locale=mail.locale,
            reply_to=None,
            date=mail.created_at,
        )


def record_given_up(session: Session, job: ClaimedJob, now: datetime) -> None:
    """Show in the log of mails that the worker has given up on one."""
    _change(session, job, "failed", error="GivenUp")


def _change(
    session: Session,
    job: ClaimedJob,
    state: str,
    *,
    error: str = "",
    sent_at: datetime | None = None,
) -> None:
    mail = organizer_mails.get_mail(session, job.payload["mail_id"])
    if mail is not None:
        mail.state, mail.error, mail.sent_at = state, error, sent_at
        session.flush()
