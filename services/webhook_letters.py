"""What is sent to a webhook endpoint: the body and the headers of Standard Webhooks.

Source: standardwebhooks.com, specification 1.0.0, read 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import events, registrations
from storage.models import Event, Registration, WebhookEndpoint, WebhookMessage

from .answers import read_answers
from .chosen_dates import with_dates
from .erasing import is_erased
from .facets import list_sensitive_ids
from .form_history import read_answered_form
from .registration_values import write_moment, write_person
from .webhooks import TEST, Payload, read_secrets


@dataclass(frozen=True)
class WebhookLetter:
    """One message as it goes out."""

    message_id: int
    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def write_letter(
    session: Session, endpoint: WebhookEndpoint, message: WebhookMessage, *, now: datetime
) -> WebhookLetter | None:
    """Write a message as of now; None where no secret can be read to sign it with."""
    secrets = read_secrets(session.info["cipher"], endpoint, now=now)
    if not secrets:
        return None
    content = {
        "type": message.type,
        "timestamp": write_moment(message.happened_at),
        "data": _write_data(session, endpoint, message, now),
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    number, timestamp = write_id(message), int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Uketsuke-Webhooks/1",
        "webhook-id": number,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, number, timestamp, body),
    }
    return WebhookLetter(message.id, endpoint.url, body, headers)


def write_id(message: WebhookMessage) -> str:
    """Return what a receiver knows a message by: the same each time that it is sent."""
    return f"msg_{message.happening}"


def sign(secrets: Sequence[str], number: str, timestamp: int, body: bytes) -> str:
    """Sign with each secret; a receiver that knows one of them is content."""
    signed = b".".join((number.encode(), str(timestamp).encode(), body))
    keys = (base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets)
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _write_data(
    session: Session, endpoint: WebhookEndpoint, message: WebhookMessage, now: datetime
) -> dict[str, Any]:
    if message.type == TEST:
        return {"endpoint": {"id": endpoint.public_id, "name": endpoint.name}}
    assert message.event_id is not None, "every message but a test is about an event"
    event = events.need_event(session, message.event_id)
    about: dict[str, Any] = {"id": message.person, "status": message.status}
    if endpoint.payload == Payload.FULL and message.registration_id is not None:
        registration = registrations.get_registration(session, message.registration_id)
        if registration is not None and not is_erased(registration):
            about |= _describe(session, event, registration) | {"read_at": write_moment(now)}
    return {"registration": about, "event": {"id": event.public_id, "slug": event.slug}}


def _describe(session: Session, event: Event, registration: Registration) -> dict[str, Any]:
    """Write what the API says of a registration too, without sensitive answers."""
    answers = read_answers(session, registration)
    form = read_answered_form(session, event, registration.form_version_id, answers)
    hidden = list_sensitive_ids(session, event)
    return write_person(registration, with_dates(event, form), answers, hidden)
