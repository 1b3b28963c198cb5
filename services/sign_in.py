"""Signing in: with a link of one use."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import access_links, organizers
from storage.models import AccessLink

from . import audit, browsers
from .audit import Action
from .keys import KeyRing


def enter_by_link(
    session: Session, keys: KeyRing, link: AccessLink, *, device: str, now: datetime
) -> str | None:
    """Sign in whoever a link of the kind `enter` was made for; return the cookie's token."""
    if link.organizer_id is None or not access_links.use_link(session, link.id, now=now):
        return None
    organizer = organizers.lock_organizer(session, link.organizer_id)
    token = browsers.begin(session, keys, organizer, device=device, now=now)
    if token is not None:
        audit.record_as(
            session, organizer.public_id, Action.SIGNED_IN, facts={"by": "link"}, now=now
        )
    return token
