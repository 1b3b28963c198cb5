"""Which accounts and events at Zoom stand still, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    delete,
    exists,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from .heartbeats import CLOCKS_DIFFER_BY
from .job_requests import ZOOM_SYNC
from .models import Event, ZoomAccount, ZoomConnection, ZoomEvent, ZoomRegistrant
from .statements import Statement, insert_for, table_of

EVERYBODY = "EverybodyRefused"
"""The problem of a pause that leaves everybody one try of their own: who knows whom Zoom takes.

What only asks Zoom does not wait for its end either."""

ADDS_BEFORE_LAST = 2
"""After so many adds of a day Zoom takes one more of the same person: perhaps it will do."""

DAY_BEGINS_AFTER = timedelta(minutes=5)
"""So long after midnight in UTC, Zoom has surely begun to count anew."""


LONGEST_WAIT = timedelta(minutes=10)
"""No probe is further off; a later hour is that of a clock that was set back since."""
_LATEST = LONGEST_WAIT + CLOCKS_DIFFER_BY


def get_account(session: Session, account_id: str) -> ZoomAccount | None:
    return session.get(ZoomAccount, account_id)


def get_event(session: Session, event_id: int) -> ZoomEvent | None:
    return session.get(ZoomEvent, event_id)


def lock_account(session: Session, account_id: str, *, now: datetime) -> ZoomAccount:
    """Return an account's row for a change, made if need be."""
    session.execute(
        insert_for(session)(table_of(ZoomAccount))
        .values(
            account_id=account_id,
            failures=0,
            pause_problem="",
            pause_reason="",
            probes=0,
            updated_at=now,
        )
        .on_conflict_do_nothing(index_elements=[ZoomAccount.account_id])
    )
    return session.get_one(ZoomAccount, account_id, with_for_update=True, populate_existing=True)


def forget_account(session: Session, account_id: str) -> None:
    """Forget how an account fared that no connection leads to any more."""
    is_used = exists().where(ZoomConnection.account_id == ZoomAccount.account_id)
    session.execute(delete(ZoomAccount).where(ZoomAccount.account_id == account_id, ~is_used))


def lock_event(session: Session, event_id: int, *, now: datetime) -> ZoomEvent:
    """Return an event's row for a change, made if need be."""
    session.execute(
        insert_for(session)(table_of(ZoomEvent))
        .values(event_id=event_id, pause_problem="", pause_reason="", probes=0, updated_at=now)
        .on_conflict_do_nothing(index_elements=[ZoomEvent.event_id])
    )
    return session.get_one(ZoomEvent, event_id, with_for_update=True, populate_existing=True)


def list_paused_accounts(session: Session) -> list[ZoomAccount]:
    return list(
        session.scalars(
            select(ZoomAccount)
            .where(ZoomAccount.paused_since.is_not(None))
            .order_by(ZoomAccount.account_id)
        )
    )


def list_paused_connections(session: Session) -> dict[int, ZoomAccount]:
    """Return the accounts that stand still, by the id of each connection that leads to one."""
    rows = session.execute(
        select(ZoomConnection.id, ZoomAccount)
        .join(ZoomAccount, ZoomAccount.account_id == ZoomConnection.account_id)
        .where(ZoomAccount.paused_since.is_not(None))
    )
    return {connection_id: account for connection_id, account in rows}


def list_paused_events(session: Session, *, account_id: str | None = None) -> list[ZoomEvent]:
    """List the events that stand still by themselves, of one account or of all."""
    found = select(ZoomEvent).where(ZoomEvent.paused_since.is_not(None))
    if account_id is not None:
        found = found.where(ZoomEvent.event_id.in_(_select_events_of(account_id)))
    return list(session.scalars(found.order_by(ZoomEvent.event_id)))


def has_probe_due(session: Session, *, now: datetime) -> bool:
    """Tell whether it is time to try anything that stands still."""
    values = {"now": now, "latest": now + _LATEST}
    return _HAS_PROBE_DUE.fetch(session, values) is not None


def is_probe_due(paused: ZoomAccount | ZoomEvent, *, now: datetime) -> bool:
    """Tell whether it is time to try this one; see `has_probe_due`."""
    probe_at = paused.probe_at
    return probe_at is not None and not now < probe_at <= now + _LATEST


def list_next_probes(session: Session) -> dict[int, datetime]:
    """Return when each event that stands still is tried next: of two pauses, the later hour."""
    rows = session.execute(
        select(Event.id, ZoomAccount.probe_at, ZoomEvent.probe_at)
        .join(ZoomConnection, ZoomConnection.id == Event.connection_id)
        .outerjoin(ZoomAccount, ZoomAccount.account_id == ZoomConnection.account_id)
        .outerjoin(ZoomEvent, ZoomEvent.event_id == Event.id)
        .where(Event.id.in_(select_standing_events()))
    )
    return {event_id: max(filter(None, probes)) for event_id, *probes in rows}


def hasten_probes(
    session: Session, *, event_id: int | None = None, but_for: str = "", now: datetime
) -> None:
    """Have everything that stands still be tried at once, as somebody has mended something.

    What they say of one event is about it and its account. A pause of the problem `but_for` is left
    as it is.
    """
    accounts: list[ColumnElement[bool]] = []
    alone = [ZoomEvent.pause_problem != but_for]
    if event_id is not None:
        of_event = (
            select(ZoomConnection.account_id)
            .join(Event, Event.connection_id == ZoomConnection.id)
            .where(Event.id == event_id)
        )
        accounts.append(ZoomAccount.account_id.in_(of_event))
        alone.append(ZoomEvent.event_id == event_id)
    _hasten(session, ZoomAccount, accounts, now)
    _hasten(session, ZoomEvent, alone, now)


