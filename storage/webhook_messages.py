"""The queue of messages to webhook endpoints, and their log.

One job for each endpoint sends what it is to be told; messages have none. So whoever registers
writes a row and waits for nobody, and no two workers send to one endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from .jobs import CLOCK_TOLERANCE, ClaimedJob, take
from .models import Job, JobState, WebhookEndpoint, WebhookMessage
from .models.base import UtcDateTime
from .statements import Statement, rowcount

# Written out, as a partial index is found by its very words alone.
_WAITING: ColumnElement[str] = literal_column("'waiting'")
_KEY = literal("webhook:") + cast(WebhookEndpoint.id, String)
_HAS_TROUBLE = or_(WebhookEndpoint.failures > 0, WebhookEndpoint.is_slow)


class WebhookQueue:
    """Where a lane takes its endpoints from: those that answer, or those that do not or slowly.

    Whoever waits for a hanging one keeps none of the others waiting.
    """

    def __init__(self, *, of_trouble: bool) -> None:
        self._where = _HAS_TROUBLE if of_trouble else ~_HAS_TROUBLE
        # Asked at each change of the database, so it is compiled once.
        now = bindparam("now", type_=UtcDateTime)
        self._has_due = Statement(
            lambda _: self._select_due(now).with_only_columns(Job.id).limit(1)
        )

    def has_due(self, session: Session, *, kinds: Sequence[str], now: datetime) -> bool:
        return self._has_due.fetch(session, {"now": now}) is not None

    def claim(
        self,
        session: Session,
        *,
        kinds: Sequence[str],
        owner: str,
        lease_seconds: float,
        now: datetime,
    ) -> ClaimedJob | None:
        # The one that was served last comes last, so that a busy endpoint leaves room for others.
        found = self._select_due(literal(now, UtcDateTime)).order_by(Job.updated_at).limit(1)
        job: Job | None = session.scalar(found.with_for_update(of=Job, skip_locked=True))
        if job is None:
            return None
        return take(job, owner=owner, lease_seconds=lease_seconds, now=now)

    def _select_due(self, now: ColumnElement[datetime]) -> Select[Any]:
        # One that was asked for, though it may find nothing, is done then and no longer counted.
        is_asked_for = and_(Job.state == JobState.READY, Job.run_at <= now)
        is_free = or_(
            Job.state == JobState.DONE,
            is_asked_for,
            and_(Job.state == JobState.RUNNING, Job.lease_until <= now),
        )
        is_to_be_tried = or_(WebhookEndpoint.try_at.is_(None), WebhookEndpoint.try_at <= now)
        return (
            select(Job)
            .join(WebhookEndpoint, Job.key == _KEY)
            .where(
                is_free,
                WebhookEndpoint.state == "active",
                is_to_be_tried,
                self._where,
                or_(is_asked_for, exists().where(*_list_due(WebhookEndpoint.id.expression, now))),
            )
        )


def list_due(
    session: Session, endpoint_id: int, *, limit: int, now: datetime
) -> list[WebhookMessage]:
    """List what is to be sent next, at most one message about each registration."""
    return list(
        session.scalars(
            select(WebhookMessage)
            .where(*_list_due(endpoint_id, literal(now, UtcDateTime)))
            .order_by(WebhookMessage.next_at, WebhookMessage.id)
            .limit(limit)
        )
    )


def list_by_ids(session: Session, ids: Sequence[int]) -> list[WebhookMessage]:
    """Read messages anew, in the order in which they came about."""
    return list(
        session.scalars(
            select(WebhookMessage)
            .where(WebhookMessage.id.in_(ids))
            .order_by(WebhookMessage.id)
            .execution_options(populate_existing=True)
        )
    )


def put_off_followers(session: Session, message: WebhookMessage) -> None:
    """Have the later messages about a registration wait as long as one that was not taken."""
    if message.registration_id is not None:
        session.execute(
            update(WebhookMessage)
            .where(
                WebhookMessage.endpoint_id == message.endpoint_id,
                WebhookMessage.registration_id == message.registration_id,
                WebhookMessage.state == _WAITING,
                WebhookMessage.next_at < message.next_at,
            )
            .values(next_at=message.next_at)
        )


def hasten(session: Session, endpoint_id: int, *, now: datetime) -> None:
    """Make due all that waits for an endpoint."""
    session.execute(
        update(WebhookMessage)
        .where(*_is_waiting(endpoint_id), WebhookMessage.next_at > now)
        .values(next_at=now)
    )


def begin_anew(session: Session, endpoint_id: int, *, now: datetime) -> None:
    """Make due all that waits for an endpoint, as if nothing of it had been tried."""
    session.execute(
        update(WebhookMessage)
        .where(*_is_waiting(endpoint_id))
        .values(next_at=now, attempts=0, first_tried_at=None)
    )


def forget_a_wrong_clock(session: Session, *, now: datetime) -> None:
    """Have all be due that waits by the times of a clock which has been set back since."""
    soon = now + CLOCK_TOLERANCE
    is_of_it = or_(WebhookMessage.happened_at > soon, WebhookMessage.tried_at > soon)
    session.execute(
        update(WebhookMessage)
        .where(WebhookMessage.state == _WAITING, WebhookMessage.next_at > now, is_of_it)
        .values(next_at=now, first_tried_at=None)
    )
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.failing_since > soon)
        .values(failing_since=now, try_at=None)
    )
    session.execute(
        update(Job)
        .where(Job.kind == "webhook", Job.state != JobState.DONE, Job.updated_at > soon)
        .values(lease_until=now, run_at=now, updated_at=now)
    )


def drop_waiting(session: Session, endpoint_id: int) -> int:
    dropped = update(WebhookMessage).where(*_is_waiting(endpoint_id)).values(state="dropped")
    return rowcount(session.execute(dropped))


def replay_failed(session: Session, endpoint_id: int, *, now: datetime) -> int:
    failed = (WebhookMessage.endpoint_id == endpoint_id, WebhookMessage.state == "failed")
    replayed = (
        update(WebhookMessage)
        .where(*failed)
        .values(state="waiting", attempts=0, first_tried_at=None, next_at=now)
    )
    return rowcount(session.execute(replayed))


def is_put_aside(session: Session, endpoint_id: int) -> bool:
    """Tell whether workers have given up on an endpoint: each of several died of it."""
    job = Job.key == f"webhook:{endpoint_id}", Job.state == JobState.PARKED
    return session.scalar(select(Job.id).where(*job)) is not None


def get_message(session: Session, endpoint_id: int, happening: str) -> WebhookMessage | None:
    return session.scalar(
        select(WebhookMessage).where(
            WebhookMessage.endpoint_id == endpoint_id, WebhookMessage.happening == happening
        )
    )


def get_waiting(session: Session, endpoint_id: int, kind: str) -> WebhookMessage | None:
    waiting = select(WebhookMessage).where(*_is_waiting(endpoint_id), WebhookMessage.type == kind)
    return session.scalar(waiting.order_by(WebhookMessage.id).limit(1))


def list_messages(
    session: Session, endpoint_id: int, *, state: str = "", before: int | None = None, limit: int
) -> list[WebhookMessage]:
    """List an endpoint's log, the newest first, from an id on."""
    chosen: list[ColumnElement[bool]] = [WebhookMessage.endpoint_id == endpoint_id]
    if state:
        chosen.append(WebhookMessage.state == state)
    if before is not None:
        chosen.append(WebhookMessage.id < before)
    return list(
        session.scalars(
            select(WebhookMessage).where(*chosen).order_by(WebhookMessage.id.desc()).limit(limit)
        )
    )


def count_by_state(session: Session, endpoint_id: int) -> dict[str, int]:
    rows = session.execute(
        select(WebhookMessage.state, func.count())
        .where(WebhookMessage.endpoint_id == endpoint_id)
        .group_by(WebhookMessage.state)
    )
    return {state: count for state, count in rows}


def _is_waiting(endpoint_id: int | ColumnElement[int]) -> tuple[ColumnElement[bool], ...]:
    return WebhookMessage.endpoint_id == endpoint_id, WebhookMessage.state == _WAITING


def _list_due(
    endpoint_id: int | ColumnElement[int], now: ColumnElement[datetime]
) -> list[ColumnElement[bool]]:
    earlier = aliased(WebhookMessage)
    is_behind = exists().where(
        earlier.endpoint_id == WebhookMessage.endpoint_id,
        earlier.registration_id == WebhookMessage.registration_id,
        earlier.state == _WAITING,
        earlier.id < WebhookMessage.id,
    )
    return [*_is_waiting(endpoint_id), WebhookMessage.next_at <= now, ~is_behind]
