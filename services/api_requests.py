"""Requests of programs that come twice: the same `Idempotency-Key` has one effect and one answer.

The key is kept with a digest of what was sent for a day, in the transaction of the effect. What
was refused has stored nothing, and may be sent again under the same key.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import api_requests

from .api_keys import Caller

REPEATED_WITHIN = timedelta(days=1)


class KeyReused(Exception):
    """Something else was sent under this idempotency key before."""


def begin_request(
    session: Session, caller: Caller, idempotency_key: str, *, sent: bytes, now: datetime
) -> str | None:
    """Return what a request has stored if it was here before, else None: then it is to be done.

    Of several at once the others wait for the first.

    Args:
        sent: all that says what was asked for.

    Raises:
        KeyReused: the key came with something else before.
    """
    digest = hashlib.sha256(sent).hexdigest()
    found = api_requests.claim(
        session, caller.key_id, _name(idempotency_key), digest=digest, now=now
    )
    if found is None:
        return None
    earlier, answer = found
    if earlier != digest:
        raise KeyReused
    return answer


def end_request(session: Session, caller: Caller, idempotency_key: str, answer: str) -> None:
    """Note what a request has stored, to be answered again."""
    api_requests.answer(session, caller.key_id, _name(idempotency_key), answer)


def _name(idempotency_key: str) -> str:
    return hashlib.sha256(idempotency_key.encode()).hexdigest()
