"""Requests of programs that come twice: the same `Idempotency-Key` has one effect and one answer.

The key is kept with a digest of what was sent for a day, in the transaction of the effect. What
was refused has stored nothing, and may be sent again under the same key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import api_requests

from .api_keys import Caller

REPEATED_WITHIN = timedelta(days=1)


class KeyReused(Exception):
    """Something else was sent under this idempotency key before."""


@dataclass(frozen=True)
class Asked:
    """A request that names an idempotency key; `sent` is all that says what was asked for."""

    caller: Caller
    idempotency_key: str
    sent: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return hashlib.sha256(self.idempotency_key.encode()).hexdigest()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sent).hexdigest()


def find_answer(session: Session, asked: Asked) -> str | None:
    """Return what the same request stored when it came before; None if it is new.

    Ask before validating: what was possible the first time may be impossible by now, and a repeated
    request still gets its first answer.

    Raises:
        KeyReused: the key came with something else before.
    """
    return _compare(asked, api_requests.find(session, asked.caller.key_id, asked.name))


def begin_request(session: Session, asked: Asked, *, now: datetime) -> str | None:
    """As `find_answer`, and reserve the key: of several at once, one gets None and does the work.

    The others wait here until its transaction has ended.
    """
    found = api_requests.claim(
        session, asked.caller.key_id, asked.name, digest=asked.digest, now=now
    )
    return _compare(asked, found)


def end_request(session: Session, asked: Asked, answer: str) -> None:
    """Note what a request has stored, to be answered again."""
    api_requests.answer(session, asked.caller.key_id, asked.name, answer)


def _compare(asked: Asked, found: tuple[str, str] | None) -> str | None:
    if found is None:
        return None
    digest, answer = found
    if digest != asked.digest:
        raise KeyReused
    return answer
