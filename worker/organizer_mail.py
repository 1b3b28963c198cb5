"""Sending mails to organizers: invitations, and links for a lost password."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage

from sqlalchemy.orm import Session

from config import Settings
from services.links import Links
from services.messages import MessageRefused, compose_message
from storage import access_links, jobs, organizations, organizer_mails, webhooks
from storage.jobs import ClaimedJob
from storage.models import AccessLink, Organization, OrganizerMail, WebhookEndpoint
from storage.session import Database

from .mail_failures import judge, put_off
from .mail_rendering import render_parts
from .smtp import MailError, MailTransport


@dataclass(frozen=True)
class _Opened:
    """A mail with what it is about."""

    mail: OrganizerMail
    link: AccessLink | None
    organization: Organization | None
    endpoint: WebhookEndpoint | None


class OrganizerMailSending:
    """Handles the job `organizer_mail`.

    One whose outcome is unknown is sent again: the same link in two mails does no harm, and none
    at all keeps somebody out.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        links: Links,
        transport: MailTransport,
        app_context: Callable[[], AbstractContextManager[object]],
        read_clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._links = links
        self._transport = transport
        self._app_context = app_context
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        opened = self._open(job)
        if opened is None:
            return
        mail = opened.mail
        try:
            message = self._compose(opened)
            self._transport.send(message, mail.email)
        except (MailError, MessageRefused) as error:
            self._record_failure(job, error)
            return
        now = self._read_clock()
        with self._database.write() as session:
            _change(session, job, "sent", sent_at=now)
            jobs.finish(session, job, now=now)

    def _open(self, job: ClaimedJob) -> _Opened | None:
        """Read what the mail needs; drop one whose link was used, or is too old."""
        now = self._read_clock()
        with self._database.write() as session:
            mail = organizer_mails.get_mail(session, job.payload["mail_id"])
            if mail is None or mail.state in ("sent", "dropped"):
                jobs.finish(session, job, now=now)
                return None
            link = organization = endpoint = None
            if mail.endpoint_id is not None:
                endpoint = webhooks.get_by_id(session, mail.endpoint_id)
                if endpoint is None:
                    _drop(session, job, mail, now)
                    return None
                organization = organizations.need_organization(session, endpoint.organization_id)
            if mail.access_link_id is not None:
                link = access_links.get_link(session, mail.access_link_id)
                if link is None or link.used_at is not None or link.expires_at <= now:
                    _drop(session, job, mail, now)
                    return None
                if link.organization_id is not None:
                    organization = organizations.need_organization(session, link.organization_id)
            return _Opened(mail, link, organization, endpoint)

    def _compose(self, opened: _Opened) -> EmailMessage:
        mail, link, organization = opened.mail, opened.link, opened.organization
        with self._app_context():
            content = render_parts(
                f"organizer_mail/{mail.name}",
                {
                    "site_url": self._links.base_url,
                    "url": self._links.access(link) if link else "",
                    "organization": organization.name if organization else "",
                    "endpoint": opened.endpoint,
                },
                mail.locale,
            )
        return compose_message(
            content,
            sender=Address(addr_spec=self._settings.sender),
            sender_name=(organization.name if organization else "") or "Uketsuke",
            recipient=mail.email,
            message_id=mail.message_id,
            locale=mail.locale,
            reply_to=None,
            date=mail.created_at,
        )

    def _record_failure(self, job: ClaimedJob, error: MailError | MessageRefused) -> None:
        now = self._read_clock()
        failure = judge(job, error, now=now)
        state = "failed" if failure.is_final else "queued"
        with self._database.write() as session:
            _change(session, job, state, error=failure.reason)
            put_off(session, job, failure.reason, is_final=failure.is_final, now=now)


def _drop(session: Session, job: ClaimedJob, mail: OrganizerMail, now: datetime) -> None:
    """Send nothing: what the mail is about is gone or over."""
    mail.state = "dropped"
    session.flush()
    jobs.finish(session, job, now=now)


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
