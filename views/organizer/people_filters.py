"""Filters of the list of people: from an address to what is wanted, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import abort, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from services.facets import Facet, Value, list_facets, list_sensitive_ids
from services.funnels import read_tags
from services.invitation_links import read_names, resolve
from services.members import Member, Permission
from services.registration_index import (
    ATTENDANCE,
    BY_COMPANY,
    BY_NAME,
    ORIGIN,
    SEEN,
    UNSEEN,
    fold,
    read_changes,
)
from services.sources import FACET_NAMES, REF
from storage import registration_index
from storage.index_writing import store_intake
from storage.models import Event
from storage.registration_index import Wanted
from storage.registration_order import (
    OrderedPage,
    Part,
    People,
    read_page_by_date,
    read_page_by_key,
    read_page_by_value,
)

from ..locale import read_locale
from ..places import name_place
from ..site import get_site
from . import people_words as words
from .access import need_event

NEWEST, OLDEST = "newest", "oldest"
LONGEST_SEARCH = 100
MOST_COUNTED = 10_000
NOT_FILTERS = {"q", "sort", "at", "lang", "format"}


@dataclass(frozen=True)
class PeopleQuery:
    """What an address asks for: `chosen` has the wanted value of each facet."""

    text: str
    chosen: Mapping[str, str]
    sort: str
    begin: str

    @property
    def wanted(self) -> Wanted:
        facets = {name: frozenset({value}) for name, value in self.chosen.items()}
        return Wanted(facets, fold(self.text) if self.text else "")

    @property
    def fields(self) -> dict[str, str]:
        """What a form or link carries on to ask for the same people."""
        return {"q": self.text, **self.chosen} if self.text else dict(self.chosen)

    def sorted_by(self, sort: str) -> str:
        return replace(self, sort=sort).write()

    def write(self, **others: object) -> str:
        sort = {} if self.sort == NEWEST else {"sort": self.sort}
        return urlencode({**self.fields, **sort, **others})


def refresh_index(member: Member, event: str) -> None:
    """Take in what was registered and changed since anybody looked."""
    site = get_site()
    with site.database.read() as session:
        event_id = need_event(session, member, event).id
        if not registration_index.is_behind(session, event_id):
            return
        changes = read_changes(session, event_id)
    with site.database.write() as session:
        store_intake(session, changes)


def count_found(
    session: Session,
    event: Event,
    query: PeopleQuery,
    total: int,
    *,
    most: int | None = MOST_COUNTED,
) -> int:
    """Count whom a filter finds; of a search only until there are more than `most`."""
    wanted = query.wanted
    if not wanted.facets and not wanted.text:
        return total
    limit = most if wanted.text else None
    return registration_index.count_matches(session, event.id, wanted, most=limit)


def read_query(facets: list[Facet]) -> PeopleQuery:
    """Read the address of this request; a name that is no filter is answered with 400."""
    allowed = {facet.name for facet in facets}
    # PostgreSQL takes no NUL, and nobody has one in their name.
    given = ((name, value.replace("\0", "")) for name, value in request.args.items(multi=True))
    asked = {name: value for name, value in given if value}
    if any(name not in allowed | NOT_FILTERS for name in asked):
        abort(400)
    sort = asked.get("sort", NEWEST)
    if sort not in list_sorts(facets):
        abort(400)
    chosen = {name: value[:120] for name, value in asked.items() if name in allowed}
    text = asked.get("q", "").strip()[:LONGEST_SEARCH]
    return PeopleQuery(text, chosen, sort, asked.get("at", ""))


def list_sorts(facets: list[Facet]) -> dict[str, str]:
    """Return what people can be sorted by, with its words: dates, names, and what has one value."""
    return {
        NEWEST: gettext("Newest first"),
        OLDEST: gettext("Oldest first"),
        BY_NAME: gettext("Name"),
        BY_COMPANY: gettext("Company"),
        **{facet.name: facet.label for facet in facets if _is_sorted_by(facet)},
    }


def _is_sorted_by(facet: Facet) -> bool:
    is_answer = facet.name.startswith("answer:") and not facet.has_many
    return is_answer or facet.name in ("status", "delivery")


def read_people(
    session: Session, event: Event, query: PeopleQuery, facets: list[Facet], *, limit: int
) -> OrderedPage:
    """Read one page of whom an address asks for, in the order that it asks for."""
    values = {facet.name: [value.value for value in facet.values] for facet in facets}
    people, part = People(session, event.id, query.wanted), Part(query.begin, limit)
    try:
        if query.sort in (BY_NAME, BY_COMPANY):
            return read_page_by_key(people, query.sort, part)
        if query.sort in values:
            return read_page_by_value(people, query.sort, values[query.sort], part)
        return read_page_by_date(people, part, oldest_first=query.sort == OLDEST)
    except ValueError:
        abort(400)


def list_hidden(session: Session, member: Member, event: Event) -> frozenset[str]:
    """List the questions whose answers a member does not see."""
    if member.may(Permission.SEE_SENSITIVE):
        return frozenset()
    return list_sensitive_ids(session, event)


def list_seen_facets(
    session: Session, member: Member, event: Event, totals: Mapping[str, Mapping[str, int]]
) -> list[Facet]:
    """List the questions whose answers are counted and shown to a member."""
    facets = list_facets(session, event, totals, locale=read_locale(), name_place=name_place)
    may_see = member.may(Permission.SEE_SENSITIVE)
    return [facet for facet in facets if may_see or not facet.is_sensitive]


def list_filters(
    session: Session, member: Member, event: Event, totals: Mapping[str, Mapping[str, int]]
) -> list[Facet]:
    """List all that a member can filter the people of an event by."""

    seen = {SEEN: gettext("In Zoom's record"), UNSEEN: gettext("Not in Zoom's record")}
    meant = {value: text for value, text in words.DELIVERY.items() if value}

    def make(name: str, label: str, texts: Mapping[str, object]) -> Facet:
        counts = totals.get(name, {})
        values = (Value(value, str(text), counts.get(value, 0)) for value, text in texts.items())
        return Facet(name, label, tuple(values))

    facets = [
        make("status", gettext("Status"), words.STATUS),
        make("delivery", gettext("Delivery to Zoom"), meant),
        make("proof", gettext("Address proven"), words.YES_NO),
        make("mailable", gettext("May be mailed"), words.YES_NO),
        make("locale", gettext("Language"), words.LOCALE),
        *([make(ATTENDANCE, gettext("Who came"), seen)] if event.records_attendance else []),
        *list_seen_facets(session, member, event, totals),
    ]
    sources = list_sources(session, event, totals)
    return [*facets, *sources, *_list_asked_origin(session, event, totals)]


def _list_asked_origin(
    session: Session, event: Event, totals: Mapping[str, Mapping[str, int]]
) -> list[Facet]:
    """Return the origin that the address asks for; of all there are it has too many to offer."""
    origin = request.args.get(ORIGIN, "")[:120].replace("\0", "")
    if not origin:
        return []
    tags = read_tags(session, event.id, [origin]).get(origin, {})
    links = read_names(session, event.id, [tags.get(REF, "")])
    label = words.write_origin(origin, resolve(tags, links))
    value = Value(origin, label, totals.get(ORIGIN, {}).get(origin, 0))
    return [Facet(ORIGIN, gettext("Source"), (value,))]


def list_sources(
    session: Session, event: Event, totals: Mapping[str, Mapping[str, int]]
) -> list[Facet]:
    """List the campaign tags that people came with, the most frequent value first."""
    links = read_names(session, event.id, totals.get(f"source:{REF}", {}).keys())
    names = {code: named.name for code, named in links.items()}
    return [
        Facet(
            f"source:{name}",
            str(words.SOURCE[name]),
            tuple(
                Value(value, names.get(value, value) if name == REF else value, count)
                for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            ),
        )
        for name in FACET_NAMES
        if (counts := totals.get(f"source:{name}"))
    ]
