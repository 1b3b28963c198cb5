"""Seats on the dates of a series whose people choose dates, counted as they are taken.

Whoever takes or gives back such a seat holds the lock of the event's seats meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, public_pages, registrations, zoom_closings, zoom_registrants
from storage.events import AnyEvent
from storage.models import Event, Registration

from .answers import read_answers
from .event_dates import (
    Closed,
    EventDate,
    ZonedSeries,
    add_dates,
    find_next,
    get_chosen,
    list_ahead,
    list_chosen_ids,
    make_question,
    read_dates,
    takes_choice,
)
from .full_dates import list_full
from .questions import Answer, FormDefinition, answers_from_json


@dataclass(frozen=True)
class ZoomDates:
    """Dates by id: `wanted` for one person, of those `ahead`, of all that Zoom has, `known`."""

    wanted: frozenset[str]
    ahead: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True)
class Ahead:
    """The ids of dates that are neither over nor gone, and of those that are `full` among them."""

    ids: frozenset[str]
    full: frozenset[str]


def read_closed(session: Session, event: AnyEvent, *, now: datetime) -> dict[str, str]:
    """Return why each closed date is closed, by id; seats are counted only if there is a limit."""
    has_limit = event.seats_per_date is not None
    return find_closed(event, events.list_counters(session, event.id) if has_limit else {}, now)


def list_closed(
    session: Session, listed: Iterable[AnyEvent], *, now: datetime
) -> dict[int, dict[str, str]]:
    """As `read_closed`, for several events with one query; by the id of each event with dates."""
    series = [event for event in listed if event.dates]
    limited = [event.id for event in series if event.seats_per_date is not None]
    counters = public_pages.list_counters(session, limited) if limited else {}
    return {event.id: find_closed(event, counters.get(event.id, {}), now) for event in series}


def find_closed(event: AnyEvent, counters: Mapping[str, int], now: datetime) -> dict[str, str]:
    """As `read_closed`, from counters that were read already."""
    limit, full = event.seats_per_date, list_full(event)
    closed: dict[str, str] = {}
    for date in read_dates(event):
        if date.is_gone:
            closed[date.id] = Closed.GONE
        elif now >= date.ends_at:
            closed[date.id] = Closed.PAST
        elif date.id in full or limit is not None and counters.get(_name(date.id), 0) >= limit:
            closed[date.id] = Closed.FULL
    return closed


def ask_for_dates(
    session: Session,
    event: AnyEvent,
    definition: FormDefinition,
    *,
    kept: Collection[str] = (),
    now: datetime,
) -> FormDefinition:
    """Return the form with its question for dates; `kept` are dates the person has already."""
    if not takes_choice(event):
        return definition
    closed = read_closed(session, event, now=now)
    # Who has a place on a full date may give it up.
    closed = {date: why for date, why in closed.items() if why != Closed.FULL or date not in kept}
    question = make_question(event, closed=closed, kept=kept)
    return add_dates(definition, question)


def with_dates(event: ZonedSeries, definition: FormDefinition) -> FormDefinition:
    """Return a form with its question for dates, to read stored answers with."""
    return add_dates(definition, make_question(event)) if takes_choice(event) else definition


def read_ahead(session: Session, event: AnyEvent, *, now: datetime) -> Ahead:
    """Say which dates of an event are ahead, and where people can still get a place."""
    closed = read_closed(session, event, now=now)
    ids = {date.id for date in read_dates(event)}
    full = {date for date, why in closed.items() if why == Closed.FULL}
    ahead = ids - closed.keys() | full
    # One may have become full at Zoom since the event was read.
    full |= ahead & list_full(zoom_closings.read_closing(session, event.id))
    return Ahead(frozenset(ahead), frozenset(full))


def are_open(
    session: Session,
    event: AnyEvent,
    answers: Mapping[str, Answer],
    *,
    kept: Collection[str] = (),
    is_to_wait: bool = False,
    now: datetime,
) -> bool:
    """Tell whether at least one date was chosen, and all chosen dates are open.

    Dates of `kept` were chosen when they were ahead: one of them that is over, or gone, is not
    asked for any more. `is_to_wait` asks whether somebody can wait for them: full ones may be free
    once.
    """
    ahead = read_ahead(session, event, now=now)
    wanted = {date for date in list_chosen_ids(answers) if date in ahead.ids or date not in kept}
    return bool(wanted) and wanted <= (ahead.ids if is_to_wait else ahead.ids - ahead.full)


def has_date_ahead(
    session: Session, event: AnyEvent, registration: Registration, *, now: datetime
) -> bool:
    """Tell whether a date is ahead to which somebody comes, or would; so it is of a single event.

    Whoever says of a person in a series what can be ahead alone asks this: each page, each mail,
    and whoever gives a place. Of the event's own end, or its cancellation, it tells nothing.
    """
    if not event.dates:
        return True
    return any(date.is_ahead(now) for date in read_people_dates(session, event, registration))


def count_places(session: Session, event: AnyEvent, dates: Iterable[str], *, by: int) -> None:
    """Count one person more, or one less, on each of some dates."""
    events.add_counters(session, event.id, {_name(date): by for date in dates})


def read_chosen(session: Session, registration: Registration) -> tuple[str, ...]:
    """Return the ids of the dates that somebody has chosen."""
    return list_chosen_ids(read_answers(session, registration))


def read_people_dates(
    session: Session, event: AnyEvent, registration: Registration
) -> tuple[EventDate, ...]:
    """Return the dates to which somebody comes; where nobody chooses, all that there are.

    Those that they wait for are among them, while Zoom has them for others that they had.
    """
    if not takes_choice(event):
        return get_chosen(event, {})
    chosen = get_chosen(event, read_answers(session, registration))
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    if registrant is None or not registrant.refused_dates:
        return chosen
    waiting = {*registrant.refused_dates} - {*(registrant.kept_dates or ())}
    return tuple(replace(date, is_waiting=date.id in waiting) for date in chosen)


def read_start(
    session: Session, event: AnyEvent, registration: Registration, *, now: datetime
) -> datetime:
    """Return when the person's event begins; in a series, the next date to which they come."""
    if not event.dates:
        return event.starts_at
    shown = find_next(read_people_dates(session, event, registration), now)
    return shown.starts_at if shown is not None else event.starts_at


