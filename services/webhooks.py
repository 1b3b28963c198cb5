"""Webhook endpoints: what is stored of them, and what organizers do with them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from storage import job_requests, webhook_messages, webhooks
from storage.ciphers import Cipher, DecryptionError
from storage.models import WebhookEndpoint, WebhookMessage

from .happenings import Happening

JOB_KIND = "webhook"
OFFERED = tuple(Happening)
TEST = "webhook.test"
UNSIGNED = "unsigned"
"""Why a message was not sent whose secret cannot be read."""
MOST_ENDPOINTS = 20
FORMER_SIGNS_FOR = timedelta(hours=24)
LOG_KEPT_FOR = timedelta(days=30)
WAITS_FOR_UP_TO = timedelta(days=90)
"""So long the word of what happens is kept for an endpoint that nobody resumes."""

_SECRET_BYTES = 32


class Payload(StrEnum):
    """What is said of a person: who it is by our ids, or everything that they have answered."""

    THIN = "thin"
    FULL = "full"


class EndpointState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class Reason(StrEnum):
    """Why an endpoint is told of nothing."""

    BY_HAND = "by_hand"
    FAILING = "failing"
    GONE = "gone"


class MessageState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Wish:
    """What an endpoint is to be told, and where; at all events where `event_ids` is None."""

    name: str
    url: str
    payload: Payload
    kinds: tuple[Happening, ...]
    event_ids: tuple[int, ...] | None


def add_endpoint(
    session: Session, organization_id: int, wish: Wish, *, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Store an endpoint and return it with its secret, which is shown this once."""
    secret = _make_secret()
    endpoint = webhooks.add_endpoint(
        session,
        WebhookEndpoint(
            organization_id=organization_id,
            name=wish.name,
            url=wish.url,
            payload=wish.payload,
            secret=_seal(session.info["cipher"], wish.url, secret),
            created_at=now,
            updated_at=now,
        ),
    )
    _set_subscriptions(session, endpoint, wish)
    _need_job(session, endpoint, now)
    return endpoint, secret


def change_endpoint(
    session: Session, endpoint: WebhookEndpoint, wish: Wish, *, now: datetime
) -> str | None:
    """Store what an endpoint is to be from now on; the caller holds its lock.

    Another address gets another secret, which is returned: whoever has the former one could else
    speak to it in our name. What waits goes to the new address.
    """
    secret = None
    if wish.url != endpoint.url:
        secret = _make_secret()
        endpoint.url = wish.url
        endpoint.secret = _seal(session.info["cipher"], wish.url, secret)
        endpoint.former_secret = endpoint.former_until = None
        forget_failures(session, endpoint, now=now)
    endpoint.name, endpoint.payload = wish.name, wish.payload
    endpoint.version += 1
    endpoint.updated_at = now
    _set_subscriptions(session, endpoint, wish)
    return secret


