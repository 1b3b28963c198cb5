"""Where people of an event come from: from seeing its form to registering, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services.charts import MOST_PERIODS, Bars, make_bars, make_periods
from services.dates import load_zone
from services.facets import list_questions
from services.formulas import defuse
from services.funnels import FEW_VIEWS, VIEW, Funnel, Steps, read_funnel
from services.invitation_links import read_names, resolve
from services.members import Member, Permission
from services.sources import ORIGIN_NAMES, REF
from services.spreadsheets import write_csv
from services.texts import localize
from storage import registration_index, visits
from storage.models import Event

from ..locale import read_locale
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event
from .overview import write_period
from .people_filters import refresh_index

RANGES = ("7", "30")
"""How many days an address may ask for; with anything else it asks for all."""


@dataclass(frozen=True)
class SourceRow:
    """One line of the table; `label` has all the tags in one."""

    label: str
    tags: Mapping[str, str]
    steps: Steps
    origin: str = ""

    @property
    def rate(self) -> str:
        rate = self.steps.rate
        if rate is None:
            return ""
        return "< 0.1%" if 0 < rate < 0.001 else f"{rate:.1%}"


@bp.get("/events/<event>/sources", endpoint="show_sources")
@needs(Permission.SEE_EVENTS)
def show_sources(member: Member, event: str) -> ResponseReturnValue:
    refresh_index(member, event)
    days = request.args.get("days", "")
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        first = _find_first(found, days)
        funnel = _read(session, found, first)
        rows = list_rows(session, found, funnel)
        views = visits.sum_by_day(session, found.id, VIEW, first)
        mistakes = _name_fields(session, found, funnel)
        shown = view_event(found)
    charts = [
        (gettext("Registrations by source"), _draw_rows(rows), gettext("People")),
        (gettext("Views by day"), _draw_days(views), gettext("Views")),
    ]
    return render_template(
        "organizer/sources.html",
        event=shown,
        here="sources",
        days=days if days in RANGES else "",
        ranges=_list_ranges(event, days),
        funnel=funnel,
        few=FEW_VIEWS,
        labels=[(name, words.SOURCE[name]) for name in ORIGIN_NAMES],
        rows=rows,
        mistakes=mistakes,
        charts=[chart for chart in charts if chart[1].total],
    )


@bp.get("/events/<event>/sources.csv", endpoint="export_sources")
@needs(Permission.SEE_EVENTS)
def export_sources(member: Member, event: str) -> ResponseReturnValue:
    refresh_index(member, event)
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        funnel = _read(session, found, _find_first(found, request.args.get("days", "")))
        rows = list(_write_table(list_rows(session, found, funnel)))
        name = f"{found.slug}-sources.csv"
    response = Response(write_csv(rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def list_rows(session: Session, event: Event, funnel: Funnel) -> list[SourceRow]:
    """Write the origins of a funnel in words, and what is left at the end."""
    codes = {row.tags[REF] for row in funnel.rows if REF in row.tags}
    links, rows = read_names(session, event.id, codes), []
    for row in funnel.rows:
        tags = resolve(row.tags, links)
        label = words.write_origin(row.origin, tags)
        rows.append(SourceRow(label, tags, row.steps, row.origin))
    if funnel.rest != Steps():
        rows.append(SourceRow(gettext("All others"), {}, funnel.rest))
    return rows


def _read(session: Session, event: Event, first: date | None) -> Funnel:
    totals = registration_index.list_totals(session, event.id)
    return read_funnel(session, event, totals, first=first)


def _list_ranges(event: str, asked: str) -> list[tuple[str, None, str, bool]]:
    """List the spans of time to choose from, as tabs are drawn."""
    address = f"/organizer/events/{event}/sources"
    whole = (gettext("The whole time"), None, address, asked not in RANGES)
    return [whole] + [
        (
            gettext("The last %(days)s days", days=days),
            None,
            f"{address}?days={days}",
            days == asked,
        )
        for days in RANGES
    ]


def _find_first(event: Event, days: str) -> date | None:
    if days not in RANGES:
        return None
    today = get_site().read_clock().astimezone(load_zone(event.timezone)).date()
    return today - timedelta(days=int(days) - 1)


def _draw_rows(rows: list[SourceRow]) -> Bars:
    counts = ((row.label, row.steps.registrations) for row in rows)
    return make_bars((label, count) for label, count in counts if count)


def _draw_days(views: Mapping[date, int]) -> Bars:
    periods = make_periods(views, is_whole=True)
    return make_bars(((write_period(p), p.count) for p in periods), most=MOST_PERIODS)


def _name_fields(session: Session, event: Event, funnel: Funnel) -> list[tuple[str, int]]:
    """Put the words of the form in the place of its fields' names."""
    locale = read_locale()
    names: dict[str, Any] = {
        f"question_{question.id}": localize(question.label, locale)
        for question in list_questions(session, event)
    }
    names |= words.FIELD
    return [(str(names.get(name, name)), count) for name, count in funnel.mistakes]


def _write_table(rows: list[SourceRow]) -> Iterator[list[str]]:
    yield [
        gettext("Source"),
        *(str(words.SOURCE[name]) for name in ORIGIN_NAMES),
        *(gettext("Views"), gettext("Starts"), gettext("Registrations")),
    ]
    for row in rows:
        counts = (row.steps.views, row.steps.starts, row.steps.registrations)
        tags = (str(row.tags.get(name, "")) for name in ORIGIN_NAMES)
        yield [defuse(cell) for cell in (row.label, *tags, *map(str, counts))]