def read_dropped_dates(
    session: Session, event: Event, registration: Registration
) -> tuple[EventDate, ...]:
    """Return the dates to which somebody came once and does not: left by them, or not held."""
    mine = read_people_dates(session, event, registration)
    held = {date.id for date in mine if not date.is_gone and not date.is_waiting}
    former = {date.id for date in mine}
    if takes_choice(event):
        for change in registrations.list_changes(session, registration.id):
            former |= set(list_chosen_ids(answers_from_json(change.before.get("answers", {}))))
    return tuple(date for date in read_dates(event) if date.id in former - held)


def read_zoom_dates(
    session: Session, event: Event, registration: Registration, *, now: datetime
) -> ZoomDates | None:
    """Say for which dates Zoom is to have somebody; None where it has everybody for all."""
    if not takes_choice(event):
        return None
    dates = read_people_dates(session, event, registration)
    return ZoomDates(
        wanted=frozenset(date.id for date in dates if date.is_ahead(now)),
        ahead=list_ahead(event, now=now),
        known=frozenset(d.id for d in read_dates(event) if not d.is_gone),
    )


def count_people(session: Session, event: AnyEvent) -> dict[str, int]:
    """Return how many people with a place come to each date, by its id."""
    counters = events.list_counters(session, event.id)
    return {date.id: counters.get(_name(date.id), 0) for date in read_dates(event)}


def _name(date_id: str) -> str:
    return f"date:{date_id}"
