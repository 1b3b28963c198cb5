"""The mails that the people of an event get, as they read them: with a made-up name and links."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from sqlalchemy.orm import Session

from services.event_dates import read_dates
from services.event_views import view_mail_event
from services.events import LinkPolicy, read_link_policy
from services.mails import CALENDAR_METHODS, MailName
from services.members import Member, Permission
from services.messages import MailContext
from services.texts import LOCALES, write_full_name
from storage.models import Event

from ..headers import FRAMING, MAIL
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs, read_organization
from .event_headings import view_event

_NAMES = {"ja": ("山田", "太郎"), "en": ("Yamada", "Taro")}
_NUMBER, _CODE, _TOKEN = "A7K2-91QF", "123456", "…"
_WITH_LINK = (MailName.CONFIRMATION, MailName.APPROVED, MailName.DATES, MailName.MOVED)


@dataclass(frozen=True)
class _Sample:
    """One of an event's mails in one language; `others` are all that it may send."""

    name: MailName
    locale: str
    others: list[MailName]
    context: MailContext

    @property
    def has_calendar(self) -> bool:
        return self.name in CALENDAR_METHODS and self.context.had_link

    def draw(self, part: str) -> str:
        """Draw a part as the worker does."""
        values = vars(self.context) | {"has_calendar": self.has_calendar}
        template = current_app.jinja_env.get_template(f"mail/{self.name}/{part}")
        with force_locale(self.locale):
            return template.render(values, locale=self.locale).strip()


@bp.get("/events/<event>/mails", endpoint="show_mails")
@needs(Permission.EDIT_EVENTS)
def show_mails(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        found = need_event(session, member, event)
        sample = _read_sample(session, found)
        view = view_event(found)
    page = render_template(
        "organizer/mails.html",
        event=view,
        here="mails",
        mails=[
            (
                words.MAIL[name],
                None,
                _write_address(event, name, sample.locale),
                name is sample.name,
            )
            for name in sample.others
        ],
        languages=[
            (label, None, _write_address(event, sample.name, locale), locale == sample.locale)
            for locale, label in words.LOCALE.items()
        ],
        language=sample.locale,
        body=_write_address(event, sample.name, sample.locale, "/body"),
        sender=f"{read_organization(member).name} <{site.settings.sender}>",
        subject=sample.draw("subject.txt"),
        text=sample.draw("body.txt"),
        attachment="invite.ics" if sample.has_calendar else "",
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = FRAMING
    return response


@bp.get("/events/<event>/mails/body", endpoint="show_mail_body")
@needs(Permission.EDIT_EVENTS)
def show_mail_body(member: Member, event: str) -> ResponseReturnValue:
    """Show a mail's HTML alone, for the frame on the page of mails."""
    with get_site().database.read() as session:
        sample = _read_sample(session, need_event(session, member, event))
    # Its frame opens nothing, so that links, which lead nowhere here, do not take its place.
    html = sample.draw("body.html").replace("<head>", '<head><base target="_blank">', 1)
    return html, {"Content-Security-Policy": MAIL}


def _write_address(event: str, name: MailName, locale: str, part: str = "") -> str:
    query = urlencode({"mail": name, "language": locale})
    return f"/organizer/events/{event}/mails{part}?{query}"


def _read_sample(session: Session, event: Event) -> _Sample:
    names = _list_mails(event)
    name, locale = request.args.get("mail", ""), request.args.get("language", "")
    chosen = MailName(name) if name in names else names[0]
    locale = locale if locale in LOCALES else event.default_locale
    return _Sample(chosen, locale, names, _make_context(session, event, chosen, locale))


def _list_mails(event: Event) -> list[MailName]:
    """List what people of this event may get, in the order in which it happens."""
    names = [MailName.CONFIRMATION]
    if event.approval == "manual":
        names = [MailName.PENDING, MailName.APPROVED, MailName.DENIED]
    if event.has_waitlist:
        names += [MailName.WAITLISTED, MailName.APPROVED]
    names += [MailName.REPEAT, MailName.DATES if event.dates else MailName.MOVED]
    names += [MailName.CANCELLED, MailName.EVENT_CANCELLED]
    return list(dict.fromkeys(names))


def _make_context(session: Session, event: Event, name: MailName, locale: str) -> MailContext:
    site = get_site()
    personal_url = f"{site.links.base_url}/r/{_TOKEN}"
    is_code = name is MailName.CONFIRMATION and read_link_policy(session, event) is LinkPolicy.CODE
    dates, now = read_dates(event), site.read_clock()
    return MailContext(
        event=view_mail_event(session, event, locale, dates=dates, now=now),
        sender_domain=site.settings.sender.rpartition("@")[2],
        greeting_name=write_full_name(*_NAMES[locale], locale),
        number=_NUMBER,
        join_url=f"{site.links.base_url}/j/{_TOKEN}" if name in _WITH_LINK else None,
        personal_url=personal_url,
        code=_CODE if is_code else None,
        proposal_url=f"{personal_url}/answers/{_TOKEN}" if name is MailName.REPEAT else None,
        again_url=f"{personal_url}/again" if name is MailName.CANCELLED else None,
        # Few are turned down who were approved before.
        had_link=name is not MailName.DENIED,
    )
