"""What all ways of signing in share: rate limits, and beginning the session."""

from __future__ import annotations

import math
from datetime import datetime
from urllib.parse import urlencode

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.organizer_fields import OrganizerForm
from services import browsers, sign_in, sign_in_limits, tickets
from services.passkeys import Party, offer_sign_in, use_passkey
from services.sign_in_limits import Try, count_try
from storage import organizers
from storage.models import Organizer

from ..site import get_site
from .access import make_form_token, read_next
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


def count_network(now: datetime) -> None:
    """Count a request of a network that has named no account.

    Raises:
        RateLimitReached: as `count`; the error page says when to come back.
    """
    site = get_site()
    if site.settings.rate_limits:
        with site.database.write() as session:
            sign_in_limits.count_network(session, site.keys, request.remote_addr, now=now)


def finish(
    session: Session, organizer: Organizer, *, by: str, now: datetime
) -> ResponseReturnValue | None:
    """Begin the session of an organizer who has shown every factor.

    What a factor used up is stored with it or not at all: `session` is the transaction of both.
    Returns None if no organization is open to them, or if their password was changed since it was
    checked.
    """
    row = organizers.lock_organizer(session, organizer.id)
    if row.password_hash != organizer.password_hash:
        return None
    return enter(session, row, by=by, next_=read_next(), now=now)


def enter(
    session: Session,
    organizer: Organizer,
    *,
    by: str,
    confined_to: int | None = None,
    proven_at: datetime | None = None,
    next_: str,
    now: datetime,
) -> ResponseReturnValue | None:
    """Begin a session and lead on; None where nothing is open to the organizer.

    Side effects: a former session of the browser ends, and it gets a new cookie.
    """
    end_former_session(session)
    token = sign_in.begin_session(
        session,
        get_site().keys,
        organizer,
        by=by,
        device=read_device(),
        confined_to=confined_to,
        proven_at=proven_at,
        now=now,
    )
    if token is None:
        return None
    take_in(organizer, token, is_known=confined_to is None)
    return redirect(next_, code=303)


def name_refusal(organizer: Organizer) -> str:
    """Return why nothing is open to an organizer: `nothing`, or `company` where that would do."""
    with get_site().database.read() as session:
        return "company" if sign_in.wants_company_account(session, organizer) else "nothing"


def take_passkey(session: Session, now: datetime) -> int:
    """Return the id of the organizer whose passkey the browser has used.

    Raises:
        PasskeyRefused.
    """
    site = get_site()
    return use_passkey(
        session,
        site.keys,
        Party.of_site(site.settings.site_url),
        credential=request.form.get("credential", ""),
        cookie=read_cookie(BROWSER),
        now=now,
    )


def draw(template: str, form: OrganizerForm, *, wait_seconds: int = 0, **more: bool) -> str:
    """Draw a page that asks who it is: a form, and beside it the button for a passkey."""
    return render_template(
        f"organizer/{template}.html",
        rows=form.rows,
        errors=form.error_list,
        next=read_next(),
        wait_minutes=math.ceil(wait_seconds / 60),
        passkey_options=offer_passkey(),
        **more,
    )


def end_former_session(session: Session) -> None:
    """End the session that this browser has had until now."""
    browsers.end(session, get_site().keys, read_cookie(BROWSER))


def take_in(organizer: Organizer, token: str, *, is_known: bool = True) -> None:
    """Give the browser the cookies of a session that has begun.

    The browser counts as known from then on if one of the account's own factors was shown:
    passwords tried from it have a rate limit of their own, and signing in through a company must
    not grant a new one again and again.
    """
    site = get_site()
    give_cookie(BROWSER, token)
    give_cookie(STEP, "")
    if is_known and not tickets.read_device(site.keys, read_cookie(DEVICE), organizer):
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
