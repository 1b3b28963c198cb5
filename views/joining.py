"""`/j/`: one calm page with one button; only the button's POST does anything."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from services.chosen_dates import has_date_ahead, read_start
from services.dates import format_clock, format_short
from services.joining import (
    EARLY,
    JoinState,
    is_early,
    read_join_state,
    record_click,
)
from services.texts import write_full_name
from services.tokens import Purpose
from services.waits import read_wait, write_opening
from storage import zoom_registrants
from storage.ciphers import DecryptionError

from .event_pages import draw_event_of
from .headers import let_forms_lead_to
from .locale import read_locale
from .retries import is_worth_another_try, repeatable
from .site import get_site
from .tokens import Opened, open_token

bp = Blueprint("joining", __name__)
log = logging.getLogger(__name__)

UNUSABLE = "unusable"
_LEADS_TO_A_DATE = (JoinState.READY, JoinState.WAITING, JoinState.REFUSED)
_ZOOM_HOSTS = ("zoom.us", "zoomgov.com")
_ZOOM_SOURCES = " ".join(f"https://{host} https://*.{host}" for host in _ZOOM_HOSTS)


@dataclass(frozen=True)
class JoinView:
    """What the template needs.

    `state` is `early` where all is ready and the room not yet open, and `unusable` where Zoom's
    link cannot be followed. `opens_text` and `is_too_late` are as in `services.waits`.
    """

    state: str
    action: str
    greeting_name: str
    entry_time: str
    has_fallback: bool
    opens_text: str
    is_too_late: bool
    has_no_date: bool


@dataclass(frozen=True)
class _Way:
    """What the button leads to: the room, or the page that says why there is no way into it yet."""

    opened: Opened
    response: BaseResponse
    is_open: bool


@bp.get("/j/<token>")
def show_join(token: str) -> ResponseReturnValue:
    """Show the join button. Mail scanners open every link, so this changes nothing."""
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = open_token(session, token, Purpose.JOIN_SCREEN, Purpose.JOIN_MAIL)
        return _draw(session, token, opened, _read_state(session, opened, now), now)


@bp.post("/j/<token>")
@repeatable
def join(token: str) -> ResponseReturnValue:
    """Go to Zoom, with the join URL of this moment, and record the click.

    Where nothing can be stored, what is read decides all the same, and the click is not recorded:
    the meeting begins, whatever holds or fills the database.
    """
    now, database = get_site().read_clock(), get_site().database
    try:
        # Everybody presses at once, and no page that all see shows it.
        with database.write_if_possible() as session:
            way = _look_for_way(session, token, now)
            if way.is_open:
                opened = way.opened
                record_click(
                    session, opened.event, opened.person, came_by_mail=opened.came_by_mail, now=now
                )
    except SQLAlchemyError as error:
        if is_worth_another_try(error):
            raise
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        log.warning("somebody joins whose click is not recorded", extra={"error": reason})
        with database.read() as session:
            way = _look_for_way(session, token, now)
    return way.response


def _look_for_way(session: Session, token: str, now: datetime) -> _Way:
    opened = open_token(session, token, Purpose.JOIN_SCREEN, Purpose.JOIN_MAIL)
    state = _read_state(session, opened, now)
    address = _find_way_in(session, opened, state)
    if address is None:
        return _Way(opened, _draw(session, token, opened, state, now), is_open=False)
    return _Way(opened, redirect(address, code=303), is_open=True)


def _find_way_in(session: Session, opened: Opened, state: str) -> str | None:
    """Return where the button leads: Zoom's link, or the organizer's for times of trouble."""
    if state == JoinState.READY:
        return _read_address(session, opened)
    return opened.event.fallback_url if _has_fallback(opened, state) else None


def _read_address(session: Session, opened: Opened) -> str | None:
    """Return Zoom's link, unless it cannot be read or does not lead to Zoom."""
    registrant = zoom_registrants.get_zoom_registrant(session, opened.person.id)
    try:
        address = zoom_registrants.read_join_url(session, registrant)
    except DecryptionError:
        address = None
    return address if address is not None and is_zoom_address(address) else None


