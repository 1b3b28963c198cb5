"""Events as pages: loading the one that an address names, and what every page shows of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Response, abort, g, make_response, render_template, request
from sqlalchemy.orm import Session

from services.chosen_dates import read_closed, read_people_dates
from services.event_dates import read_dates, takes_choice, write_date
from services.event_views import EventView, view_event
from services.events import EventState, LinkPolicy, Seats, count_seats, get_state, read_seats
from storage import events
from storage.events import EventHead
from storage.models import Event, Registration

from .framing import check_frame, form_path, get_frame, write_query
from .locale import read_locale
from .sharing import share
from .site import get_site


@dataclass(frozen=True)
class EventPage:
    """A published event, with what a request needs to know before anything is drawn."""

    event: EventHead
    form_version_id: int
    seats: Seats
    state: EventState
    policy: LinkPolicy
    closed: tuple[tuple[str, str], ...] = ()
    """Of a series, the dates that take nobody, each with why."""


# In a crowd thousands open the same form in a second; nobody sees a change sooner than that anyway.
GLANCE_SECONDS = 0.1


def load_event(slug: str, now: datetime, *, at_a_glance: bool = False) -> EventPage:
    """Load a published event, or answer 404; a draft is nobody's to see.

    At a glance it may be as it was a moment ago, though never before this process's last change:
    for what is decided again where it is stored, or is only shown.
    """
    event = _glance(slug) if at_a_glance else events.find_head(get_site().database, slug)
    if event is None or event.status == EventState.DRAFT or event.form_version_id is None:
        abort(404)
    check_frame(event)
    g.default_locale = event.default_locale
    seats = count_seats(event, event.seats_taken)
    page = EventPage(
        event=event,
        form_version_id=event.form_version_id,
        seats=seats,
        state=get_state(event, seats, now),
        policy=LinkPolicy(event.link_policy),
    )
    return _look_at_dates(page, now) if event.dates else page


def _glance(slug: str) -> EventHead | None:
    site = get_site()
    key = (slug, site.database.changes, int(time.monotonic() / GLANCE_SECONDS))
    return site.event_heads.get(key, lambda: events.find_head(site.database, slug))


def _look_at_dates(page: EventPage, now: datetime) -> EventPage:
    """Find the closed dates of a series; if people choose and all are closed, so is the event."""
    with get_site().database.read() as session:
        closed = read_closed(session, page.event, now=now)
    is_full = takes_choice(page.event) and len(closed) == len(page.event.dates)
    state = EventState.FULL if is_full and page.state is EventState.OPEN else page.state
    return replace(page, closed=tuple(sorted(closed.items())), state=state)


def draw_page(session: Session, page: EventPage, now: datetime) -> EventView:
    """Put together what the event's own page shows of it."""
    event = events.need_event(session, page.event.id)
    # The seats that its key names: read again they may be others.
    view = view_event(session, event, read_locale(), seats=page.seats, now=now)
    return replace(view, form_url=form_path(event.slug) + write_query()) if get_frame() else view


def draw_event(session: Session, event: Event, now: datetime) -> EventView:
    """Put together what a page shows of an event in the language of the answer."""
    return view_event(session, event, read_locale(), seats=read_seats(session, event), now=now)


def draw_event_of(session: Session, event: Event, person: Registration, now: datetime) -> EventView:
    """As `draw_event`; of a series, with only the dates that the person comes to."""
    view = draw_event(session, event, now)
    if not view.has_choice:
        return view
    mine = {date.id: date for date in read_people_dates(session, event, person)}
    dates = tuple(
        replace(shown, text=write_date(mine[shown.id], event.timezone, read_locale()))
        for shown in view.dates
        if shown.id in mine
    )
    return replace(view, dates=dates, has_choice=False)


def draw_head(session: Session, event: EventHead, now: datetime) -> EventView:
    """As `draw_event`, put together once for each version, state, seats shown and language."""
    locale, seats = read_locale(), count_seats(event, event.seats_taken)
    state = get_state(event, seats, now)
    over = sum(now >= date.ends_at for date in read_dates(event)) if event.dates else 0
    key = (event.id, event.version, state, seats.few_left, seats.are_all_taken, locale, over)

    def draw() -> EventView:
        whole = events.need_event(session, event.id)
        return view_event(session, whole, locale, seats=seats, now=now)

    return get_site().event_views.get((*key, event.link_policy), draw)


def show_state(
    session: Session, page: EventPage, now: datetime, *, state: EventState | None = None
) -> Response:
    """Say why nobody can register: by what was found when it was decided, if that is given."""
    event = draw_page(session, page, now)
    # That no date is left is known of the page alone.
    state = state or (page.state if page.closed else None)
    if state is not None:
        event = replace(event, state=state)
    status = 409 if request.method == "POST" else 200
    html = render_template("registration/state.html", event=event, sharing=share(event))
    return make_response(html, status)
