"""Asking for a link that sets a new password; the answer is the same for every address."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from forms.accounts import build_address_form
from services import accounts
from services.addresses import email_key
from services.limits import RateLimitReached
from services.sign_in_limits import Try

from ..locale import read_locale
from ..site import get_site
from .access import bp
from .entering import count


@bp.get("/password")
def show_lost_password() -> ResponseReturnValue:
    form = build_address_form(None)
    return render_template("organizer/lost_password.html", rows=form.rows, errors=[])


@bp.post("/password")
def ask_for_link() -> ResponseReturnValue:
    form = build_address_form(request.form)
    if not form.validate():
        page = render_template(
            "organizer/lost_password.html", rows=form.rows, errors=form.error_list
        )
        return page, 422
    site = get_site()
    now = site.read_clock()
    email = form["email"].data
    try:
        count(Try.MAIL, email_key(email), None, now)
    except RateLimitReached:
        # Silent, as whether there is an account is nobody's business; mails are on their way.
        return redirect("/organizer/password/asked", code=303)
    with site.database.write() as session:
        accounts.ask_for_password_link(session, email, locale=read_locale(), now=now)
    return redirect("/organizer/password/asked", code=303)


@bp.get("/password/asked")
def show_asked() -> ResponseReturnValue:
    return render_template("organizer/asked.html")
