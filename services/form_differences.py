"""What differs between two versions of a form, question by question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .questions import Choice, Question
from .texts import LOCALES, Text


class Part(StrEnum):
    """What of a question or of a form differs."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    KIND = "kind"
    LABEL = "label"
    HELP = "help"
    REQUIRED = "required"
    MESSAGE = "message"
    CHOICE_ADDED = "choice_added"
    CHOICE_REMOVED = "choice_removed"
    CHOICE_RENAMED = "choice_renamed"
    CHOICES_MOVED = "choices_moved"
    OTHER = "other"
    CONDITION = "condition"
    LIMITS = "limits"
    NOTICE = "notice"
    ZOOM = "zoom"
    SENSITIVE = "sensitive"


@dataclass(frozen=True)
class Difference:
    """One difference: what it is about, and how that was and is; texts are of one language."""

    part: Part
    question: Question
    before: str = ""
    after: str = ""
    locale: str = ""


def list_differences(former: Sequence[Question], present: Sequence[Question]) -> list[Difference]:
    """Compare two versions: what was added and removed, then what changed, in the form's order."""
    before = {question.id: question for question in former}
    after = {question.id: question for question in present}
    return [
        *(Difference(Part.ADDED, q) for q in present if q.id not in before),
        *(Difference(Part.REMOVED, q) for q in former if q.id not in after),
        *(Difference(Part.MOVED, after[moved]) for moved in _list_moved(before, after)),
        *(
            difference
            for question in present
            if question.id in before
            for difference in compare_questions(before[question.id], question)
        ),
    ]


def compare_questions(former: Question, present: Question) -> Iterator[Difference]:
    """Compare two wordings of one question, thing by thing."""
    if former.kind != present.kind:
        yield Difference(Part.KIND, present, former.kind, present.kind)
    yield from _compare_texts(Part.LABEL, present, former.label, present.label)
    yield from _compare_texts(Part.HELP, present, former.help, present.help)
    yield from _compare_choices(former, present)
    for part, name in _SWITCHES.items():
        was, is_ = getattr(former, name), getattr(present, name)
        if was != is_:
            yield Difference(part, present, _say(was), _say(is_))
    yield from _compare_texts(
        Part.MESSAGE, present, former.required_message, present.required_message
    )
    if former.condition != present.condition:
        yield Difference(Part.CONDITION, present)
    if _list_limits(former) != _list_limits(present):
        yield Difference(Part.LIMITS, present)
    if (former.whole_notice, former.whole_summary) != (present.whole_notice, present.whole_summary):
        yield Difference(Part.NOTICE, present)
    zoom = [question.zoom_title or question.zoom_field or "" for question in (former, present)]
    if zoom[0] != zoom[1]:
        yield Difference(Part.ZOOM, present, *zoom)


_SWITCHES = {
    Part.REQUIRED: "is_needed",
    Part.OTHER: "has_other",
    Part.SENSITIVE: "is_sensitive",
}


def _say(is_on: bool) -> str:
    return "yes" if is_on else ""


def _list_limits(question: Question) -> tuple[object, ...]:
    return (question.max_length, question.minimum, question.maximum, question.autocomplete)


def _compare_texts(
    part: Part, question: Question, former: Text, present: Text
) -> Iterator[Difference]:
    for locale in LOCALES:
        before, after = former.get(locale, ""), present.get(locale, "")
        if before != after:
            yield Difference(part, question, before, after, locale)


def _compare_choices(former: Question, present: Question) -> Iterator[Difference]:
    before = {choice.value: choice for choice in former.choices}
    after = {choice.value: choice for choice in present.choices}
    for choice in present.choices:
        if choice.value not in before:
            yield Difference(Part.CHOICE_ADDED, present, "", _name(choice))
        else:
            yield from _compare_texts(
                Part.CHOICE_RENAMED, present, before[choice.value].label, choice.label
            )
    for choice in former.choices:
        if choice.value not in after:
            yield Difference(Part.CHOICE_REMOVED, present, _name(choice))
    if _keep(before, after) != _keep(after, before):
        yield Difference(Part.CHOICES_MOVED, present)


def _name(choice: Choice) -> str:
    return next((choice.label[each] for each in LOCALES if choice.label.get(each)), choice.value)


def _keep(ids: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return those of some ids that others have as well, in their own order."""
    known = set(others)
    return [each for each in ids if each in known]


def _list_moved(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Return as few ids as explain that the common ones stand in another order."""
    was, is_ = _keep(before, after), _keep(after, before)
    place = {each: number for number, each in enumerate(was)}
    stays = set(_find_longest_rise([place[each] for each in is_]))
    return [each for each in is_ if place[each] not in stays]


def _find_longest_rise(numbers: Sequence[int]) -> list[int]:
    """Return the longest part of a sequence, with gaps, that only rises."""
    best: list[list[int]] = []
    for at, number in enumerate(numbers):
        before = (best[other] for other in range(at) if numbers[other] < number)
        best.append([*max(before, key=len, default=[]), number])
    return max(best, key=len, default=[])
