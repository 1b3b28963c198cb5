"""Versions of an organization's privacy notice, and the events that speak with their words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, notices
from storage.models import Event, NoticeVersion, Organization

from .default_form import follow_operator
from .default_notice import Operator
from .event_editing import rewrite_form
from .events import EventState, get_end, read_current_form
from .notice_boxes import place_boxes
from .notices import NoticeDocument, dress, dump_document, load_document
from .organizations import make_operator
from .questions import ConsentKind, Question


class NoticeChangedMeanwhile(Exception):
    """Somebody else has published a version since the page was opened."""


def publish_notice(
    session: Session,
    organization: Organization,
    document: NoticeDocument,
    *,
    base: int,
    author: str,
    event_ids: Collection[int] | None,
    now: datetime,
) -> NoticeVersion:
    """Keep a document as the next version and have events speak with its words.

    Args:
        base: the number of the newest version that the author knew; 0 for none.
        event_ids: the events that take it. None for all that are not over and whose texts come
            from a former version, and for new ones.

    Side effects: new versions of those events' forms. Who registered before keeps the words that
    they have read. Published twice by one author, as where an answer was lost, it is kept once.

    Raises:
        NoticeChangedMeanwhile: there is a newer one than `base`.
    """
    former = notices.list_versions(session, organization.id)
    version = _find_twin(former, document, base, author, is_standard=event_ids is None)
    if version is None:
        if (former[0].number if former else 0) != base:
            raise NoticeChangedMeanwhile
        version = notices.add_version(
            session,
            organization.id,
            number=base + 1,
            document=dump_document(document),
            is_standard=event_ids is None,
            author=author,
            now=now,
        )
    operator = make_operator(organization)
    for event in list_open_events(session, organization.id, now=now):
        questions = read_current_form(session, event).questions
        if event_ids is None:
            takes_it = _find_source(_list_privacy(questions), former, operator) is not None
        else:
            takes_it = event.id in event_ids
        if takes_it:
            rewrite_form(
                session, event, lambda asked: _dress(asked, document, former, operator), now
            )
    return version


def _find_twin(
    versions: Sequence[NoticeVersion],
    document: NoticeDocument,
    base: int,
    author: str,
    *,
    is_standard: bool,
) -> NoticeVersion | None:
    """Return the newest version if it is this one, published before."""
    wanted = (base + 1, dump_document(document), author, is_standard)
    for newest in versions[:1]:
        if (newest.number, newest.document, newest.author, newest.is_standard) == wanted:
            return newest
    return None


def _dress(
    questions: Iterable[Question],
    document: NoticeDocument,
    former: Sequence[NoticeVersion],
    operator: Operator,
) -> tuple[Question, ...]:
    """Give the notice its new words, and the other boxes where theirs are not the event's own."""
    dressed = (
        dress(question, document, operator)
        if question.consent is ConsentKind.PRIVACY
        or _find_source([question], former, operator) is not None
        else question
        for question in questions
    )
    return place_boxes(dressed, document)


def list_open_events(session: Session, organization_id: int, *, now: datetime) -> list[Event]:
    """List the events whose form can still be read before anybody registers."""
    return [
        event
        for event in events.list_events_of_organization(session, organization_id)
        if event.status != EventState.CANCELLED and now < get_end(event)
    ]


def list_uses(
    session: Session, organization: Organization, *, now: datetime
) -> list[tuple[Event, int | None]]:
    """Say for each event that is not over which version it speaks with; None for words of its own.

    0 is the text that every event starts with before there is a version.
    """
    versions = notices.list_versions(session, organization.id)
    operator = make_operator(organization)
    return [
        (
            event,
            _find_source(
                _list_privacy(read_current_form(session, event).questions), versions, operator
            ),
        )
        for event in list_open_events(session, organization.id, now=now)
    ]


def is_outdated(
    session: Session, organization: Organization, questions: Iterable[Question]
) -> bool:
    """Tell whether a form speaks with an earlier version than new events do."""
    standard = notices.get_standard_version(session, organization.id)
    if standard is None:
        return False
    versions = notices.list_versions(session, organization.id)
    source = _find_source(_list_privacy(questions), versions, make_operator(organization))
    return source is not None and source < standard.number


def names_other_processors(
    session: Session, organization: Organization, processors: Mapping[str, str]
) -> bool:
    """Tell whether the notice of new events lists others than those in use now."""
    standard = notices.get_standard_version(session, organization.id)
    if standard is None:
        return False  # what the product ships names nobody who may change
    return load_document(standard.document).processors != processors


def take_current_notice(
    session: Session, organization: Organization, event: Event, *, now: datetime
) -> None:
    """Have an event speak with the words that new events have.

    Side effects: a new version of its form; who registered before keeps what they have read.
    """
    standard = notices.get_standard_version(session, organization.id)
    if standard is None:
        return
    former = notices.list_versions(session, organization.id)
    operator, document = make_operator(organization), load_document(standard.document)
    rewrite_form(session, event, lambda asked: _dress(asked, document, former, operator), now)


def _list_privacy(questions: Iterable[Question]) -> list[Question]:
    return [question for question in questions if question.consent is ConsentKind.PRIVACY]


def _find_source(
    asked: Sequence[Question], versions: Iterable[NoticeVersion], operator: Operator
) -> int | None:
    """Return which version the texts of consents come from, the newest first; None for none."""
    if not asked or not all(question.consent for question in asked):
        return None
    for version in versions:
        document = load_document(version.document)
        if all(dress(question, document, operator) == question for question in asked):
            return version.number
    # What follows an operator of another name was made of the text that the product ships.
    other = Operator(name="-")
    return 0 if all(follow_operator(q, operator, other) != q for q in asked) else None
