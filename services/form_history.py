"""All that an event's form ever asked: the questions of its versions, in their newest words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from storage import form_versions
from storage.models import Event

from .questions import Choice, Question, questions_from_rows

MAX_KEPT = 200


@dataclass(frozen=True)
class PastQuestion:
    """A question as the newest version with it has it, and the choices of earlier ones alone."""

    newest: Question
    retired: tuple[Choice, ...] = ()

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