def hasten_account(session: Session, account_id: str, *, now: datetime) -> None:
    """Have an account and all its events be tried at once, where they stand still."""
    of_account = _select_events_of(account_id)
    _hasten(session, ZoomAccount, [ZoomAccount.account_id == account_id], now)
    _hasten(session, ZoomEvent, [ZoomEvent.event_id.in_(of_account)], now)


def take_probe(
    session: Session, paused: ZoomAccount | ZoomEvent, *, until: datetime, now: datetime
) -> bool:
    """Become the one who tries whether it works again; False if somebody else was faster."""
    return _move_probe(session, paused, until, _is_due(type(paused), now, now + _LATEST))


def give_probe_back(
    session: Session, paused: ZoomAccount | ZoomEvent, *, until: datetime, now: datetime
) -> None:
    """Let somebody else try at once, unless the next probe was decided on by now."""
    _move_probe(session, paused, now, type(paused).probe_at == until)


def select_standing_events() -> Select[int]:
    """Select the events of which no job may be claimed."""
    of_accounts = (
        select(Event.id)
        .join(ZoomConnection, ZoomConnection.id == Event.connection_id)
        .join(ZoomAccount, ZoomAccount.account_id == ZoomConnection.account_id)
        .where(ZoomAccount.paused_since.is_not(None))
    )
    alone = select(ZoomEvent.event_id).where(ZoomEvent.paused_since.is_not(None))
    standing = union_all(of_accounts, alone).subquery()
    return select(standing.c[0])


def select_events_of_first_tries() -> Select[int]:
    """Select the events that stand still, but for first tries and for jobs that only ask."""
    return select(Event.id).where(
        Event.id.in_(select(ZoomEvent.event_id).where(ZoomEvent.pause_problem == EVERYBODY)),
        Event.connection_id.in_(
            select(ZoomConnection.id)
            .outerjoin(ZoomAccount, ZoomAccount.account_id == ZoomConnection.account_id)
            .where(ZoomAccount.paused_since.is_(None))
        ),
    )


def select_events_to_probe(paused: ZoomAccount | ZoomEvent) -> Select[int]:
    """Select the events whose jobs show whether a pause can end; for others another one holds."""
    of_accounts = (
        select(Event.id)
        .join(ZoomConnection, ZoomConnection.id == Event.connection_id)
        .outerjoin(ZoomAccount, ZoomAccount.account_id == ZoomConnection.account_id)
        .outerjoin(ZoomEvent, ZoomEvent.event_id == Event.id)
    )
    if isinstance(paused, ZoomAccount):
        return of_accounts.where(
            ZoomConnection.account_id == paused.account_id, ZoomEvent.paused_since.is_(None)
        )
    return of_accounts.where(
        Event.id == paused.event_id,
        or_(ZoomAccount.account_id.is_(None), ZoomAccount.paused_since.is_(None)),
    )


def select_jobs_of_last_adds(event_id: int, *, now: datetime) -> Select[str]:
    """Select the keys of whose job would add somebody for the last time today, or no more."""
    day = (now - DAY_BEGINS_AFTER).astimezone(UTC).date()
    return select(ZOOM_SYNC.write_key(ZoomRegistrant.registration_id)).where(
        ZoomRegistrant.event_id == event_id,
        ZoomRegistrant.zoom_status.is_(None),
        ZoomRegistrant.counted_on >= day,
        ZoomRegistrant.adds_that_day >= ADDS_BEFORE_LAST,
    )


def _select_events_of(account_id: str) -> Select[int]:
    return (
        select(Event.id)
        .join(ZoomConnection, ZoomConnection.id == Event.connection_id)
        .where(ZoomConnection.account_id == account_id)
    )


def _hasten(
    session: Session,
    table: type[ZoomAccount | ZoomEvent],
    chosen: Sequence[ColumnElement[bool]],
    now: datetime,
) -> None:
    session.execute(
        update(table)
        .where(table.paused_since.is_not(None), *chosen)
        .values(probe_at=now, probes=0, updated_at=now)
    )


def _move_probe(
    session: Session,
    paused: ZoomAccount | ZoomEvent,
    probe_at: datetime,
    where: ColumnElement[bool],
) -> bool:
    table = type(paused)
    key = ZoomAccount.account_id if isinstance(paused, ZoomAccount) else ZoomEvent.event_id
    value = paused.account_id if isinstance(paused, ZoomAccount) else paused.event_id
    moved = session.scalar(
        update(table)
        .where(key == value, table.paused_since.is_not(None), where)
        .values(probe_at=probe_at)
        .returning(key)
    )
    return moved is not None


def _is_due(
    table: type[ZoomAccount | ZoomEvent],
    now: datetime | BindParameter[datetime],
    latest: datetime | BindParameter[datetime],
) -> ColumnElement[bool]:
    return or_(table.probe_at <= now, table.probe_at > latest)


# Workers ask whenever they look for a job.
_HAS_PROBE_DUE = Statement(
    lambda _: select(literal(1)).where(
        or_(
            *(
                exists().where(
                    table.paused_since.is_not(None),
                    _is_due(table, bindparam("now"), bindparam("latest")),
                )
                for table in (ZoomAccount, ZoomEvent)
            )
        )
    )
)
