"""What people of an event can be told apart by, in words: for filters and charts alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from storage.models import Event

from .answer_texts import NamePlace, write_answer
from .event_dates import make_question, takes_choice
from .form_history import PastQuestion, read_history
from .questions import Answer, Question, QuestionKind
from .registration_index import FACETED
from .texts import localize

_TICKED = {"ja": {"yes": "はい", "no": "いいえ"}, "en": {"yes": "Yes", "no": "No"}}


@dataclass(frozen=True)
class Value:
    """One value with its words, and how many have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Facet:
    """One thing that people differ in; `name` is that of the index.

    `has_many` says that one person may have several of the values.
    """

    name: str
    label: str
    values: tuple[Value, ...]
    is_consent: bool = False
    is_sensitive: bool = False
    has_many: bool = False


def list_sensitive_ids(session: Session, event: Event) -> frozenset[str]:
    """List the questions whose answers need special care, by what their newest wording says."""
    return frozenset(q.id for q in list_questions(session, event) if q.is_sensitive)


def list_questions(session: Session, event: Event) -> list[Question]:
    """Return the questions of all versions of an event's form, the newest wording of each.

    The dates of a series come before them, where people choose.
    """
    return [past.newest for past in _list_past(session, event)]


def _list_past(session: Session, event: Event) -> list[PastQuestion]:
    dates = [PastQuestion(make_question(event))] if takes_choice(event) else []
    return [*dates, *read_history(session, event).values()]


def list_facets(
    session: Session,
    event: Event,
    totals: Mapping[str, Mapping[str, int]],
    *,
    locale: str,
    name_place: NamePlace,
) -> list[Facet]:
    """List the questions whose answers are counted, in the form's order, with their counts."""
    facets = []
    for past in _list_past(session, event):
        question = past.newest
        label = localize(question.label, locale)
        if question.is_consent:
            counts = totals.get(f"consent:{question.id}", {})
            words = _TICKED[locale]
            values = tuple(Value(key, words[key], counts.get(key, 0)) for key in ("yes", "no"))
            facets.append(Facet(f"consent:{question.id}", label, values, is_consent=True))
        elif question.kind in FACETED:
            counts = totals.get(f"answer:{question.id}", {})
            facets.append(
                Facet(
                    f"answer:{question.id}",
                    label,
                    _list_values(past, counts, locale, name_place),
                    is_sensitive=question.is_sensitive,
                    has_many=question.kind is QuestionKind.CHECKBOXES,
                )
            )
    return facets


def _list_values(
    past: PastQuestion,
    counts: Mapping[str, int],
    locale: str,
    name_place: NamePlace,
) -> tuple[Value, ...]:
    """Return the choices in the form's order, then what only earlier versions offered."""
    offered = [choice.value for choice in past.newest.choices]
    known = [*offered, *sorted(set(counts).difference(offered))]
    question = past.whole
    return tuple(
        Value(value, write_answer(question, Answer((value,)), locale, name_place), count)
        for value in known
        if (count := counts.get(value, 0)) or value in offered
    )
