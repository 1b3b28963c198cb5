"""Requests of programs that named an idempotency key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.orm import Session

from .models import ApiRequest
from .statements import Statement, table_of

_TABLE = table_of(ApiRequest)
_IS_SAME = and_(_TABLE.c.key_id == bindparam("of_key"), _TABLE.c.name == bindparam("of_name"))


def _claim(insert: Any) -> Any:
    return insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.key_id)


_CLAIM = Statement(_claim)
_FIND = Statement(lambda _: select(_TABLE.c.digest, _TABLE.c.answer).where(_IS_SAME))
_ANSWER = Statement(lambda _: update(_TABLE).where(_IS_SAME).values(answer=bindparam("given")))


def claim(
    session: Session, key_id: int, name: str, *, digest: str, now: datetime
) -> tuple[str, str] | None:
    """Take an idempotency key; return digest and answer of whoever took it before, if anybody.

    Of several at once, the others wait here until the first has ended its transaction.
    """
    row = {"key_id": key_id, "name": name, "digest": digest, "answer": "", "created_at": now}
    if _CLAIM.fetch(session, row) is not None:
        return None
    found = find(session, key_id, name)
    assert found is not None, "the row that refused ours"
    return found


def find(session: Session, key_id: int, name: str) -> tuple[str, str] | None:
    """Return digest and answer of whoever has had an idempotency key, if anybody."""
    found = _FIND.fetch(session, {"of_key": key_id, "of_name": name})
    return None if found is None else (found[0], found[1])


def answer(session: Session, key_id: int, name: str, given: str) -> None:
    _ANSWER.change(session, {"of_key": key_id, "of_name": name, "given": given})


def forget_old(session: Session, *, before: datetime) -> None:
    session.execute(delete(ApiRequest).where(ApiRequest.created_at < before))
