"""All that an event's form ever asked: the questions of its versions, in their newest words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from storage import form_versions
from storage.models import Event

from .events import read_definition
from .questions import Choice, FormDefinition, Question, questions_from_rows

MAX_KEPT = 200


@dataclass(frozen=True)
class PastQuestion:
    """A question as the newest version with it has it, and the choices of earlier ones alone."""

    newest: Question
    retired: tuple[Choice, ...] = ()

    @property
    def whole(self) -> Question:
        """The question with all its choices, as any answer to it is read."""
        return replace(self.newest, choices=(*self.newest.choices, *self.retired))

    def follow(self, former: PastQuestion) -> PastQuestion:
        """Return this one with what the same question had before it."""
        offered = {choice.value for choice in (*self.newest.choices, *self.retired)}
        before = (*former.newest.choices, *former.retired)
        lost = tuple(choice for choice in before if choice.value not in offered)
        return PastQuestion(self.newest, (*self.retired, *lost))


History = dict[str, PastQuestion]


def read_history(session: Session, event: Event) -> History:
    """Return the questions of all versions of an event's form by their ids, the newest first.

    Versions only grow in number and never change, so what they have asked is kept in memory by the
    newest of them: the next version costs reading one.
    """
    histories: dict[int | None, History] = session.info["histories"]
    kept = histories.get(event.form_version_id)
    if kept is not None:
        return kept
    history: History = {}
    for version in form_versions.walk_versions(session, event.id):
        former = histories.get(version.id)
        if former is None:
            former = {q.id: PastQuestion(q) for q in questions_from_rows(version.questions)}
        for name, past in former.items():
            history[name] = history[name].follow(past) if name in history else past
        if version.id in histories:
            break
    if len(histories) >= MAX_KEPT:
        histories.clear()
    histories[event.form_version_id] = history
    return history


def read_answered_form(
    session: Session, event: Event, form_version_id: int, answered: Collection[str]
) -> FormDefinition:
    """Read the form that stored answers are of; `answered` are the ids of their questions.

    An answer stays where its question leaves the form: what other versions have asked follows.
    """
    definition = read_definition(session, form_version_id)
    lost = set(answered).difference(question.id for question in definition.questions)
    if not lost:
        return definition
    # What a question depends on may be gone as well.
    past = (
        replace(found.whole, condition=None)
        for name, found in read_history(session, event).items()
        if name in lost
    )
    return replace(definition, questions=(*definition.questions, *past))
