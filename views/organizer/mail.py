"""How mails leave: the sender, a test mail, and the records that other servers look up."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from services import audit
from services.audit import Action
from services.limits import RateLimitReached
from services.mail_records import check_records, is_public_domain, is_selector
from services.members import Member, Permission
from services.organizer_mails import OrganizerMailName, request_mail
from services.sign_in_limits import count_test_mail
from storage import organizer_mails

from ..locale import read_locale
from ..site import get_site
from ..txt_records import look_up_txt
from .access import bp, needs

URL = "/organizer/settings/mail"


@bp.get("/settings/mail")
@needs(Permission.MANAGE_ORGANIZATION)
def show_mail_settings(member: Member) -> ResponseReturnValue:
    """Say how mails leave; DNS is asked with `dns` in the address alone."""
    return _draw(member)


def _draw(member: Member, *, refusal: str = "") -> str:
    site = get_site()
    domain = site.settings.sender.rpartition("@")[2]
    selector = request.args.get("selector", "").strip()
    is_wrong = bool(selector) and not is_selector(selector)
    records = None
    if "dns" in request.args and is_public_domain(domain) and not is_wrong:
        host = urlsplit(site.settings.mail_url).hostname or ""
        records = check_records(domain, selector, look_up_txt, mail_host=host)
    with site.database.read() as session:
        sent = organizer_mails.get_last_mail(
            session, name=OrganizerMailName.TEST, email=member.email
        )
        return render_template(
            "organizer/mail_settings.html",
            alert=refusal,
            sender=site.settings.sender,
            server=urlsplit(site.settings.mail_url).hostname,
            address=member.email,
            sent=sent,
            domain=domain,
            is_public=is_public_domain(domain),
            selector=selector,
            is_wrong=is_wrong,
            records=records,
        )


@bp.post("/settings/mail/test")
@needs(Permission.MANAGE_ORGANIZATION)
def send_test_mail(member: Member) -> ResponseReturnValue:
    """Have a mail sent to whoever asks, the way that all mails go: by the worker."""
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            if site.settings.rate_limits:
                count_test_mail(session, site.keys, organizer_id=member.organizer_id, now=now)
            test = OrganizerMailName.TEST
            request_mail(session, test, member.email, locale=read_locale(), now=now)
            facts = {"part": "test_mail"}
            audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)
    except RateLimitReached:
        return _draw(member, refusal=_("Ten test mails a day are enough. Try again later.")), 429
    return redirect(URL, code=303)
