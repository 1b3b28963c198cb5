"""Signing in with a password, and signing out."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from forms.accounts import build_sign_in_form
from forms.organizer_fields import OrganizerForm
from services import audit, passwords, sign_in, tickets
from services.addresses import email_key
from services.audit import Action
from services.limits import RateLimitReached
from services.members import Member, Permission
from services.sign_in_limits import Try
from storage import identity_providers, organizers
from storage.models import Organizer

from ..site import get_site
from .access import SIGN_IN, bp, needs
from .cookies import BROWSER, STEP, give_cookie, read_cookie
from .entering import count, draw, finish, name_refusal, write_next

SECOND_STEP = "/organizer/sign-in/code"
REFUSALS = {
    "nothing": lazy_gettext("This account is not a member of any organization any more"),
    "company": lazy_gettext(
        "Your organization wants its company account: choose that below in place of the password"
    ),
}


@bp.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    return _draw(build_sign_in_form(None))


@bp.post("/sign-in")
def check_password() -> ResponseReturnValue:
    """Sign in, or go on to the second step; whatever is wrong gets one answer."""
    form = build_sign_in_form(request.form)
    if not form.validate():
        return _draw(form), 422
    site = get_site()
    now = site.read_clock()
    key = email_key(form["email"].data)
    with site.database.read() as session:
        organizer = organizers.get_organizer_by_key(session, key)
        has_second = organizer is not None and sign_in.needs_second_step(session, organizer)
    try:
        count(Try.PASSWORD, key, organizer, now)
    except RateLimitReached as error:
        return _draw(form, wait_seconds=error.retry_after_seconds), 429
    # Outside of any transaction, as it takes long; and for nobody as long as for somebody.
    is_right = passwords.is_password(
        organizer.password_hash if organizer else "", form["password"].data
    )
    if organizer is None or not is_right:
        with site.database.write() as session:
            sign_in.record_failure(session, organizer, by="password", now=now)
        form.refuse("password", _("The email address or the password is wrong"))
        return _draw(form), 422
    if has_second:
        ticket = tickets.make_ticket(site.keys, organizer, read_cookie(BROWSER), now=now)
        give_cookie(STEP, ticket)
        return redirect(f"{SECOND_STEP}?{write_next()}", code=303)
    with site.database.write() as session:
        answer = finish(session, organizer, by="password", now=now)
    return answer or _refuse(form, organizer)


@bp.post("/sign-out")
@needs(Permission.SIGNED_IN)
def sign_out(member: Member) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        organizers.end_session(session, member.session_id)
        audit.record(session, member, Action.SIGNED_OUT, now=site.read_clock())
    give_cookie(BROWSER, "")
    return redirect(SIGN_IN, code=303)


def _refuse(form: OrganizerForm, organizer: Organizer) -> ResponseReturnValue:
    """Say what to do where nothing is open to somebody whose password is right."""
    form.refuse("email", str(REFUSALS[name_refusal(organizer)]))
    return _draw(form), 422


def _draw(form: OrganizerForm, *, wait_seconds: int = 0) -> str:
    with get_site().database.read() as session:
        has_company = identity_providers.has_provider(session)
    return draw("sign_in", form, wait_seconds=wait_seconds, has_company=has_company)
