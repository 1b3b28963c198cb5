"""Signed-in browsers: how a session begins, how long it lasts, and whom it stands for."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import access_links, members, organizations, organizers
from storage.models import Membership, Organization, Organizer, OrganizerSession

from .keys import KeyRing
from .members import Member, make_member

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
    session: Session, keys: KeyRing, organizer: Organizer, *, device: str, now: datetime
) -> str | None:
    """Sign an organizer in and return the cookie's token; None for a member of nothing.

    Side effects: sessions that ended by themselves are deleted, and links of long ago.
    """
    memberships = members.list_memberships(session, organizer.id)
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
        device=device,
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
    chosen = _choose(session, browser)
    if chosen is None:
        return None
    membership, organization = chosen
    event_ids = members.list_event_ids(session, membership)
    return make_member(organizer, membership, organization, browser, event_ids)


def has_ended(browser: OrganizerSession, now: datetime) -> bool:
    return now - browser.seen_at > IDLE or now - browser.created_at > LONGEST


def is_proven(member: Member, now: datetime) -> bool:
    """Tell whether the member has lately shown who they are, as sensitive things ask for."""
    return not member.can_prove or now - member.proven_at <= PROOF_HOLDS


def describe_device(user_agent: str) -> str:
    """Say which browser on which system, in words that its user knows; "" if it is neither."""
    agent = re.sub(r"[^ -~]", "", user_agent)
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in agent), "")
    if not browser and "Safari/" in agent:
        browser = "Safari"
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " / ".join(part for part in (browser, system) if part)


def _choose(session: Session, browser: OrganizerSession) -> tuple[Membership, Organization] | None:
    """Return the organization chosen last, else the first one they are a member of."""
    if browser.organization_id is not None:
        membership = members.get_membership(session, browser.organization_id, browser.organizer_id)
        if membership is not None:
            organization = organizations.need_organization(session, membership.organization_id)
            return membership, organization
    memberships = members.list_memberships(session, browser.organizer_id)
    return memberships[0] if memberships else None


def _hash(keys: KeyRing, token: str) -> list[str]:
    return [
        hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
        for key in keys.derive("organizer-session")
    ]
