"""Signing in and out."""

from __future__ import annotations

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from services import audit, browsers, sign_in
from services.access_links import LinkPurpose, find_link
from services.audit import Action
from services.members import Member, Permission
from storage import organizers

from ..site import get_site
from .access import bp, give_cookie, needs, read_next


@bp.get("/sign-in")
def show_sign_in() -> ResponseReturnValue:
    return render_template("organizer/sign_in.html", next=read_next())


@bp.post("/sign-out")
@needs(Permission.SIGNED_IN)
def sign_out(member: Member) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        organizers.end_session(session, member.session_id)
        audit.record(session, member, Action.SIGNED_OUT, now=now)
    give_cookie("")
    return redirect("/organizer/sign-in", code=303)


@bp.get("/enter/<token>")
def show_link(token: str) -> ResponseReturnValue:
    """Show a button: mail scanners open links, and this one works once."""
    site = get_site()
    with site.database.read() as session:
        link = find_link(session, site.signer, token, now=site.read_clock())
        if link is None:
            abort(404)
        return render_template("organizer/enter.html", token=token, purpose=link.purpose)


@bp.post("/enter/<token>")
def use_link(token: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        link = find_link(session, site.signer, token, now=now)
        if link is None or link.purpose != LinkPurpose.ENTER:
            abort(404)
        cookie = sign_in.enter_by_link(session, site.keys, link, device=read_device(), now=now)
    if cookie is None:
        abort(404)
    give_cookie(cookie)
    return redirect("/organizer", code=303)


def read_device() -> str:
    return browsers.describe_device(request.headers.get("User-Agent", ""))
