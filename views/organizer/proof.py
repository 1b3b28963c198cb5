"""Asking again who it is, before something sensitive."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.accounts import AccountForm, build_proof_form
from services import passwords, sign_in
from services.limits import RateLimitReached
from services.members import Member, Permission
from services.passkeys import Party, PasskeyRefused, use_passkey
from services.sign_in_limits import Try
from storage import organizers

from ..site import get_site
from .access import PROVE, bp, need_organizer, needs, read_next
from .cookies import BROWSER, read_cookie
from .entering import count, offer_passkey


@bp.get("/prove")
@needs(Permission.SIGNED_IN)
def show_proof(member: Member) -> ResponseReturnValue:
    return _draw(build_proof_form(None))


@bp.post("/prove")
@needs(Permission.SIGNED_IN)
def prove(member: Member) -> ResponseReturnValue:
    form = build_proof_form(request.form)
    if not form.validate():
        return _draw(form), 422
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        organizer = need_organizer(session, member)
    try:
        count(Try.CODE, f"proof:{organizer.public_id}", None, now)
    except RateLimitReached as error:
        return _draw(form, wait_seconds=error.retry_after_seconds), 429
    is_right = passwords.is_password(organizer.password_hash, form["password"].data)
    with site.database.write() as session:
        if is_right:
            organizers.note_proof(session, member.session_id, now=now)
        else:
            sign_in.record_failure(session, organizer, by="password", now=now)
    if not is_right:
        form.refuse("password", _("The password is wrong"))
        return _draw(form), 422
    return redirect(read_next(), code=303)


@bp.post("/prove/passkey")
@needs(Permission.SIGNED_IN)
def prove_by_passkey(member: Member) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            organizer_id = use_passkey(
                session,
                site.keys,
                Party.of_site(site.settings.site_url),
                credential=request.form.get("credential", ""),
                cookie=read_cookie(BROWSER),
                now=now,
            )
            if organizer_id != member.organizer_id:
                raise PasskeyRefused
            organizers.note_proof(session, member.session_id, now=now)
    except PasskeyRefused:
        return redirect(f"{PROVE}?refused=passkey", code=303)
    return redirect(read_next(), code=303)


def _draw(form: AccountForm, *, wait_seconds: int = 0) -> str:
    return render_template(
        "organizer/prove.html",
        rows=form.rows,
        errors=form.error_list,
        next=read_next(),
        wait_seconds=wait_seconds,
        passkey_options=offer_passkey(),
    )