def _has_fallback(opened: Opened, state: str) -> bool:
    """Tell whether the organizer's link stands in; only who came by mail is surely the person."""
    is_waiting = state in (JoinState.WAITING, JoinState.REFUSED, UNUSABLE)
    return is_waiting and opened.came_by_mail and bool(opened.event.fallback_url)


def is_zoom_address(address: str) -> bool:
    """Tell whether a stored link leads to Zoom, or to the sandbox that stands for it."""
    if not re.fullmatch(r"[!#-;=?-\[\]_a-z~]+", address, re.IGNORECASE):
        return False  # browsers read a backslash as a slash, and urlsplit does not
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    sandbox = urlsplit(get_site().settings.zoom_api_url)
    if sandbox.scheme == "http":
        return (parts.scheme, parts.netloc) == (sandbox.scheme, sandbox.netloc)
    host = parts.netloc.lower()  # whole: no name, password or port before or after it
    is_zoom = any(host == zoom or host.endswith(f".{zoom}") for zoom in _ZOOM_HOSTS)
    return parts.scheme == "https" and is_zoom


def _read_state(session: Session, opened: Opened, now: datetime) -> str:
    state = read_join_state(
        opened.event,
        opened.person,
        zoom_registrants.get_zoom_registrant(session, opened.person.id),
        submission=opened.submission,
        policy=opened.policy,
        now=now,
    )
    if state in _LEADS_TO_A_DATE and not has_date_ahead(
        session, opened.event, opened.person, now=now
    ):
        return JoinState.NO_DATE
    if state == JoinState.READY and _read_address(session, opened) is None:
        # Without this the button would lead to the same page for ever.
        log.error("a join URL cannot be used", extra={"registration": opened.person.id})
        return UNUSABLE
    return state


def _draw(session: Session, token: str, opened: Opened, state: str, now: datetime) -> Response:
    event, locale = opened.event, read_locale()
    # On a screen, the name that its reader typed: the address may be somebody else's.
    named = opened.submission or opened.person
    address = f"/j/{token}?lang={locale}"
    wait = None
    if state == JoinState.WAITING:
        wait = read_wait(session, event, opened.person, now=now)
        state = JoinState.REFUSED if wait and wait.needs_help else state
    starts_at = read_start(session, event, opened.person, now=now)
    view = JoinView(
        state="early" if state == JoinState.READY and is_early(starts_at, now) else state,
        action=address,
        greeting_name=write_full_name(named.family_name, named.given_name, named.locale),
        entry_time=(
            format_short(starts_at - EARLY, event.timezone, locale)
            if event.dates
            else format_clock(starts_at - EARLY, event.timezone, locale)
        ),
        has_fallback=_has_fallback(opened, state),
        opens_text=write_opening(wait, event.timezone, locale),
        is_too_late=wait is not None and wait.is_too_late,
        has_no_date=(
            state in (JoinState.PENDING, JoinState.WAITLISTED)
            and not has_date_ahead(session, event, opened.person, now=now)
        ),
    )
    shown = draw_event_of(session, event, opened.person, now)
    html = render_template("personal/join.html", event=shown, join=view)
    response = make_response(html)
    allow_leaving_for_zoom(response, event.fallback_url)
    return response


def allow_leaving_for_zoom(response: Response, fallback_url: str) -> None:
    """Let this page's button lead away: browsers hold redirects of a form to its policy."""
    sandbox = urlsplit(get_site().settings.zoom_api_url)
    targets = [f"http://{sandbox.netloc}" if sandbox.scheme == "http" else _ZOOM_SOURCES]
    if fallback_url:
        targets.append("https://" + urlsplit(fallback_url).netloc)
    response.headers["Content-Security-Policy"] = let_forms_lead_to(*targets)
