"""Mails to whoever has sent a form by which nobody is registered yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from sqlalchemy.orm import Session

from services.mails import MailName
from services.messages import MailContext, compose_message
from storage import organizations
from storage.models import Event, SubmissionRow

from .mail_rendering import render_mail
from .mailer import Mailer


@dataclass(frozen=True)
class SenderMail:
    """One mail, which is written without the database; sent again it is the same message."""

    name: MailName
    context: MailContext
    email: str
    locale: str
    sender_name: str
    reply_to: str | None
    message_id: str
    date: datetime

    def compose(self, mailer: Mailer) -> EmailMessage:
        return compose_message(
            render_mail(self.name, self.context, self.locale),
            sender=mailer.sender,
            sender_name=self.sender_name,
            recipient=self.email,
            message_id=self.message_id,
            locale=self.locale,
            reply_to=self.reply_to,
            date=self.date,
        )


def make_mail(
    session: Session,
    name: MailName,
    row: SubmissionRow,
    event: Event,
    *,
    context: MailContext,
    date: datetime,
) -> SenderMail:
    """Read whose it is; `name` is sent once at most about a form."""
    organization = organizations.need_organization(session, event.organization_id)
    about = row.public_id if name is MailName.PROOF else f"{name}:{row.public_id}"
    return SenderMail(
        name=name,
        context=context,
        email=row.email,
        locale=row.locale,
        sender_name=organization.name,
        reply_to=organization.contact_email or None,
        message_id=hashlib.sha256(about.encode()).hexdigest()[:32],
        date=date,
    )
