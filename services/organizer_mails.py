"""Asking for mails to organizers; like all mails they are rows, sent by the worker."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import job_requests, organizer_mails
from storage.models import AccessLink, Event, WebhookEndpoint

JOB_KIND = "organizer_mail"


class OrganizerMailName(StrEnum):
    """The folder of a mail's templates, in `templates/organizer_mail`."""

    HELD = "held"
    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - a folder
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a folder
    TEST = "test"
    WEBHOOK_PAUSED = "webhook_paused"


def request_mail(
    session: Session,
    name: OrganizerMailName,
    email: str,
    *,
    link: AccessLink | None = None,
    endpoint: WebhookEndpoint | None = None,
    event: Event | None = None,
    locale: str,
    now: datetime,
) -> None:
    """Ask for a mail in this transaction. Side effects: a row and its job."""
    mail_id = organizer_mails.add_mail(
        session,
        name=name,
        email=email,
        access_link_id=link.id if link else None,
        endpoint_id=endpoint.id if endpoint else None,
        event_id=event.id if event else None,
        locale=locale,
        message_id=secrets.token_hex(16),
        now=now,
    )
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{mail_id}",
        payload={"mail_id": mail_id},
        run_at=now,
        now=now,
    )
