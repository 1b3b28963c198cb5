"""One's own account: name, language, password, second factors, and where one is signed in."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from forms.accounts import LONGEST_NAME, build_name_form, build_new_password_form
from forms.organizer_fields import OrganizerForm
from services import accounts, audit, browsers, passwords
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
        if not _may_rename(session, member):
            abort(403)
        organizer = organizers.lock_organizer(session, member.organizer_id)
        organizer.name, organizer.locale = form["name"].data, locale
        organizer.is_told_of_held = request.form.get("is_told_of_held") == "yes"
    return redirect(f"{ACCOUNT}?done=saved", code=303)


@bp.get("/account/password")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def show_password(member: Member) -> ResponseReturnValue:
    return _draw_password(_build_password_form(member, sent=False))


@bp.post("/account/password")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
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
        rows = organizers.list_browsers(
            session, member.organizer_id, confined_to=member.confined_to
        )
        found = [row.id for row in rows if row.public_id == browser]
        if not found:
            abort(404)
        organizers.end_session(session, found[0])
        audit.record(session, member, Action.SESSION_ENDED, now=site.read_clock())
    return redirect(f"{ACCOUNT}?done=ended", code=303)


@bp.post("/account/sessions/end-others")
@needs(Permission.SIGNED_IN)
def end_other_sessions(member: Member) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        count = organizers.end_browsers(
            session,
            member.organizer_id,
            but=member.session_id,
            confined_to=member.confined_to,
        )
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
            for _, organization in browsers.list_open(
                session, member.organizer_id, confined_to=member.confined_to
            )
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


def _may_rename(session: Session, member: Member) -> bool:
    """Tell whether a name is theirs to change: not from one organization that of all others."""
    return not member.is_confined or len(members.list_memberships(session, member.organizer_id)) < 2


def _build_name_form(*, sent: bool, organizer: Organizer | None = None) -> OrganizerForm:
    return build_name_form(
        request.form if sent else None,
        _("Your name"),
        _("Enter your name"),
        longest=LONGEST_NAME,
        name=organizer.name if organizer else "",
    )


def _build_password_form(member: Member, *, sent: bool) -> OrganizerForm:
    known = (member.email, member.name)
    return build_new_password_form(request.form if sent else None, known=known)


def _draw_password(form: OrganizerForm) -> str:
    return render_template("organizer/change_password.html", rows=form.rows, errors=form.error_list)


def _draw(member: Member, form: OrganizerForm | None = None) -> str:
    site = get_site()
    with site.database.read() as session:
        organizer = need_organizer(session, member)
        form = form or _build_name_form(sent=False, organizer=organizer)
        return render_template(
            "organizer/account.html",
            organizer=organizer,
            rows=form.rows,
            errors=form.error_list,
            done=_DONE.get(request.args.get("done", ""), ""),
            browsers=_view_browsers(session, member),
            may_rename=_may_rename(session, member),
            passkeys=_view_passkeys(session, member),
            can_have_passkeys=Party.of_site(site.settings.site_url).can_have_passkeys,
            codes_left=len(organizer.recovery_codes),
            organizations=_view_organizations(session, member),
        )


def _view_browsers(session: Session, member: Member) -> list[dict[str, Any]]:
    locale = read_locale()
    rows = organizers.list_browsers(session, member.organizer_id, confined_to=member.confined_to)
    return [
        {
            "public_id": row.public_id,
            "device": row.device or _("Unknown browser"),
            "seen": format_moment(row.seen_at, HOME, locale),
            "begun": format_moment(row.created_at, HOME, locale),
            "is_this": row.id == member.session_id,
        }
        for row in rows
    ]


def _view_passkeys(session: Session, member: Member) -> list[dict[str, Any]]:
    locale = read_locale()
    return [
        {
            "public_id": row.public_id,
            "name": row.name,
            "made": format_moment(row.created_at, HOME, locale),
            "used": format_moment(row.used_at, HOME, locale) if row.used_at else "",
        }
        for row in passkeys.list_passkeys(session, member.organizer_id)
    ]


def _view_organizations(session: Session, member: Member) -> list[dict[str, Any]]:
    """Return where a member may go on, and where they could with a company's account."""
    if member.is_confined:
        return []
    is_open = {row.id for _, row in browsers.list_open(session, member.organizer_id)}
    return [
        {
            "public_id": row.public_id,
            "name": row.name,
            "is_this": row.id == member.organization_id,
            "is_open": row.id in is_open,
        }
        for _, row in members.list_memberships(session, member.organizer_id)
    ]
