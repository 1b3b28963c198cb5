"""One's own account: name, language, password, second factors, and where one is signed in."""

from __future__ import annotations

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from forms.accounts import (
    LONGEST_NAME,
    AccountForm,
    build_name_form,
    build_new_password_form,
)
from services import accounts, audit, passwords
from services.audit import Action
from services.dates import HOME, format_moment
from services.members import Member, Permission
from services.passkeys import Party
from services.texts import LOCALES
from storage import members, organizers, passkeys
from storage.models import Organizer

from ..locale import read_locale
from ..site import get_site
from .access import bp, need_organizer, needs

ACCOUNT = "/organizer/account"


@bp.get("/account", endpoint="show_account")
@needs(Permission.SIGNED_IN)
def show_account(member: Member) -> ResponseReturnValue:
    return _draw(member)


@bp.post("/account/name")
@needs(Permission.SIGNED_IN)
def change_name(member: Member) -> ResponseReturnValue:
    form = _build_name_form(sent=True)
    locale = request.form.get("locale", "")
    if not form.validate() or locale not in LOCALES:
        return _draw(member, form), 422
    with get_site().database.write() as session:
        organizer = organizers.lock_organizer(session, member.organizer_id)
        organizer.name, organizer.locale = form["name"].data, locale
    return redirect(f"{ACCOUNT}?done=saved", code=303)


@bp.get("/account/password")
@needs(Permission.SIGNED_IN, proof=True)
def show_password(member: Member) -> ResponseReturnValue:
    return _draw_password(_build_password_form(member, sent=False))


@bp.post("/account/password")
@needs(Permission.SIGNED_IN, proof=True)
def change_password(member: Member) -> ResponseReturnValue:
    form = _build_password_form(member, sent=True)
    if not form.validate():
        return _draw_password(form), 422
    password_hash = passwords.hash_password(form["password"].data)
    site = get_site()
    with site.database.write() as session:
        accounts.change_password(
            session,
            member.organizer_id,
            password_hash,
            session_id=member.session_id,
            now=site.read_clock(),
        )
    return redirect(f"{ACCOUNT}?done=password", code=303)


@bp.post("/account/sessions/<browser>/end")
@needs(Permission.SIGNED_IN)
def end_session(member: Member, browser: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        if not organizers.end_browser(session, member.organizer_id, browser):
            abort(404)
        audit.record(session, member, Action.SESSION_ENDED, now=site.read_clock())
    return redirect(f"{ACCOUNT}?done=ended", code=303)


@bp.post("/account/sessions/end-others")
@needs(Permission.SIGNED_IN)
def end_other_sessions(member: Member) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        count = organizers.end_browsers(session, member.organizer_id, but=member.session_id)
        facts = {"count": count}
        audit.record(session, member, Action.SESSION_ENDED, facts=facts, now=site.read_clock())
    return redirect(f"{ACCOUNT}?done=ended", code=303)


@bp.post("/account/organization")
@needs(Permission.SIGNED_IN)
def choose_organization(member: Member) -> ResponseReturnValue:
    """Go on in another organization; one of somebody else's is as unknown as none."""
    wanted = request.form.get("organization", "")
    site = get_site()
    with site.database.write() as session:
        found = [
            organization.id
            for _, organization in members.list_memberships(session, member.organizer_id)
            if organization.public_id == wanted
        ]
        if not found:
            return redirect(ACCOUNT, code=303)
        organizers.choose_organization(session, member.session_id, found[0])
    return redirect("/organizer", code=303)


_DONE = {
    "saved": lazy_gettext("Your changes are saved."),
    "password": lazy_gettext("Your new password is saved. All other sessions were ended."),
    "ended": lazy_gettext("The session was ended."),
    "app": lazy_gettext("The authenticator app is set up. Signing in asks for its code now."),
    "app-removed": lazy_gettext("The authenticator app was removed."),
    "passkey": lazy_gettext("The passkey is saved. You can sign in with it now."),
    "passkey-removed": lazy_gettext("The passkey was removed."),
}


def _build_name_form(*, sent: bool, organizer: Organizer | None = None) -> AccountForm:
    return build_name_form(
        request.form if sent else None,
        _("Your name"),
        _("Enter your name"),
        longest=LONGEST_NAME,
        name=organizer.name if organizer else "",
    )


def _build_password_form(member: Member, *, sent: bool) -> AccountForm:
    known = (member.email, member.name)
    return build_new_password_form(request.form if sent else None, known=known)


def _draw_password(form: AccountForm) -> str:
    return render_template("organizer/change_password.html", rows=form.rows, errors=form.error_list)


def _draw(member: Member, form: AccountForm | None = None) -> str:
    site, locale = get_site(), read_locale()
    with site.database.read() as session:
        organizer = need_organizer(session, member)
        browsers = [
            {
                "public_id": row.public_id,
                "device": row.device or _("Unknown browser"),
                "seen": format_moment(row.seen_at, HOME, locale),
                "begun": format_moment(row.created_at, HOME, locale),
                "is_this": row.id == member.session_id,
            }
            for row in organizers.list_browsers(session, organizer.id)
        ]
        keys = [
            {
                "public_id": row.public_id,
                "name": row.name,
                "made": format_moment(row.created_at, HOME, locale),
                "used": format_moment(row.used_at, HOME, locale) if row.used_at else "",
            }
            for row in passkeys.list_passkeys(session, organizer.id)
        ]
        memberships = members.list_memberships(session, organizer.id)
    form = form or _build_name_form(sent=False, organizer=organizer)
    return render_template(
        "organizer/account.html",
        organizer=organizer,
        rows=form.rows,
        errors=form.error_list,
        done=_DONE.get(request.args.get("done", ""), ""),
        browsers=browsers,
        passkeys=keys,
        can_have_passkeys=Party.of_site(site.settings.site_url).can_have_passkeys,
        codes_left=len(organizer.recovery_codes),
        organizations=[
            (organization.public_id, organization.name, organization.id == member.organization_id)
            for _, organization in memberships
        ],
    )
