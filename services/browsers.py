"""Signed-in browsers: how a session begins, how long it lasts, and whom it stands for."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import access_links, identity_providers, members, organizers
from storage.models import Membership, Organization, Organizer, OrganizerSession

from .keys import KeyRing
from .members import Member, Role, make_member

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
LINKS_KEPT = timedelta(days=30)
NOTED_EVERY = timedelta(minutes=1)
PROOF_HOLDS = timedelta(minutes=10)
"""For so long after a password, code or passkey nobody asks for one again."""

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def new_token() -> str:
    """Return 256 random bits: what a browser keeps as its cookie."""
    return secrets.token_urlsafe(32)


def begin(
    session: Session,
    keys: KeyRing,
    organizer: Organizer,
    *,
    device: str,
    confined_to: int | None = None,
    proven_at: datetime | None = None,
    now: datetime,
) -> str | None:
    """Sign an organizer in and return the cookie's token; None where nothing is open to them.

    Args:
        confined_to: the organization whose company account has let them in.
        proven_at: when they showed who they are, if that was not just now.

    Side effects: sessions that ended by themselves are deleted, and links of long ago.
    """
    memberships = list_open(session, organizer.id, confined_to=confined_to)
    if not memberships:
        return None
    organizers.end_old_browsers(session, created_before=now - LONGEST, seen_before=now - IDLE)
    access_links.forget_old(session, expired_before=now - LINKS_KEPT)
    token = new_token()
    organizers.add_browser(
        session,
        organizer.id,
        token_hash=_hash(keys, token)[0],
        organization_id=memberships[0][1].id,
        confined_to=confined_to,
        device=device,
        proven_at=proven_at or now,
        now=now,
    )
    return token


def find_member(session: Session, keys: KeyRing, token: str, *, now: datetime) -> Member | None:
    """Return whom a cookie stands for; None if its session ended, or they are in nothing."""
    browser = organizers.get_browser(session, _hash(keys, token))
    if browser is None or has_ended(browser, now):
        return None
    organizer = organizers.get_organizer(session, browser.organizer_id)
    assert organizer is not None, "sessions end with their organizer"
    found = list_open(session, organizer.id, confined_to=browser.confined_to)
    if not found:
        return None
    chosen = [row for row in found if row[1].id == browser.organization_id]
    # The organization chosen last, else the first one that is open to them.
    membership, organization = (chosen or found)[0]
    event_ids = members.list_event_ids(session, membership)
    return make_member(
        organizer, membership, organization, browser, event_ids, has_others=len(found) > 1
    )


def end(session: Session, keys: KeyRing, token: str) -> None:
    """End the session that a cookie stands for, if there is one."""
    browser = organizers.get_browser(session, _hash(keys, token))
    if browser is not None:
        organizers.end_session(session, browser.id)


def list_open(
    session: Session, organizer_id: int, *, confined_to: int | None = None
) -> list[tuple[Membership, Organization]]:
    """List the organizations open to an organizer, given how they signed in.

    Signing in with a company account opens that organization alone, whose owner chose to trust the
    provider. Any other way opens all others, except where an organization demands its company
    account: there only its full owners get in without it.
    """
    found = members.list_memberships(session, organizer_id)
    if confined_to is not None:
        return [row for row in found if row[1].id == confined_to]
    asking = [row[1].id for row in found if not _is_full_owner(row[0])]
    closed = identity_providers.list_closed_to_passwords(session, asking) if asking else set()
    return [row for row in found if _is_full_owner(row[0]) or row[1].id not in closed]


def has_ended(browser: OrganizerSession, now: datetime) -> bool:
    # Whoever leaves a company is taken out there, which nobody tells us: so it is asked each day.
    longest = LONGEST if browser.confined_to is None else IDLE
    return now - browser.seen_at > IDLE or now - browser.created_at > longest


def is_proven(member: Member, now: datetime) -> bool:
    """Tell whether the member has shown who they are recently enough for sensitive actions."""
    return not member.can_prove or now - member.proven_at <= PROOF_HOLDS


def describe_device(user_agent: str) -> str:
    """Say which browser on which system, in words that its user knows; "" if it is neither."""
    agent = re.sub(r"[^ -~]", "", user_agent)
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in agent), "")
    if not browser and "Safari/" in agent:
        browser = "Safari"
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " / ".join(part for part in (browser, system) if part)


def _is_full_owner(membership: Membership) -> bool:
    return membership.role == Role.OWNER and membership.has_all_events


def _hash(keys: KeyRing, token: str) -> list[str]:
    return [
        hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
        for key in keys.derive("organizer-session")
    ]
