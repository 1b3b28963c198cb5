"""The audit log: who did and saw what, in a chain of hashes that shows what was changed later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import audit
from storage.audit import AuditFilter
from storage.models import AuditEntry

from .members import Member

NOBODY = "nobody"
COMMAND = "command"
"""The actor of what was done on the command line."""

NO_ORGANIZATION = 0
BEGINNING = "0" * 64

Fact = str | int | bool | None


class Action(StrEnum):
    """What was done or seen."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    ACCESS_DENIED = "access_denied"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word of the log
    PASSWORD_LINK_ASKED = "password_link_asked"  # noqa: S105 - a word of the log
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    COMPANY_LINKED = "company_linked"
    ORGANIZATION_ADDED = "organization_added"
    MEMBER_INVITED = "member_invited"
    INVITATION_WITHDRAWN = "invitation_withdrawn"
    MEMBER_JOINED = "member_joined"
    MEMBER_CHANGED = "member_changed"
    MEMBER_REMOVED = "member_removed"
    AUDIT_SEEN = "audit_seen"
    AUDIT_EXPORTED = "audit_exported"
    SETTINGS_CHANGED = "settings_changed"
    API_KEY_MADE = "api_key_made"
    API_KEY_REVOKED = "api_key_revoked"
    WEBHOOK_MADE = "webhook_made"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_REMOVED = "webhook_removed"
    EVENT_SEEN = "event_seen"
    EVENT_CHANGED = "event_changed"
    PEOPLE_LISTED = "people_listed"
    PERSON_SEEN = "person_seen"
    PERSON_CHANGED = "person_changed"
    PEOPLE_CHANGED = "people_changed"
    PEOPLE_IMPORTED = "people_imported"
    PEOPLE_EXPORTED = "people_exported"


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold: the first number whose row was changed, added or removed."""

    number: int


def record(
    session: Session,
    member: Member,
    action: Action,
    object_: str = "",
    *,
    facts: Mapping[str, Fact] | None = None,
    now: datetime,
) -> None:
    """Add an entry about a member's act, in the transaction of the act itself.

    Args:
        object_: what it was done to, as kind and public id: `event:…`, `registration:…`.
        facts: names of changed fields, counts, words of ours. Never what a person typed, no
            address, no link.

    Side effects: the organization's chain is locked until the transaction ends, so call it last.
    """
    record_as(
        session,
        member.public_id,
        action,
        object_,
        chain=member.organization_id,
        facts=facts,
        now=now,
    )


def record_as(
    session: Session,
    actor: str,
    action: Action,
    object_: str = "",
    *,
    chain: int = NO_ORGANIZATION,
    facts: Mapping[str, Fact] | None = None,
    now: datetime,
) -> None:
    """As `record`, for whoever is no member: `NOBODY`, `COMMAND`, or an organizer's public id."""
    number, before = audit.lock_head(session, chain) or (0, BEGINNING)
    entry = AuditEntry(
        chain=chain,
        number=number + 1,
        at=now.astimezone(UTC),
        actor=actor,
        action=str(action),
        object=object_,
        facts=dict(facts or {}),
    )
    entry.hash = hash_entry(entry, before)
    audit.add_entry(session, entry)


def hash_entry(entry: AuditEntry, before: str) -> str:
    """Return the hash of an entry, which covers that of the entry before it."""
    told = (
        before,
        entry.chain,
        entry.number,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.object,
        entry.facts,
    )
    text = json.dumps(told, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def find_break(
    entries: Iterable[AuditEntry],
    end: tuple[int, str] | None,
    *,
    after: tuple[int, str] = (0, BEGINNING),
) -> Break | None:
    """Check a piece of a chain, oldest entry first, against number and hash of its last entry."""
    number, before = after
    for entry in entries:
        number += 1
        if entry.number != number or entry.hash != hash_entry(entry, before):
            return Break(number)
        before = entry.hash
    return None if (number, before) == (end or (0, BEGINNING)) else Break(number + 1)


def check_chain(session: Session, chain: int) -> tuple[int, Break | None]:
    """Check a whole chain; return how many entries hold, and where it breaks."""
    last = (0, BEGINNING)
    while True:
        begun = last
        for entry in audit.stream_entries(session, chain, AuditFilter(), after=last[0]):
            end = (entry.number, entry.hash)
            if broken := find_break([entry], end, after=last):
                return last[0], broken
            last = end
        head = audit.get_head(session, chain) or (0, BEGINNING)
        if head == last or (head[0] == 0 == last[0]):
            return last[0], None
        # Whatever was written meanwhile is read too; what is missing does not come.
        if last == begun or head[0] <= last[0]:
            return last[0], Break(last[0] + 1)
