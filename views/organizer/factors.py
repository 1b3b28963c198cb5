"""Setting up what signing in asks for besides a password: authenticator app and passkeys."""

from __future__ import annotations

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.accounts import build_code_form, build_name_form
from forms.organizer_fields import OrganizerForm
from services import second_factors
from services.audit import Action
from services.members import Member, Permission
from services.passkeys import Party, PasskeyRefused, add_passkey, offer_registration
from services.sign_in import record_about
from services.sign_in_limits import Try
from storage import organizers, passkeys

from ..site import get_site
from .access import bp, need_organizer, needs
from .account import ACCOUNT
from .cookies import BROWSER, read_cookie
from .entering import count

LONGEST_NAME = 64


@bp.get("/account/authenticator")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def show_authenticator(member: Member) -> ResponseReturnValue:
    return _draw_authenticator(member, _build_code_form(sent=False))


@bp.post("/account/authenticator")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def set_up_authenticator(member: Member) -> ResponseReturnValue:
    """Store the app once it has shown a code, and show recovery codes: this once."""
    form = _build_code_form(sent=True)
    if not form.validate():
        return _draw_authenticator(member, form), 422
    site = get_site()
    now = site.read_clock()
    count(Try.CODE, f"setup:{member.public_id}", None, now)
    with site.database.write() as session:
        organizer = need_organizer(session, member)
        secret = second_factors.derive_secret(site.keys, organizer, read_cookie(BROWSER))
        is_right = second_factors.add_authenticator(
            session, organizer.id, secret, form["code"].data, now=now
        )
        codes = (
            second_factors.make_recovery_codes(session, site.keys, organizer.id, now=now)
            if is_right
            else []
        )
    if not is_right:
        form.refuse("code", _("This code is wrong. Check the time on your phone, and try again"))
        return _draw_authenticator(member, form), 422
    return render_template("organizer/recovery_codes.html", codes=codes, is_new=True)


@bp.post("/account/authenticator/remove")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def remove_authenticator(member: Member) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        second_factors.remove_authenticator(session, member.organizer_id, now=site.read_clock())
    return redirect(f"{ACCOUNT}?done=app-removed", code=303)


@bp.post("/account/recovery-codes")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def make_recovery_codes(member: Member) -> ResponseReturnValue:
    """Answer with the codes themselves: they are shown once, and kept nowhere."""
    site = get_site()
    with site.database.write() as session:
        codes = second_factors.make_recovery_codes(
            session, site.keys, member.organizer_id, now=site.read_clock()
        )
    return render_template("organizer/recovery_codes.html", codes=codes, is_new=False)


@bp.get("/account/passkeys/new")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def show_new_passkey(member: Member) -> ResponseReturnValue:
    return _draw_passkey(member, _build_name_form(sent=False))


@bp.post("/account/passkeys/new")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def save_passkey(member: Member) -> ResponseReturnValue:
    form = _build_name_form(sent=True)
    if not form.validate():
        return _draw_passkey(member, form), 422
    site = get_site()
    try:
        with site.database.write() as session:
            add_passkey(
                session,
                site.keys,
                Party.of_site(site.settings.site_url),
                need_organizer(session, member),
                credential=request.form.get("credential", ""),
                name=form["name"].data,
                cookie=read_cookie(BROWSER),
                now=site.read_clock(),
            )
    except PasskeyRefused:
        form.refuse("name", _("No passkey was made. Please try again"))
        return _draw_passkey(member, form), 422
    return redirect(f"{ACCOUNT}?done=passkey", code=303)


@bp.post("/account/passkeys/<passkey>/remove")
@needs(Permission.CHANGE_ACCOUNT, proof=True)
def remove_passkey(member: Member, passkey: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        if not passkeys.delete_passkey(session, member.organizer_id, passkey):
            abort(404)
        organizer = organizers.lock_organizer(session, member.organizer_id)
        record_about(
            session,
            organizer,
            Action.SECOND_FACTOR_REMOVED,
            facts={"kind": "passkey"},
            now=site.read_clock(),
        )
    return redirect(f"{ACCOUNT}?done=passkey-removed", code=303)


def _build_code_form(*, sent: bool) -> OrganizerForm:
    return build_code_form(
        request.form if sent else None,
        _("Code"),
        _("The six digits that the app shows after you have scanned the code."),
    )


def _build_name_form(*, sent: bool) -> OrganizerForm:
    return build_name_form(
        request.form if sent else None,
        _("Name of the passkey"),
        _("Enter a name for the passkey"),
        longest=LONGEST_NAME,
        name=_("My passkey"),
    )


def _draw_authenticator(member: Member, form: OrganizerForm) -> str:
    site = get_site()
    with site.database.read() as session:
        organizer = need_organizer(session, member)
    secret = second_factors.derive_secret(site.keys, organizer, read_cookie(BROWSER))
    return render_template(
        "organizer/authenticator.html",
        rows=form.rows,
        errors=form.error_list,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        image=second_factors.draw_setup(secret, organizer.email),
    )


def _draw_passkey(member: Member, form: OrganizerForm) -> str:
    site = get_site()
    party = Party.of_site(site.settings.site_url)
    options = ""
    if party.can_have_passkeys:
        with site.database.read() as session:
            options = offer_registration(
                session,
                site.keys,
                party,
                need_organizer(session, member),
                cookie=read_cookie(BROWSER),
                now=site.read_clock(),
            )
    return render_template(
        "organizer/new_passkey.html", rows=form.rows, errors=form.error_list, options=options
    )
