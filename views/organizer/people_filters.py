"""Filters of the list of people: from an address to what is wanted, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import abort, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from services.facets import Facet, Value, list_facets, list_sensitive_ids
from services.members import Member, Permission
from services.registration_index import fold
from services.submissions import SOURCE_NAMES
from storage.models import Event
from storage.registration_index import Wanted

from ..locale import read_locale
from ..places import name_place
from . import people_words as words

SORTS = ("newest", "oldest")
LONGEST_SEARCH = 100
NOT_FILTERS = {"q", "sort", "at", "lang", "format", "columns"}


@dataclass(frozen=True)
class PeopleQuery:
    """What an address asks for: `chosen` has the wanted value of each facet."""

    text: str
    chosen: Mapping[str, str]
    sort: str
    begin: int | None

    @property
    def wanted(self) -> Wanted:
        facets = {name: frozenset({value}) for name, value in self.chosen.items()}
        return Wanted(facets, fold(self.text) if self.text else "")

    @property
    def fields(self) -> dict[str, str]:
        """What a form or link carries on to ask for the same people."""
        return {"q": self.text, **self.chosen} if self.text else dict(self.chosen)

    def write(self, **others: object) -> str:
        sort = {} if self.sort == SORTS[0] else {"sort": self.sort}
        return urlencode({**self.fields, **sort, **others})


def read_query(facets: list[Facet]) -> PeopleQuery:
    """Read the address of this request; a name that is no filter is answered with 400."""
    allowed = {facet.name for facet in facets}
    asked = {name: value for name, value in request.args.items(multi=True) if value}
    if any(name not in allowed | NOT_FILTERS for name in asked):
        abort(400)
    sort, begin = asked.get("sort", SORTS[0]), asked.get("at", "")
    if sort not in SORTS or begin and not (begin.isascii() and begin.isdigit() and len(begin) < 16):
        abort(400)
    chosen = {name: value[:120] for name, value in asked.items() if name in allowed}
    text = asked.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    return PeopleQuery(text, chosen, sort, int(begin) if begin else None)


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
        *list_seen_facets(session, member, event, totals),
    ]
    return [*facets, *list_sources(totals)]


def list_sources(totals: Mapping[str, Mapping[str, int]]) -> list[Facet]:
    """List the campaign tags that people came with, the most frequent value first."""
    return [
        Facet(
            f"source:{name}",
            str(words.SOURCE[name]),
            tuple(
                Value(value, value, count)
                for value, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            ),
        )
        for name in SOURCE_NAMES
        if (counts := totals.get(f"source:{name}"))
    ]
