"""Reading and writing alarms: one row for each thing that is wrong, whoever notices it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from .jobs import CLOCK_TOLERANCE
from .models import Alarm
from .statements import insert_for

REFUSED_FOR = timedelta(hours=1)


def list_names(session: Session) -> list[str]:
    return list(session.scalars(select(Alarm.name)))


def lock_alarms(session: Session) -> dict[str, Alarm]:
    """Return all alarms by name, and let nobody else change them before this transaction ends."""
    rows = session.scalars(select(Alarm).order_by(Alarm.name).with_for_update())
    return {alarm.name: alarm for alarm in rows}


def add_alarm(
    session: Session, name: str, *, facts: Mapping[str, Any], message_id: str, now: datetime
) -> bool:
    """Add an alarm; False if another process was faster."""
    statement = insert_for(session)(Alarm).values(
        name=name,
        began_at=now,
        facts=dict(facts),
        message_id=message_id,
        is_doubtful=False,
        confirmed_at=now,
    )
    added = statement.on_conflict_do_nothing(index_elements=[Alarm.name]).returning(Alarm.name)
    return session.scalar(added) is not None


def delete_alarm(session: Session, name: str) -> None:
    session.execute(delete(Alarm).where(Alarm.name == name))


def take_untold(
    session: Session, names: Collection[str], *, until: datetime, now: datetime
) -> Alarm | None:
    """Take the lease on telling the operator about one alarm of these names, until then.

    What was refused is tried again after an hour. A lease longer than any, and a refusal still to
    come, come from a clock that has been set back since.
    """
    lease, refused = Alarm.lease_until, Alarm.refused_at
    of_machines = [Alarm.name.startswith(f"{name}:") for name in names]
    alarm = session.scalar(
        select(Alarm)
        .where(
            Alarm.message_id != "",
            or_(Alarm.name.in_(names), *of_machines),
            or_(lease.is_(None), lease <= now, lease > until + CLOCK_TOLERANCE),
            or_(
                refused.is_(None),
                refused <= now - REFUSED_FOR,
                refused > now + CLOCK_TOLERANCE,
            ),
        )
        .order_by(Alarm.began_at, Alarm.name)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if alarm is not None:
        alarm.lease_until = until
    return alarm


def record_told(session: Session, name: str, message_id: str, *, now: datetime) -> None:
    """Record that a message went; the row of what is over goes with it."""
    is_this = (Alarm.name == name, Alarm.message_id == message_id)
    session.execute(delete(Alarm).where(*is_this, Alarm.ended_at.is_not(None)))
    session.execute(
        update(Alarm)
        .where(*is_this)
        .values(told_at=now, message_id="", is_doubtful=False, lease_until=None, refused_at=None)
    )


def record_refused(session: Session, name: str, message_id: str, *, now: datetime) -> None:
    """Record that the mail server took no message: it stays due."""
    session.execute(
        update(Alarm)
        .where(Alarm.name == name, Alarm.message_id == message_id)
        .values(refused_at=now, lease_until=None)
    )


def record_doubt(session: Session, name: str, message_id: str) -> None:
    """Record that nobody knows whether a message went: once the lease ends it is sent again."""
    session.execute(
        update(Alarm)
        .where(Alarm.name == name, Alarm.message_id == message_id)
        .values(is_doubtful=True)
    )
