"""Making and changing events: from a document, and by hand."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import events, notices, organizations, registrations
from storage.models import Event, Organization, ZoomConnection

from . import event_tasks
from .attendance_notice import say_attendance
from .dates import YEARS
from .default_form import default_questions, follow_operator
from .default_notice import Operator
from .event_documents import EventDocument
from .event_files import Picture, fill_in_notices
from .event_parts import PARTS
from .event_pictures import list_shown
from .events import EventState, get_end, note_move, read_definition
from .form_editing import order_questions
from .notice_boxes import dress_questions
from .notices import follow_documents, load_document
from .organizations import check_texts, make_operator
from .questions import Question, questions_from_rows, questions_to_rows
from .submissions import has_senders
from .tables import DocumentError

PUBLISHED = "published"

# What a document says under the name that the event has it by.
_COPIED = tuple(
    part.name
    for part in fields(EventDocument)
    if part.name not in ("logo", "header", "organization", "questions", *PARTS)
)
_LEFT_TO_ZOOM = ("zoom_id", "starts_at", "duration_minutes", "timezone")


class EventChangeRefused(Exception):
    """The event is not in a state that allows this; the message says why."""


class MeetingTaken(EventChangeRefused):
    """Another event leads to this meeting: with two, one would cancel people the other keeps."""


class PeopleRegistered(EventChangeRefused):
    """People are registered at the meeting that the event would leave."""


class DatesDecided(EventChangeRefused):
    """Somebody has said by the form to which dates they come, or that it is all of them."""


class ChangedMeanwhile(EventChangeRefused):
    """Somebody else has changed it since it was read."""


class FormInEditing(EventChangeRefused):
    """Its form has changes that are not published, which another form would pass over."""


def save_event(
    session: Session,
    document: EventDocument,
    *,
    pictures: Mapping[str, Picture],
    connection: ZoomConnection,
    now: datetime,
) -> Event:
    """Make the event of a document, or make the event that has its slug what the document says.

    A new event is a draft at `connection`; an event that is there stays its organization's.
    Questions that differ become a new version of the form. Side effects: its organization's texts,
    for all of its events; seats for those who wait if there are more.

    Raises:
        DocumentError: what a new event needs is missing, a picture is not there, or a new event's
            document speaks of another organization.
        EventChangeRefused: people are registered at the meeting that the event would leave, or
            for dates that they have chosen, or not; or its form is being edited.
    """
    _check_years(document)
    event = events.get_event_by_slug(session, document.slug)
    owner_id = event.organization_id if event else connection.organization_id
    organization = organizations.need_organization(session, owner_id)
    if event is None and document.organization is not None:
        check_texts(session, organization, asdict(document.organization))
    former = make_operator(organization)
    _write_organization(session, organization, document, now)
    was_over = False
    if event is None:
        event = _add(session, document, connection, now)
    else:
        was_over = now >= get_end(event)
        _check_choice(session, event, document)
        _check_move(session, event, document, now)
        former_starts_at = event.starts_at
        _change(session, event, _list_values(document), now)
        note_move(session, event, former_starts_at, now=now)
    _change(session, event, list_shown(session, event, document, pictures, now=now), now)
    _write_questions(session, event, document, former, now)
    session.flush()
    if was_over and now < get_end(event):
        if event.status != EventState.CANCELLED:
            _check_alone(
                session, event.slug, event.kind, event.zoom_id, event.connection_id, now=now
            )
        event_tasks.take_up(session, event, now=now)
    event_tasks.follow_change(session, event, now=now)
    return event


def close_event(session: Session, event: Event, *, now: datetime) -> bool:
    """Take no registrations any more. Returns whether that is new, as those below."""
    event = events.lock_event(session, event.id)
    if event.status in (EventState.DRAFT, EventState.CANCELLED):
        raise EventChangeRefused(f"Only a published event can be closed; this is {event.status}.")
    return _change(session, event, {"status": EventState.CLOSED}, now)


def reopen_event(session: Session, event: Event, *, now: datetime) -> bool:
    event = events.lock_event(session, event.id)
    if event.status not in (EventState.CLOSED, PUBLISHED):
        raise EventChangeRefused(f"Only a closed event can be opened again, not {event.status}.")
    return _change(session, event, {"status": PUBLISHED}, now)


def cancel_event(session: Session, event: Event, *, now: datetime) -> bool:
    """Cancel an event for good; nothing is deleted at Zoom.

    Side effects: the job that tells everybody; again if it is cancelled already.
    """
    event = events.lock_event(session, event.id)
    if event.status == EventState.DRAFT:
        raise EventChangeRefused("A draft cannot be cancelled: nobody knows of it.")
    is_new = _change(session, event, {"status": EventState.CANCELLED}, now)
    event_tasks.request_work_twice(session, event, now=now)
    return is_new


def put_away_draft(session: Session, event: Event, *, now: datetime) -> None:
    """Take a draft that nobody needs out of all lists; its meeting and its address are free again.

    The row stays: SQLite would give its id to the next event, whose form is kept in memory by id.

    Raises:
        EventChangeRefused: it is no draft, or somebody has sent its form.
    """
    event = events.lock_event(session, event.id)
    if event.status != EventState.DRAFT:
        raise EventChangeRefused(f"Only a draft can be removed; this is {event.status}.")
    if has_senders(session, event.id):
        raise EventChangeRefused("Somebody has sent its form.")
    slug = f"removed-{secrets.token_hex(8)}"
    _change(session, event, {"status": EventState.CANCELLED, "slug": slug}, now)
    event.published_at = None


def rename_event(session: Session, event: Event, slug: str, *, now: datetime) -> None:
    """Give an event another address; the former one leads to it no more."""
    _change(session, event, {"slug": slug}, now)


def _add(
    session: Session, document: EventDocument, connection: ZoomConnection, now: datetime
) -> Event:
    for name in _LEFT_TO_ZOOM:
        if getattr(document, name) is None:
            raise DocumentError(f"{name} is missing")
    assert document.zoom_id is not None, "it was looked for"
    _check_alone(session, document.slug, document.kind, document.zoom_id, connection.id, now=now)
    return events.add_event(
        session,
        Event(
            **_list_values(document),
            organization_id=connection.organization_id,
            connection_id=connection.id,
            logo_alt={},
            header_alt={},
            speakers=[],
            created_at=now,
            updated_at=now,
        ),
    )


def _list_values(document: EventDocument) -> dict[str, Any]:
    values = {name: getattr(document, name) for name in _COPIED}
    values["kind"] = str(document.kind)
    return {
        name: value
        for name, value in values.items()
        if name not in _LEFT_TO_ZOOM or value is not None
    }


def _check_years(document: EventDocument) -> None:
    for name in ("starts_at", "opens_at", "closes_at"):
        moment = getattr(document, name)
        if moment is not None and moment.year not in YEARS:
            raise DocumentError(f"{name} must be in a year from {YEARS[0]} to {YEARS[-1]}")


def _check_alone(
    session: Session, slug: str, kind: str, zoom_id: int, connection_id: int, *, now: datetime
) -> None:
    """Allow one event for each meeting: with two, one would cancel people the other keeps."""
    for other in events.list_events_at_zoom(session, connection_id, str(kind), zoom_id):
        is_over = other.status == EventState.CANCELLED or now >= get_end(other)
        if not is_over and other.slug != slug:
            # What another organization has is not told by its name.
            name = other.slug if other.connection_id == connection_id else "Another event"
            raise MeetingTaken(
                f"{name} leads to the {kind} {zoom_id} already: one event has both "
                "languages, and each date of a series one after the other."
            )


def _check_choice(session: Session, event: Event, document: EventDocument) -> None:
    """Whoever was not asked for dates has none to come to; who was is at Zoom for theirs alone."""
    if document.date_choice != event.date_choice and has_senders(session, event.id):
        raise DatesDecided(
            f"The form of {event.slug} was sent already: date_choice stays {event.date_choice}."
        )


def _check_move(session: Session, event: Event, document: EventDocument, now: datetime) -> None:
    """Let an event go to another meeting only while nobody is registered at the first."""
    zoom_id = document.zoom_id or event.zoom_id
    if (zoom_id, str(document.kind)) == (event.zoom_id, event.kind):
        return
    if registrations.has_registrations(session, event.id):
        raise PeopleRegistered(
            f"People are registered for {event.slug} at the {event.kind} {event.zoom_id}: give the "
            "other one a slug of its own."
        )
    _check_alone(session, event.slug, document.kind, zoom_id, event.connection_id, now=now)
    event.status = EventState.DRAFT
    event.known_read_at = None
    event.published_at = None
    event.zoom_titles = []
    event.dates = []
    event.closed_by_zoom, event.full_dates = "", None


def _change(session: Session, event: Event, values: Mapping[str, Any], now: datetime) -> bool:
    """Set the values that differ and return whether any did; only then the version rises."""
    changed = {name: value for name, value in values.items() if getattr(event, name) != value}
    for name, value in changed.items():
        setattr(event, name, value)
    if "date_choice" in changed:
        event.full_dates = None
    if changed:
        events.raise_version(session, event)
        event.updated_at = now
    return bool(changed)


def change_organization(
    session: Session, organization: Organization, values: Mapping[str, Any], *, now: datetime
) -> list[str]:
    """Set the values that differ, and return their names.

    Side effects: pages of all its events are drawn again, and texts that name who is responsible
    follow, as new versions of their forms.
    """
    former = make_operator(organization)
    changed = _set_organization(session, organization, values, now)
    operator = make_operator(organization)
    if operator != former:
        _rename_operator(session, organization.id, former, operator, now)
    return changed


def _write_organization(
    session: Session, organization: Organization, document: EventDocument, now: datetime
) -> None:
    if document.organization is None:
        return
    if _set_organization(session, organization, asdict(document.organization), now):
        organization.version += 1


def _set_organization(
    session: Session, organization: Organization, values: Mapping[str, Any], now: datetime
) -> list[str]:
    changed = sorted(n for n, value in values.items() if getattr(organization, n) != value)
    for name in changed:
        setattr(organization, name, values[name])
    if changed:
        session.flush()
        events.raise_versions(session, organization.id, now=now)
    return changed


def _write_questions(
    session: Session, event: Event, document: EventDocument, former: Operator, now: datetime
) -> None:
    operator = make_operator(organizations.need_organization(session, event.organization_id))
    if document.questions is not None:
        asked = fill_in_notices(document.questions, operator)
        questions = tuple(follow_operator(question, former, operator) for question in asked)
        is_edited = has_edits(session, event)
        if keep_questions(session, event, questions, now):
            _drop_draft(session, event, is_edited=is_edited)
    elif event.form_version_id is None:
        asked = default_questions(event.default_locale, operator)
        keep_questions(session, event, dress_questions(session, event.organization_id, asked), now)
    if operator != former:
        _rename_operator(session, event.organization_id, former, operator, now)
    recorded = event.records_attendance
    rewrite_form(session, event, lambda asked: say_attendance(asked, is_recorded=recorded), now)


def _drop_draft(session: Session, event: Event, *, is_edited: bool) -> None:
    """Let no working copy of a former form come back."""
    if is_edited:
        raise FormInEditing(
            f"The form of {event.slug} has changes in the dashboard that are not published: "
            "publish or discard them there first."
        )
    events.drop_form_draft(session, event.id)


def _rename_operator(
    session: Session, organization_id: int, former: Operator, operator: Operator, now: datetime
) -> None:
    """Have the forms of all the organization's events name who is responsible now."""
    written = [
        load_document(version.document)
        for version in notices.list_versions(session, organization_id)
    ]

    def follow(question: Question) -> Question:
        return follow_documents(question, written, former, operator) or follow_operator(
            question, former, operator
        )

    for event in events.list_events_of_organization(session, organization_id):
        if event.form_version_id is not None:
            rewrite_form(session, event, lambda asked: tuple(map(follow, asked)), now)