def rotate_secret(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> str:
    """Make another secret and return it; for a day from when it was replaced each former one signs.

    Of two made on one day the first one was perhaps seen by nobody: the other system has an older.
    """
    cipher = session.info["cipher"]
    secret, current = _make_secret(), _open(cipher, endpoint.url, endpoint.secret)
    if current is not None:
        formers = _list_formers(cipher, endpoint, now=now)
        endpoint.former_secret = _seal(cipher, endpoint.url, str(current["secret"]), formers)
        endpoint.former_until = now + FORMER_SIGNS_FOR
    endpoint.secret = _seal(cipher, endpoint.url, secret)
    endpoint.version += 1
    endpoint.updated_at = now
    return secret


def read_secrets(cipher: Cipher, endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """Return the secrets to sign with, the newest first; none that was stored for another address.

    Without any the endpoint's secret was stored with a key that is lost.
    """
    current = _open(cipher, endpoint.url, endpoint.secret)
    formers = [secret for secret, _ in _list_formers(cipher, endpoint, now=now)]
    return formers if current is None else [str(current["secret"]), *formers]


def pause(endpoint: WebhookEndpoint, *, reason: Reason, now: datetime) -> None:
    """Send nothing from now on; what happens is kept for later."""
    endpoint.state, endpoint.reason = EndpointState.PAUSED, reason
    endpoint.updated_at = now


def end(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Send nothing and keep nothing any more: the other side has said that it is gone."""
    endpoint.state, endpoint.reason = EndpointState.ENDED, Reason.GONE
    endpoint.updated_at = now
    session.flush()
    webhook_messages.drop_waiting(session, endpoint.id)
    webhooks.mark_events(session, endpoint.organization_id)


def resume(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Send again, first what has waited, in its order."""
    endpoint.state, endpoint.reason = EndpointState.ACTIVE, ""
    endpoint.updated_at = now
    forget_failures(session, endpoint, now=now)
    session.flush()
    webhooks.mark_events(session, endpoint.organization_id)
    _need_job(session, endpoint, now)


def forget_failures(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Begin anew with an endpoint: all that waits is due, and has five days again."""
    endpoint.failures, endpoint.failing_since, endpoint.try_at = 0, None, None
    webhook_messages.begin_anew(session, endpoint.id, now=now)


def remove_endpoint(session: Session, endpoint: WebhookEndpoint) -> None:
    """Forget an endpoint with its log."""
    # The endpoint last: who registers meanwhile waits for that, and perhaps holds an event.
    webhooks.replace_subscriptions(session, endpoint.id, (), None)
    webhooks.mark_events(session, endpoint.organization_id)
    webhooks.delete_endpoint(session, endpoint)


def send_test(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> WebhookMessage:
    """Have a test go out, one at a time, and once; the caller holds the endpoint's lock."""
    waiting = webhook_messages.get_waiting(session, endpoint.id, TEST)
    if waiting is not None:
        return waiting
    message = webhooks.add_test(session, endpoint.id, TEST, now=now)
    job_requests.wake_workers(session)
    return message


def replay(session: Session, message: WebhookMessage, *, now: datetime) -> None:
    """Send a message once more, under its own id, whatever became of it."""
    message.state = MessageState.WAITING
    message.attempts, message.first_tried_at, message.next_at = 0, None, now
    job_requests.wake_workers(session)


def replay_failed(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> int:
    """Send all messages once more that were given up; return how many they are."""
    replayed = webhook_messages.replay_failed(session, endpoint.id, now=now)
    job_requests.wake_workers(session)
    return replayed


def _set_subscriptions(session: Session, endpoint: WebhookEndpoint, wish: Wish) -> None:
    webhooks.replace_subscriptions(session, endpoint.id, wish.kinds, wish.event_ids)
    webhooks.mark_events(session, endpoint.organization_id)


def _need_job(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Have the one job that sends to an endpoint; messages need none of their own."""
    job_requests.enqueue(
        session,
        kind=JOB_KIND,
        key=f"{JOB_KIND}:{endpoint.id}",
        payload={"endpoint_id": endpoint.id},
        run_at=now,
        now=now,
    )


def _make_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def _list_formers(
    cipher: Cipher, endpoint: WebhookEndpoint, *, now: datetime
) -> list[tuple[str, datetime]]:
    """Return the former secrets that still sign, and until when, the newest first."""
    if endpoint.former_secret is None or endpoint.former_until is None:
        return []
    said = _open(cipher, endpoint.url, endpoint.former_secret)
    if said is None:
        return []
    earlier = [(secret, datetime.fromisoformat(until)) for secret, until in said.get("earlier", ())]
    formers = [(str(said["secret"]), endpoint.former_until), *earlier]
    return [(secret, until) for secret, until in formers if now < until]


def _seal(
    cipher: Cipher, url: str, secret: str, earlier: Sequence[tuple[str, datetime]] = ()
) -> bytes:
    """Encrypt a secret, and those of before it, together with the address that it is for."""
    before = [(former, until.isoformat()) for former, until in earlier]
    return cipher.encrypt(json.dumps({"secret": secret, "for": url, "earlier": before}))


def _open(cipher: Cipher, url: str, sealed: bytes) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = json.loads(cipher.decrypt(sealed))
    except DecryptionError:
        return None
    return said if said["for"] == url else None
