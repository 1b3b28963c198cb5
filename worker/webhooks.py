"""Telling other systems what happened to registrations."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from outbound import Deadline, HttpPool, OutboundError, read_retry_after
from services import webhooks as endpoints
from services.fault_points import fault_point
from services.members import Role
from services.organizer_mails import OrganizerMailName, request_mail
from services.webhook_letters import WebhookLetter, write_letter
from services.webhooks import TEST, UNSIGNED, EndpointState, MessageState, Reason
from storage import jobs, members, webhook_messages, webhooks
from storage.jobs import LEASE_SECONDS, ClaimedJob
from storage.models import WebhookEndpoint, WebhookMessage
from storage.session import Database

DEADLINE_SECONDS = 15.0
AT_ONCE = 4
SLOW_SECONDS = 3.0

STEPS = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=2), timedelta(hours=5), timedelta(hours=10)),
)
LATER = timedelta(hours=12)
GIVEN_UP_AFTER = timedelta(days=5)
# So long nothing at all is sent to an endpoint that took nothing of what was sent last.
_BREATHERS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))
_LONGEST_BREATHER = timedelta(minutes=5)
_LONGEST_WISH = timedelta(days=1)
# From so many failures in a row it is the endpoint that was away, not one message that it refuses.
AWAY_FROM = 3
GONE = 410

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one message: an HTTP status, or why there is none."""

    answer: int | None
    error: str = ""
    retry_after: datetime | None = None

    @property
    def is_success(self) -> bool:
        return self.answer is not None and 200 <= self.answer < 300


class WebhookSending:
    """Handles the job `webhook`: some of what one endpoint is to be told, then it is others' turn.

    A message whose answer was lost is sent again under the same id.
    """

    def __init__(
        self, database: Database, *, pool: HttpPool, read_clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._pool = pool
        self._read_clock = read_clock

    def handle(self, job: ClaimedJob) -> None:
        letters = self._open(job)
        if letters is None:
            return
        fault_point("before_webhook")
        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=AT_ONCE) as threads:
            outcomes = dict(threads.map(self._send, letters.items()))
        took_seconds = time.monotonic() - began
        fault_point("after_webhook")
        self._record(job, outcomes, is_slow=took_seconds > SLOW_SECONDS)

    def _open(self, job: ClaimedJob) -> dict[int, WebhookLetter | None] | None:
        """Count the attempts before they are made, and write what goes out."""
        now = self._read_clock()
        with self._database.write() as session:
            jobs.hold(session, job, lease_seconds=LEASE_SECONDS, now=now)
            endpoint = webhooks.lock_endpoint(session, job.payload["endpoint_id"])
            if endpoint is None or endpoint.state != EndpointState.ACTIVE:
                jobs.finish(session, job, now=now)
                return None
            limit = 1 if endpoint.failures else AT_ONCE
            due = webhook_messages.list_due(session, endpoint.id, limit=limit, now=now)
            for message in due:
                message.attempts += 1
                message.tried_at = now
                message.first_tried_at = message.first_tried_at or now
            if not due:
                jobs.finish(session, job, now=now)
                return None
            return {
                message.id: write_letter(session, endpoint, message, now=now) for message in due
            }

    def _send(self, sent: tuple[int, WebhookLetter | None]) -> tuple[int, Outcome]:
        message_id, letter = sent
        if letter is None:
            return message_id, Outcome(None, UNSIGNED)
        try:
            answer = self._pool.send(
                "POST",
                letter.url,
                headers=letter.headers,
                body=letter.body,
                deadline=Deadline(DEADLINE_SECONDS),
            )
        except OutboundError as error:
            return message_id, Outcome(None, error.fault)
        wish = read_retry_after(answer.headers.get("Retry-After"), self._read_clock())
        return message_id, Outcome(answer.status, retry_after=wish)

    def _record(self, job: ClaimedJob, outcomes: dict[int, Outcome], *, is_slow: bool) -> None:
        now = self._read_clock()
        with self._database.write() as session:
            jobs.finish(session, job, now=now)
            endpoint = webhooks.lock_endpoint(session, job.payload["endpoint_id"])
            if endpoint is None:
                return
            endpoint.is_slow = is_slow
            told = [
                (message, outcomes[message.id])
                for message in webhook_messages.list_by_ids(session, list(outcomes))
            ]
            _judge_endpoint(session, endpoint, list(outcomes.values()), now)
            for message, outcome in told:
                _judge_message(session, endpoint, message, outcome, now)


