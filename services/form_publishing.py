"""Publishing what was edited of a form that people see already, while its event stays as it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage.models import Event
from zoom_client import Kind

from .event_editing import ChangedMeanwhile
from .events import EventState, get_end
from .form_drafts import keep_edits, read_edited_form
from .publishing import Gap, list_gaps
from .questions import Question
from .zoom_setup import sort_titles


class FormNotPublishable(Exception):
    """The form cannot be published; `gaps` say what is missing, none that nobody would see it."""

    def __init__(self, gaps: Collection[Gap] = ()) -> None:
        super().__init__(", ".join(gaps) or "nobody fills it in")
        self.gaps = tuple(gaps)


@dataclass(frozen=True)
class EditedSubject:
    """What was edited, as it was when Zoom began to be asked."""

    kind: Kind
    zoom_id: int
    questions: tuple[Question, ...]

    @property
    def goes_to_zoom(self) -> bool:
        return any(question.goes_to_zoom for question in self.questions)


def read_edited_subject(
    session: Session, event: Event, mark: str, *, now: datetime
) -> EditedSubject:
    """Read what Zoom has to be told of a form before it is published.

    Raises:
        ChangedMeanwhile: it is not the one that was looked at, whose mark is `mark`.
        FormNotPublishable: something is missing, or the event is a draft, over or cancelled.
    """
    edited = read_edited_form(session, event)
    if edited.mark != mark:
        raise ChangedMeanwhile(f"The form of {event.slug} was changed meanwhile.")
    unseen = (EventState.DRAFT, EventState.CANCELLED)
    if event.status in unseen or now >= get_end(event):
        raise FormNotPublishable
    if gaps := [gap for gap, _ in list_gaps(session, event, edited.questions)]:
        raise FormNotPublishable(gaps)
    return EditedSubject(Kind(event.kind), event.zoom_id, edited.questions)


def record_edited_form(
    session: Session,
    event: Event,
    subject: EditedSubject,
    kept: Collection[str],
    *,
    author: str,
    now: datetime,
) -> tuple[str, ...]:
    """Make what was edited the event's form; return the titles that Zoom did not keep.

    `kept` are the titles that Zoom has. Answers go there under those alone.

    Raises:
        ChangedMeanwhile: somebody has changed the form, or the event's meeting, meanwhile.
    """
    if (event.zoom_id, Kind(event.kind)) != (subject.zoom_id, subject.kind):
        raise ChangedMeanwhile(f"{event.slug} leads to another meeting now.")
    keep_edits(session, event, subject.questions, author=author, now=now)
    titles, lost = sort_titles(subject.questions, kept)
    event.zoom_titles = list(titles)
    return lost
