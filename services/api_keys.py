"""Keys with which programs use the API: what each may do, and how it is told from a made-up one.

A key is 256 random bits, shown once. Here is only its SHA-256, by which it is found: nobody can
guess so many bits, so that a slow hash would only make each request slow.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import api_keys
from storage.limits import Bucket, spend
from storage.models import ApiKey

from . import audit
from .audit import COMMAND, Action, Fact
from .limits import RateLimitReached
from .members import Member

MARK = "uketsuke_"
SHOWN = 3
"""So many characters of a key stand in the list of keys, after its mark: 18 bits of 256."""

LIVES_DAYS = (30, 90, 365)
SOON = timedelta(days=14)
NOTED_EVERY = timedelta(minutes=5)

# A program that is let loose is stopped; one that brings a crowd of people is not.
BURST = 600
INTERVAL_SECONDS = 0.05
RETRY_SECONDS = 5

KEY = "key:"
"""What an actor of the audit log begins with that is a key: its public id follows."""


class Scope(StrEnum):
    """One right of a key."""

    EVENTS_READ = "events:read"
    REGISTRATIONS_READ = "registrations:read"
    REGISTRATIONS_WRITE = "registrations:write"
    REGISTRATIONS_ERASE = "registrations:erase"
    REGISTRATIONS_EXPORT = "registrations:export"
    SENSITIVE_READ = "sensitive:read"


class KeyState(StrEnum):
    """The state of a key; one that is `SOON` still works, and expires within two weeks."""

    WORKS = "works"
    SOON = "soon"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Caller:
    """A program that has shown a key: storage functions take `organization_id` from here."""

    key_id: int
    public_id: str
    organization_id: int
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def issue_key(
    session: Session,
    member: Member,
    *,
    name: str,
    scopes: Iterable[Scope],
    days: int,
    now: datetime,
) -> str:
    """Make a key and return it: it is kept nowhere. Side effects: an audit entry."""
    key = MARK + secrets.token_urlsafe(32)
    row = ApiKey(
        organization_id=member.organization_id,
        name=name,
        prefix=key[: len(MARK) + SHOWN],
        hash=hash_key(key),
        scopes=[str(scope) for scope in Scope if scope in set(scopes)],
        created_by=member.public_id,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    api_keys.add_key(session, row)
    facts: dict[str, Fact] = {"scopes": " ".join(row.scopes), "days": days}
    object_ = f"api_key:{row.public_id}"
    audit.record(session, member, Action.API_KEY_MADE, object_, facts=facts, now=now)
    return key


def revoke_key(session: Session, member: Member, public_id: str, *, now: datetime) -> bool:
    """End a key for good; return False where the organization has none of that id.

    Side effects: an audit entry, unless it had ended before.
    """
    key = api_keys.lock_key(session, member.organization_id, public_id)
    if key is None:
        return False
    if key.revoked_at is None:
        key.revoked_at = now
        audit.record(session, member, Action.API_KEY_REVOKED, f"api_key:{public_id}", now=now)
    return True


def revoke_keys_of(session: Session, member: Member, organizer: str, *, now: datetime) -> None:
    """End all keys that somebody made who may not have any now; as `revoke_key`."""
    for key in api_keys.lock_keys_of(session, member.organization_id, organizer, now=now):
        key.revoked_at = now
        audit.record(session, member, Action.API_KEY_REVOKED, f"api_key:{key.public_id}", now=now)


def revoke_by_operator(session: Session, which: str, *, now: datetime) -> ApiKey | None:
    """End a key for good, named by its public id or by itself; None where there is none.

    Side effects: as `revoke_key`.
    """
    key = api_keys.find_to_revoke(session, which, hash_key(which))
    if key is not None and key.revoked_at is None:
        key.revoked_at = now
        object_, chain = f"api_key:{key.public_id}", key.organization_id
        audit.record_as(session, COMMAND, Action.API_KEY_REVOKED, object_, chain=chain, now=now)
    return key


def read_state(key: ApiKey, now: datetime) -> KeyState:
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.expires_at <= now:
        return KeyState.EXPIRED
    return KeyState.SOON if key.expires_at <= now + SOON else KeyState.WORKS


def spend_request(session: Session, caller: Caller, *, now: datetime) -> None:
    """Take one from the requests of a key that store something or read people.

    Raises:
        RateLimitReached: the key asks too much; all processes count together.
    """
    bucket = Bucket(f"api:{caller.key_id}", INTERVAL_SECONDS, BURST)
    if not spend(session, bucket, now=now.timestamp()):
        raise RateLimitReached(retry_after_seconds=RETRY_SECONDS)


def record(
    session: Session,
    caller: Caller,
    action: Action,
    object_: str,
    *,
    facts: dict[str, Fact] | None = None,
    now: datetime,
) -> None:
    """Add an audit entry about what a program did; last, as `audit.record`."""
    audit.record_as(
        session,
        f"{KEY}{caller.public_id}",
        action,
        object_,
        chain=caller.organization_id,
        facts=facts,
        now=now,
    )