def rewrite_form(
    session: Session,
    event: Event,
    rewrite: Callable[[tuple[Question, ...]], tuple[Question, ...]],
    now: datetime,
) -> None:
    """Change the texts of an event's form, both published and in its working copy."""
    assert event.form_version_id is not None, "an event has a form from its first day"
    asked = read_definition(session, event.form_version_id).questions
    keep_questions(session, event, rewrite(asked), now)
    draft = events.get_form_draft(session, event.id)
    if draft is not None:
        draft.questions = questions_to_rows(rewrite(questions_from_rows(draft.questions)))
        if draft.former is not None:
            draft.former = questions_to_rows(rewrite(questions_from_rows(draft.former)))


def keep_questions(
    session: Session,
    event: Event,
    questions: tuple[Question, ...],
    now: datetime,
    *,
    author: str = "",
) -> bool:
    """Save questions as a new version of an event's form, and tell whether they differ."""
    rows = questions_to_rows(say_attendance(questions, is_recorded=event.records_attendance))
    current = (
        events.get_form_version(session, event.form_version_id) if event.form_version_id else None
    )
    if current is not None and current.questions == rows:
        return False
    events.add_form_version(session, event, rows, author=author, now=now)
    return True


def has_edits(session: Session, event: Event) -> bool:
    """Tell whether what is edited of an event's form differs from the form of now."""
    draft = events.get_form_draft(session, event.id)
    if draft is None or event.form_version_id is None:
        return False
    current = read_definition(session, event.form_version_id).questions
    return questions_from_rows(draft.questions) != order_questions(current)
