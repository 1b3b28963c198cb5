"""Asking for mails to organizers; like all mails they are rows, sent by the worker."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import job_requests, members, organizer_mails
from storage.models import AccessLink, Event, Organizer, WebhookEndpoint

from .members import Permission, Role, list_permissions

JOB_KIND = "organizer_mail"


class OrganizerMailName(StrEnum):
    """The folder of a mail's templates, in `templates/organizer_mail`."""

    HELD = "held"
    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - a folder
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a folder
    PENDING = "pending"
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


def request_mails_about(
    session: Session, name: OrganizerMailName, event: Event, *, now: datetime
) -> None:
    """Ask for a mail about an event to each of `list_deciding`."""
    for organizer in list_deciding(session, event):
        request_mail(session, name, organizer.email, event=event, locale=organizer.locale, now=now)


def list_deciding(session: Session, event: Event) -> Iterator[Organizer]:
    """List who may decide about people of an event and wants to be told."""
    for row in members.list_members(session, event.organization_id):
        is_theirs = row.event_ids is None or event.id in row.event_ids
        may_decide = Permission.CHANGE_PEOPLE in list_permissions(Role(row.membership.role))
        if is_theirs and may_decide and row.organizer.is_told_of_held:
            yield row.organizer