def _judge_endpoint(
    session: Session, endpoint: WebhookEndpoint, outcomes: Sequence[Outcome], now: datetime
) -> None:
    if any(outcome.answer == GONE for outcome in outcomes):
        log.warning("a webhook endpoint is gone", extra={"endpoint": endpoint.public_id})
        endpoints.end(session, endpoint, now=now)
    elif any(outcome.is_success for outcome in outcomes):
        was_away = endpoint.failures >= AWAY_FROM
        endpoint.failures, endpoint.failing_since, endpoint.try_at = 0, None, None
        if was_away:
            webhook_messages.hasten(session, endpoint.id, now=now)
    else:
        _count_failure(session, endpoint, outcomes, now)


def _count_failure(
    session: Session, endpoint: WebhookEndpoint, outcomes: Sequence[Outcome], now: datetime
) -> None:
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    breather = [*_BREATHERS, _LONGEST_BREATHER][min(endpoint.failures, 4) - 1]
    wishes = [outcome.retry_after for outcome in outcomes if outcome.retry_after]
    endpoint.try_at = max([now + breather, *(min(wish, now + _LONGEST_WISH) for wish in wishes)])
    is_active = endpoint.state == EndpointState.ACTIVE
    if is_active and now - endpoint.failing_since >= GIVEN_UP_AFTER:
        log.warning("a webhook endpoint was paused", extra={"endpoint": endpoint.public_id})
        endpoints.pause(endpoint, reason=Reason.FAILING, now=now)
        _tell_owners(session, endpoint, now)


def _judge_message(
    session: Session,
    endpoint: WebhookEndpoint,
    message: WebhookMessage,
    outcome: Outcome,
    now: datetime,
) -> None:
    message.answer, message.error = outcome.answer, outcome.error
    if outcome.is_success:
        message.state = MessageState.DELIVERED
        return
    if message.state != MessageState.WAITING:
        return
    assert message.first_tried_at is not None, "it was tried just now"
    # Whoever sends a test looks at what became of it.
    is_over = message.type == TEST or now - message.first_tried_at >= GIVEN_UP_AFTER
    if is_over and endpoint.state == EndpointState.ACTIVE:
        message.state = MessageState.FAILED
        return
    message.next_at = find_next_try(message.attempts, now=now)
    session.flush()
    webhook_messages.put_off_followers(session, message)


def find_next_try(attempts: int, *, now: datetime) -> datetime:
    """Return when to send a message again that was sent so often, up to a fifth later."""
    step = STEPS[attempts - 1] if attempts <= len(STEPS) else LATER
    return now + step * random.uniform(1, 1.2)  # noqa: S311


def _tell_owners(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    for row in members.list_members(session, endpoint.organization_id):
        if row.membership.role == Role.OWNER and row.event_ids is None:
            request_mail(
                session,
                OrganizerMailName.WEBHOOK_PAUSED,
                row.organizer.email,
                endpoint=endpoint,
                locale=row.organizer.locale,
                now=now,
            )


def tidy_up(database: Database, *, now: datetime) -> None:
    """Delete from the logs what was over long ago, and end waits that a wrong clock began."""
    with database.write() as session:
        webhook_messages.forget_a_wrong_clock(session, now=now)
        webhooks.forget_old_messages(
            session,
            before=now - endpoints.LOG_KEPT_FOR,
            waiting_before=now - endpoints.WAITS_FOR_UP_TO,
        )
