"""An event's first page: its numbers, how they came about, and what needs the organizer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services import audit
from services.audit import Action
from services.behind_erasings import list_due
from services.charts import DAYS, MOST_PERIODS, Bars, Period, count_periods, make_bars
from services.members import Member, Permission
from services.overview import name_problem
from services.proofs_of_work import is_proof_wanted
from services.registrations import Status
from services.retrying import NEEDS_DECISION, retry_event
from services.submission_limits import read_event_load
from storage import events, job_lists, registration_index, submissions
from storage.models import Event, JobState

from ..locale import read_locale
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_attendance import view_attendance
from .event_headings import view_event
from .people_filters import list_seen_facets, list_sources, refresh_index

MOST_NAMED = 20
"""Of so many jobs that were put aside the people are named; more is for the list of people."""

_WEEKDAYS = "月火水木金土日"


@bp.get("/events/<event>", endpoint="show_event")
@needs(Permission.SEE_EVENTS)
def show_event(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    refresh_index(member, event)
    with site.database.write() as session:
        found = need_event(session, member, event)
        view = _view(session, member, found)
        object_ = f"event:{event}"
        audit.record(session, member, Action.EVENT_SEEN, object_, now=site.read_clock())
    return render_template("organizer/event.html", here="overview", **view)


@bp.get("/events/<event>/numbers", endpoint="show_numbers")
@needs(Permission.SEE_EVENTS, is_polled=True)
def show_numbers(member: Member, event: str) -> ResponseReturnValue:
    """Return the part of the page that changes, for a page that is open."""
    refresh_index(member, event)
    with get_site().database.read() as session:
        return render_template(
            "organizer/_numbers.html", **_view(session, member, need_event(session, member, event))
        )


@bp.post("/events/<event>/retry", endpoint="retry_event")
@needs(Permission.CHANGE_PEOPLE)
def retry(member: Member, event: str) -> ResponseReturnValue:
    """Have done again of an event what was put aside, unless that needs a decision."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        count = retry_event(session, found, now=now)
        facts: dict[str, audit.Fact] = {"act": "retry", "count": count}
        object_ = f"event:{event}"
        audit.record(session, member, Action.PEOPLE_CHANGED, object_, facts=facts, now=now)
    return redirect(f"/organizer/events/{event}", code=303)


def _view(session: Session, member: Member, event: Event) -> dict[str, Any]:
    counters = events.list_counters(session, event.id)
    totals = registration_index.list_totals(session, event.id)
    facets = list_seen_facets(session, member, event, totals)
    problems = _list_problems(session, event)
    is_whole = request.args.get("days") == "all"
    sources = list_sources(session, event, totals)
    # What people say of themselves before the finer points of campaigns, and consents at the end.
    answers = [facet for facet in facets if not facet.is_consent]
    consents = [facet for facet in facets if facet.is_consent]
    shown = [*sources[:1], *answers, *sources[1:], *consents]
    charts = [_draw_days(totals.get("hour", {}), event, is_whole=is_whole)]
    charts += [(facet.label, _draw(facet.values)) for facet in shown]
    return {
        "event": view_event(event),
        "numbers": [
            (words.STATUS[status], counters.get(f"status:{status}", 0), status) for status in Status
        ],
        "capacity": event.capacity,
        "seats": counters.get(events.SEATS, 0),
        "is_whole": is_whole,
        "charts": [(title, bars) for title, bars in charts if bars.total],
        "problems": problems,
        "attendance": view_attendance(session, event),
        "can_retry": any(problem["name"] not in NEEDS_DECISION for problem in problems),
        "held": submissions.count_held(session, event.id),
        "held_up": len(list_due(session, event_id=event.id, now=get_site().read_clock())),
        "asks_for_work": _asks_for_work(session, event),
    }


def _asks_for_work(session: Session, event: Event) -> bool:
    """Tell whether so much comes now that everybody at the event is asked."""
    site = get_site()
    load = read_event_load(session, event.id, now=site.read_clock())
    is_busy = site.settings.rate_limits and not load.is_calm
    return is_busy and is_proof_wanted(event.bot_check, load)


def _draw_days(hours: Mapping[str, int], event: Event, *, is_whole: bool) -> tuple[str, Bars]:
    periods = count_periods(hours, event.timezone, is_whole=is_whole)
    title = (
        gettext("Registrations by day, all of them")
        if is_whole
        else gettext("Registrations by day, the last %(days)s days", days=DAYS)
    )
    bars = ((write_period(period), period.count) for period in periods)
    return title, make_bars(bars, most=MOST_PERIODS)


def write_period(period: Period) -> str:
    if period.first == period.last:
        return _write_day(period.first)
    dash = "〜" if read_locale() == "ja" else "–"
    return f"{_write_day(period.first)}{dash}{_write_day(period.last)}"


def _draw(values: Any) -> Bars:
    return make_bars((value.label, value.count) for value in values)


def _list_problems(session: Session, event: Event) -> list[dict[str, Any]]:
    """List each reason that work was put aside: its meaning, how many, and the first of whom."""
    counts = job_lists.count_jobs(session, states=(JobState.PARKED,), event_id=event.id)
    sums: dict[str, int] = {}
    for _, _, reason, count in counts:
        problem = name_problem(reason)
        sums[problem] = sums.get(problem, 0) + count
    people: dict[str, dict[str, str]] = {}
    parked = job_lists.list_concerned(session, event.id, JobState.PARKED, limit=MOST_NAMED)
    for reason, public_id, number in parked:
        people.setdefault(name_problem(reason), {})[public_id] = number
    return [
        {
            "name": problem,
            "text": words.PROBLEM.get(problem, words.OTHER_PROBLEM),
            "count": count,
            "people": people.get(problem, {}),
        }
        for problem, count in sums.items()
    ]


def _write_day(day: date) -> str:
    if read_locale() == "ja":
        return f"{day.month}/{day.day}（{_WEEKDAYS[day.weekday()]}）"
    return f"{day:%a}, {day:%b} {day.day}"
