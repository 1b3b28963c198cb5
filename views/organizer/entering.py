"""What all ways of signing in share: counting tries, and the session that begins."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from flask import redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services import browsers, sign_in, tickets
from services.passkeys import Party, offer_sign_in
from services.sign_in_limits import Try, count_try
from storage import organizers
from storage.models import Organizer

from ..site import get_site
from .access import find_member, make_form_token, read_next
from .cookies import BROWSER, DEVICE, STEP, give_cookie, read_cookie


def count(kind: Try, key: str, organizer: Organizer | None, now: datetime) -> None:
    """Count a try where the settings say so.

    Raises:
        RateLimitReached: it was one too many.
    """
    site = get_site()
    if not site.settings.rate_limits:
        return
    with site.database.write() as session:
        count_try(
            session,
            site.keys,
            kind,
            email_key=key,
            device=tickets.read_device(site.keys, read_cookie(DEVICE), organizer),
            remote_addr=request.remote_addr,
            now=now,
        )


def finish(organizer: Organizer, *, by: str, now: datetime) -> ResponseReturnValue | None:
    """Begin the session of an organizer who has shown all there is.

    None for a member of nothing, and for whoever showed a password that was changed meanwhile.
    Side effects: the browser gets a new cookie, whatever it had before.
    """
    site = get_site()
    with site.database.write() as session:
        row = organizers.lock_organizer(session, organizer.id)
        if row.password_hash != organizer.password_hash:
            return None
        end_former_session(session)
        token = sign_in.begin_session(session, site.keys, row, by=by, device=read_device(), now=now)
    if token is None:
        return None
    take_in(organizer, token)
    return redirect(read_next(), code=303)


def end_former_session(session: Session) -> None:
    """End the session that this browser has had until now."""
    former = find_member()
    if former is not None:
        organizers.end_session(session, former.session_id)


def take_in(organizer: Organizer, token: str) -> None:
    """Let the browser be the one of a session that has begun."""
    site = get_site()
    give_cookie(BROWSER, token)
    give_cookie(STEP, "")
    if not tickets.read_device(site.keys, read_cookie(DEVICE), organizer):
        give_cookie(DEVICE, tickets.make_device(site.keys, organizer))


def read_device() -> str:
    return browsers.describe_device(request.headers.get("User-Agent", ""))


def write_next() -> str:
    return urlencode({"next": read_next()})


def offer_passkey() -> str:
    """Return what the button for a passkey needs; empty where there can be none."""
    site = get_site()
    party = Party.of_site(site.settings.site_url)
    if not party.can_have_passkeys:
        return ""
    make_form_token()  # the answer is bound to the browser's cookie, so there must be one
    return offer_sign_in(site.keys, party, cookie=read_cookie(BROWSER), now=site.read_clock())
