"""Asking again for a password, code or passkey before something sensitive."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.accounts import build_proof_form
from services import passwords, sign_in
from services.limits import RateLimitReached
from services.members import Member, Permission
from services.passkeys import PasskeyRefused
from services.sign_in_limits import Try
from storage import organizers

from ..site import get_site
from .access import PROVE, bp, need_organizer, needs, read_next
from .entering import count, draw, take_passkey


@bp.get("/prove")
@needs(Permission.SIGNED_IN)
def show_proof(member: Member) -> ResponseReturnValue:
    return draw("prove", build_proof_form(None))


@bp.post("/prove")
@needs(Permission.SIGNED_IN)
def prove(member: Member) -> ResponseReturnValue:
    form = build_proof_form(request.form)
    if not form.validate():
        return draw("prove", form), 422
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        organizer = need_organizer(session, member)
    try:
        count(Try.CODE, f"proof:{organizer.public_id}", None, now)
    except RateLimitReached as error:
        return draw("prove", form, wait_seconds=error.retry_after_seconds), 429
    is_right = passwords.is_password(organizer.password_hash, form["password"].data)
    with site.database.write() as session:
        if is_right:
            organizers.note_proof(session, member.session_id, now=now)
        else:
            sign_in.record_failure(session, organizer, by="password", now=now)
    if not is_right:
        form.refuse("password", _("The password is wrong"))
        return draw("prove", form), 422
    return redirect(read_next(), code=303)


@bp.post("/prove/passkey")
@needs(Permission.SIGNED_IN)
def prove_by_passkey(member: Member) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            if take_passkey(session, now) != member.organizer_id:
                raise PasskeyRefused
            organizers.note_proof(session, member.session_id, now=now)
    except PasskeyRefused:
        return redirect(f"{PROVE}?refused=passkey", code=303)
    return redirect(read_next(), code=303)
