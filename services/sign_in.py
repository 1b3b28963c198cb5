"""Signing in: who it is, what else has to be shown, and the session that begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from storage import access_links, members, organizers, passkeys
from storage.models import AccessLink, Organizer

from . import audit, browsers
from .audit import NO_ORGANIZATION, NOBODY, Action, Fact
from .keys import KeyRing


def needs_second_step(session: Session, organizer: Organizer) -> bool:
    """Tell whether a password alone does not sign an organizer in."""
    return bool(organizer.totp_secret) or passkeys.has_passkey(session, organizer.id)


def begin_session(
    session: Session,
    keys: KeyRing,
    organizer: Organizer,
    *,
    by: str,
    device: str,
    confined_to: int | None = None,
    proven_at: datetime | None = None,
    now: datetime,
) -> str | None:
    """Sign an organizer in who has shown all there is to show; return the cookie's token.

    None where nothing is open to them. Side effects: an entry in the log of each organization that
    they can reach.
    """
    token = browsers.begin(
        session,
        keys,
        organizer,
        device=device,
        confined_to=confined_to,
        proven_at=proven_at,
        now=now,
    )
    if token is not None:
        record_about(
            session,
            organizer,
            Action.SIGNED_IN,
            facts={"by": by},
            confined_to=confined_to,
            now=now,
        )
    return token


def wants_company_account(session: Session, organizer: Organizer) -> bool:
    """Tell whether somebody to whom nothing is open would get in with their company's account."""
    is_member = bool(members.list_memberships(session, organizer.id))
    return is_member and not browsers.list_open(session, organizer.id)


def enter_by_link(
    session: Session, keys: KeyRing, link: AccessLink, *, device: str, now: datetime
) -> str | None:
    """Sign in whoever a link of the kind `enter` was made for; return the cookie's token."""
    if link.organizer_id is None or not access_links.use_link(session, link.id, now=now):
        return None
    organizer = organizers.lock_organizer(session, link.organizer_id)
    return begin_session(session, keys, organizer, by="link", device=device, now=now)


def record_failure(
    session: Session, organizer: Organizer | None, *, by: str, now: datetime
) -> None:
    """Log a try that failed; of an unknown address nothing is kept but that there was one."""
    if organizer is None:
        audit.record_as(session, NOBODY, Action.SIGN_IN_FAILED, facts={"by": by}, now=now)
    else:
        record_about(
            session, organizer, Action.SIGN_IN_FAILED, actor=NOBODY, facts={"by": by}, now=now
        )


def record_about(
    session: Session,
    organizer: Organizer,
    action: Action,
    *,
    actor: str = "",
    facts: Mapping[str, Fact] | None = None,
    confined_to: int | None = None,
    now: datetime,
) -> None:
    """Log what concerns an organizer's account in every organization they are a member of."""
    memberships = members.list_memberships(session, organizer.id)
    # In one order, so that two of them never wait for each other.
    chains = sorted(organization.id for _, organization in memberships) or [NO_ORGANIZATION]
    if confined_to is not None:
        chains = [confined_to]
    for chain in chains:
        audit.record_as(
            session,
            actor or organizer.public_id,
            action,
            f"organizer:{organizer.public_id}",
            chain=chain,
            facts=facts,
            now=now,
        )
