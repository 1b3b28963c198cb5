"""What registrations are filtered, searched and counted by, and keeping the index of it.

A facet is a (name, value): `status`, `delivery`, `proof`, `locale`, `mailable`, `hour` (in UTC),
`answer:<question>`, `consent:<question>`, `source:<tag>`, `origin`, `attendance`. Free text makes
none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC

from sqlalchemy.orm import Session

from storage import attendance, events, registration_index
from storage.index_writing import (
    Entry,
    Facet,
    Intake,
    list_behind,
    read_intake,
)
from storage.models import Event, Registration
from storage.registration_lists import FullRow, read_full_rows

from .consents import is_mailable
from .form_history import read_answered_form
from .questions import DATES, FormDefinition, QuestionKind
from .sources import BY_HAND, BY_PROGRAM, DIRECT, FACET_NAMES, REF, name_origin
from .submissions import Surface

AT_ONCE = 500
"""How many registrations one step takes in: some tens of milliseconds, most of them to read."""

MOST_SOURCES = 100
"""How many values a campaign tag is counted by; addresses of links are for anybody to make up."""

MOST_ORIGINS = 1_000
"""How many origins, which have several tags each, and how many links of people."""

OTHER_SOURCES = "…"

ORIGIN = "origin"

ATTENDANCE = "attendance"
SEEN, UNSEEN = "seen", "unseen"
"""Whether Zoom's record has somebody; who is absent, and of whom that is unclear, follows later."""

FACETED = {
    QuestionKind.SELECT,
    QuestionKind.RADIO,
    QuestionKind.CHECKBOXES,
    QuestionKind.PREFECTURE,
    QuestionKind.COUNTRY,
}

BY_NAME, BY_COMPANY = "name", "company"
"""What people can be sorted by beside the facets."""

LONGEST_KEY = 48
NOTHING = b"\xff"
"""A key behind all others: no text has this byte."""

_COMPANY = re.compile(r"株式会社|有限会社|合同会社|\((株|有|同)\)")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_SEPARATOR = "\x1f"


def read_changes(session: Session, event_id: int) -> Intake:
    """Read what the index does not know yet, as much as one step takes in."""
    sources = _Sources(session, event_id)

    def describe(session: Session, ids: Sequence[int]) -> dict[int, Entry]:
        entries: dict[int, Entry] = {}
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            event = events.need_event(session, event_id)
            came = _list_attendance(session, part)
            for full in read_full_rows(session, part):
                key = full.row.registration.id
                definition = _read_form(session, event, full)
                entries[key] = _describe(full, definition, sources, came.get(key, ""))
        return entries

    return read_intake(session, event_id, describe, limit=AT_ONCE)


def list_events_behind(session: Session) -> list[int]:
    return list_behind(session)


def fold(text: str) -> str:
    """Write a text as it is searched: widths, cases, kana, spaces and forms of companies alike."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_HIRAGANA)
    plain = "".join(char for char in plain if not _is_ignored(char))
    return _COMPANY.sub("", plain) or plain


def _is_ignored(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Mn")


def may_be_mailed(full: FullRow) -> bool:
    """Tell whether advertising may go to a person."""
    boxes = ((box.question_id, box.kind, box.is_given) for box in full.consents)
    return is_mailable(full.row.registration.proven_at, boxes)


class _Sources:
    """Gives each campaign tag its value, and a common one to those that come late."""

    def __init__(self, session: Session, event_id: int) -> None:
        self._session = session
        self._event_id = event_id
        self._known: dict[str, set[str]] = {}

    def choose(self, name: str, value: str, *, most: int = MOST_SOURCES) -> str:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = registration_index.list_values(
                self._session, self._event_id, name, limit=most
            )
        if value not in known and len(known) >= most:
            return OTHER_SOURCES
        known.add(value)
        return value


def _list_attendance(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Say of whoever Zoom was asked about whether its record has them, at one date or more."""
    came: dict[int, str] = {}
    for row in attendance.list_rows(session, ids):
        is_seen = row.first_joined_at is not None or came.get(row.registration_id) == SEEN
        came[row.registration_id] = SEEN if is_seen else UNSEEN
    return came


def _read_form(session: Session, event: Event, full: FullRow) -> FormDefinition:
    answered = [answer.question_id for answer in full.answers]
    return read_answered_form(session, event, full.row.registration.form_version_id, answered)


def _describe(full: FullRow, definition: FormDefinition, sources: _Sources, came: str) -> Entry:
    person = full.row.registration
    facets: set[Facet] = {
        ("status", person.status),
        ("delivery", full.row.delivery),
        ("proof", "no" if person.proven_at is None else "yes"),
        ("mailable", "yes" if may_be_mailed(full) else "no"),
        ("locale", person.locale),
        ("hour", f"{person.created_at.astimezone(UTC):%Y-%m-%dT%H}"),
    }
    if came:
        facets.add((ATTENDANCE, came))
    for name in FACET_NAMES:
        if value := person.source.get(name):
            facet = f"source:{name}"
            most = MOST_ORIGINS if name == REF else MOST_SOURCES
            facets.add((facet, sources.choose(facet, _as_key(str(value)), most=most)))
    facets.add((ORIGIN, sources.choose(ORIGIN, _name_origin(person), most=MOST_ORIGINS)))
    newest = {consent.question_id: consent.is_given for consent in full.consents}
    facets |= {
        (f"consent:{question_id}", "yes" if is_given else "no")
        for question_id, is_given in newest.items()
    }
    facets |= {
        (f"answer:{answer.question_id}", _as_key(answer.value))
        for answer in full.answers
        if _is_faceted(definition, answer.question_id)
    }
    return Entry(frozenset(facets), _write_text(full, definition), _write_keys(full, definition))


def _name_origin(person: Registration) -> str:
    if person.surface == Surface.BY_HAND:
        return BY_HAND
    origin = name_origin(person.source)
    return BY_PROGRAM if (person.surface, origin) == (Surface.API, DIRECT) else origin


def _is_faceted(definition: FormDefinition, question_id: str) -> bool:
    if question_id == DATES:
        return True
    question = definition.get_question(question_id)
    return question is not None and question.kind in FACETED


def _as_key(value: str) -> str:
    return value.replace("\0", "")[:120]


def _write_keys(full: FullRow, definition: FormDefinition) -> dict[str, bytes]:
    person = full.row.registration
    company = next(_list_companies(full, definition), "")
    return {
        BY_NAME: _write_key(person.family_name, person.given_name),
        BY_COMPANY: _write_key(company),
    }


def _write_key(*texts: str) -> bytes:
    """Write what is sorted by code points, folded; whoever has nothing comes last."""
    folded = _SEPARATOR.join(fold(text) for text in texts)
    return folded.encode()[:LONGEST_KEY] if folded.strip(_SEPARATOR) else NOTHING


def _list_companies(full: FullRow, definition: FormDefinition) -> Iterator[str]:
    return (
        answer.value
        for answer in full.answers
        if (question := definition.get_question(answer.question_id)) is not None
        and question.autocomplete == "organization"
        and not question.is_sensitive
    )


def _write_text(full: FullRow, definition: FormDefinition) -> str:
    person = full.row.registration
    texts = (
        person.family_name + person.given_name,
        person.given_name + person.family_name,
        person.email,
        full.row.number,
        *_list_companies(full, definition),
    )
    return _SEPARATOR.join(fold(text) for text in texts)
