"""Where people of an event come from: from seeing its form to registering, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services.charts import MOST_PERIODS, Bars, make_bars, make_periods
from services.dates import load_zone
from services.facets import list_questions
from services.formulas import defuse
from services.funnels import FEW_VIEWS, MOST_READ, VIEW, Funnel, Steps, read_funnel
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

MOST_ROWS = 50
RANGES = ("7", "30")
"""How many days an address may ask for; with anything else it asks for all."""


Tab = tuple[str, None, str, bool]


@dataclass(frozen=True)
class Asked:
    """What an address asks for: the last days or all, and perhaps a tag to put rows together by."""

    days: str
    by: str

    @property
    def query(self) -> str:
        chosen = {name: value for name, value in vars(self).items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""


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
    asked = _read_asked()
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        first = _find_first(found, asked)
        funnel = _read(session, found, first)
        rows = _cut(_list_rows(session, found, funnel, asked.by), funnel.rest, most=MOST_ROWS)
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
        asked=asked,
        ranges=_list_ranges(event, asked),
        groupings=_list_groupings(event, asked),
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
        asked = _read_asked()
        funnel = _read(session, found, _find_first(found, asked))
        rows = _list_rows(session, found, funnel, asked.by)
        table = list(_write_table(_cut(rows, funnel.rest, most=MOST_READ)))
        name = f"{found.slug}-sources.csv"
    response = Response(write_csv(table), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _list_rows(session: Session, event: Event, funnel: Funnel, by: str) -> list[SourceRow]:
    """Write the origins of a funnel in words, those with the same value of a tag in one."""
    codes = {row.tags[REF] for row in funnel.rows if REF in row.tags}
    links = read_names(session, event.id, codes)
    rows, groups = [], dict[str, Steps]()
    for row in funnel.rows:
        tags = resolve(row.tags, links)
        rows.append(SourceRow(words.write_origin(row.origin, tags), tags, row.steps, row.origin))
        value = tags.get(by, "")
        groups[value] = groups.get(value, Steps()) + row.steps
    if not by:
        return rows
    ranked = sorted(groups.items(), key=lambda group: (group[1].rank, group[0]))
    return [
        SourceRow(value or gettext("Without it"), {by: value} if value else {}, steps)
        for value, steps in ranked
    ]


def _cut(rows: list[SourceRow], rest: Steps, *, most: int) -> list[SourceRow]:
    """Leave so many rows, and put all others together at the end."""
    rest = sum((row.steps for row in rows[most:]), rest)
    others = [SourceRow(gettext("All others"), {}, rest)] if rest != Steps() else []
    return [*rows[:most], *others]


def _read(session: Session, event: Event, first: date | None) -> Funnel:
    totals = registration_index.list_totals(session, event.id)
    return read_funnel(session, event, totals, first=first)


def _read_asked() -> Asked:
    days, by = request.args.get("days", ""), request.args.get("by", "")
    return Asked(days if days in RANGES else "", by if by in ORIGIN_NAMES else "")


def _list_ranges(event: str, asked: Asked) -> list[Tab]:
    """List the spans of time to choose from, as tabs are drawn."""
    texts = {"": gettext("The whole time")}
    texts |= {days: gettext("The last %(days)s days", days=days) for days in RANGES}
    return [_make_tab(event, replace(asked, days=days), asked, texts[days]) for days in texts]


def _list_groupings(event: str, asked: Asked) -> list[Tab]:
    """List what the rows can be put together by."""
    texts = {"": gettext("All tags")} | {name: str(words.SOURCE[name]) for name in ORIGIN_NAMES}
    return [_make_tab(event, replace(asked, by=name), asked, texts[name]) for name in texts]


def _make_tab(event: str, choice: Asked, asked: Asked, text: str) -> Tab:
    return text, None, f"/organizer/events/{event}/sources{choice.query}", choice == asked


def _find_first(event: Event, asked: Asked) -> date | None:
    if not asked.days:
        return None
    today = get_site().read_clock().astimezone(load_zone(event.timezone)).date()
    return today - timedelta(days=int(asked.days) - 1)


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
