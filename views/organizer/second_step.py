"""The second step of signing in, and signing in with a passkey, which is both."""

from __future__ import annotations

import logging

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.accounts import build_code_form
from forms.organizer_fields import OrganizerForm
from services import second_factors, sign_in, tickets
from services.limits import RateLimitReached
from services.passkeys import PasskeyRefused
from services.sign_in_limits import Try
from storage import organizers
from storage.models import Organizer

from ..site import get_site
from .access import SIGN_IN, bp
from .cookies import BROWSER, STEP, read_cookie
from .entering import count, count_network, draw, finish, name_refusal, take_passkey

log = logging.getLogger(__name__)


@bp.get("/sign-in/code")
def show_code() -> ResponseReturnValue:
    if _find_organizer() is None:
        return redirect(SIGN_IN, code=303)
    return draw("code", _build(None))


@bp.post("/sign-in/code")
def check_code() -> ResponseReturnValue:
    """Sign in with a code of the app, or with a recovery code."""
    organizer = _find_organizer()
    if organizer is None:
        return redirect(SIGN_IN, code=303)
    form = _build(request.form)
    if not form.validate():
        return draw("code", form), 422
    site = get_site()
    now = site.read_clock()
    try:
        count(Try.CODE, f"code:{organizer.public_id}", organizer, now)
    except RateLimitReached as error:
        return draw("code", form, wait_seconds=error.retry_after_seconds), 429
    by, answer, refusal = "", None, _("This code is wrong, or was used already")
    with site.database.write() as session:
        try:
            by = second_factors.take_code(session, site.keys, organizer, form["code"].data, now=now)
        except second_factors.AppUnreadable:
            log.error("codes of an app cannot be checked: flask check says why")
            refusal = _(
                "This site cannot check codes of your app any more. Sign in with a passkey or a "
                "recovery code, or ask whoever runs this site to let you set it up anew"
            )
        if by:
            answer = finish(session, organizer, by=by, now=now)
        else:
            sign_in.record_failure(session, organizer, by="code", now=now)
    if not by:
        form.refuse("code", refusal)
        return draw("code", form), 422
    return answer or redirect(f"{SIGN_IN}?refused={name_refusal(organizer)}", code=303)


@bp.post("/sign-in/passkey")
def check_passkey() -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    count_network(now)
    organizer = answer = None
    try:
        with site.database.write() as session:
            organizer = organizers.get_organizer(session, take_passkey(session, now))
            if organizer:
                answer = finish(session, organizer, by="passkey", now=now)
    except PasskeyRefused:
        with site.database.write() as session:
            sign_in.record_failure(session, None, by="passkey", now=now)
    refused = name_refusal(organizer) if organizer else "passkey"
    return answer or redirect(f"{SIGN_IN}?refused={refused}", code=303)


def _find_organizer() -> Organizer | None:
    """Return who has shown their password in this browser within ten minutes."""
    site = get_site()
    ticket = read_cookie(STEP)
    public_id = tickets.read_ticket(site.keys, ticket, now=site.read_clock())
    if public_id is None:
        return None
    with site.database.read() as session:
        organizer = organizers.get_organizer_by_public_id(session, public_id)
    if organizer is None:
        return None
    is_theirs = tickets.is_ticket_of(site.keys, ticket, organizer, read_cookie(BROWSER))
    return organizer if is_theirs else None


def _build(sent: object) -> OrganizerForm:
    return build_code_form(
        request.form if sent is not None else None,
        _("Code"),
        _("The six digits that your authenticator app shows, or one of your recovery codes."),
    )
