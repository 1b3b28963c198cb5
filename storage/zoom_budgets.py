"""What is left of an account's limits at Zoom, counted by all processes together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Float, Integer, and_, bindparam, case, delete, or_, select
from sqlalchemy.orm import Session

from .models import ZoomBudget
from .statements import Statement, insert_for, table_of

LONGEST_CLOSURE_SECONDS = 26 * 3600.0
"""What lies further ahead was stored by a clock that has been set back since."""

_LONGEST_WAIT_SECONDS = 60.0


def reserve(
    session: Session,
    account_id: str,
    name: str,
    *,
    interval: float,
    patience: float,
    per_day: int | None,
    day: date,
    now: float,
) -> float | None:
    """Take the next free moment for one call, in one statement.

    Args:
        interval: seconds between two calls.
        patience: how many seconds ahead the moment may lie.
        per_day: how many calls `day` has, a day in UTC; None for as many as there are seconds.
        now: seconds since 1970.

    Returns the moment, or None where it is too far ahead or the day is used up.
    """
    taken = _TAKE_MOMENT.fetch(
        session,
        {
            "account_id": account_id,
            "name": name,
            "full_at": now + interval,
            "day": day,
            "used_that_day": 1,
            "closed_until": 0.0,
            "now": now,
            "interval": interval,
            "latest": now + patience,
            "latest_taken": now + _LONGEST_WAIT_SECONDS,
            "latest_closed": now + LONGEST_CLOSURE_SECONDS,
            "per_day": 2**31 - 1 if per_day is None else per_day,
        },
    )
    return None if taken is None else float(taken[0]) - interval


def get_budget(session: Session, account_id: str, name: str) -> ZoomBudget | None:
    return session.get(ZoomBudget, (account_id, name))


def close(session: Session, account_id: str, name: str, *, until: float, day: date) -> None:
    """Let no call be made until then; of several closures the last one to end holds."""
    statement = insert_for(session)(table_of(ZoomBudget)).values(
        account_id=account_id,
        name=name,
        full_at=0.0,
        day=day,
        used_that_day=0,
        closed_until=until,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[ZoomBudget.account_id, ZoomBudget.name],
            set_={"closed_until": until},
            where=or_(
                ZoomBudget.closed_until < until,
                ZoomBudget.closed_until > until + LONGEST_CLOSURE_SECONDS,
            ),
        )
    )


def is_closed(session: Session, account_id: str, names: Sequence[str], *, now: float) -> bool:
    """Tell whether Zoom has closed one of some budgets."""
    closed = select(ZoomBudget.name).where(
        ZoomBudget.account_id == account_id,
        ZoomBudget.name.in_(names),
        ZoomBudget.closed_until > now,
        ZoomBudget.closed_until <= now + LONGEST_CLOSURE_SECONDS,
    )
    return session.scalar(closed.limit(1)) is not None


def forget_idle_budgets(session: Session, *, before: date, now: float) -> None:
    """Delete the counts of days that are over: they limit nothing."""
    session.execute(
        delete(ZoomBudget).where(ZoomBudget.day < before, ZoomBudget.closed_until < now)
    )


def _take_moment(insert: Any) -> Any:
    now, interval, latest, latest_taken, latest_closed = (
        bindparam(name, type_=Float)
        for name in ("now", "interval", "latest", "latest_taken", "latest_closed")
    )
    budget = table_of(ZoomBudget).c
    statement = insert(table_of(ZoomBudget))
    today, one = statement.excluded.day, statement.excluded.used_that_day
    # What lies later than anybody waits for was never taken: the clock has gone back since.
    is_taken = and_(budget.full_at > now, budget.full_at <= latest_taken)
    taken = case((is_taken, budget.full_at), else_=now)
    is_closed = and_(budget.closed_until > taken, budget.closed_until <= latest_closed)
    moment = case((is_closed, budget.closed_until), else_=taken)
    used = case((budget.day == today, budget.used_that_day + one), else_=one)
    return statement.on_conflict_do_update(
        index_elements=[ZoomBudget.account_id, ZoomBudget.name],
        set_={"full_at": moment + interval, "day": today, "used_that_day": used},
        where=and_(moment <= latest, used <= bindparam("per_day", type_=Integer)),
    ).returning(ZoomBudget.full_at)


_TAKE_MOMENT = Statement(_take_moment)
