"""Publishing an event: what has to be there first, and what is stored at the end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, organizations, zoom_pauses
from storage.models import Event, Organization

from .addresses import email_key
from .default_form import follow_operator
from .default_notice import Operator
from .deliveries import renew_links
from .event_editing import PUBLISHED, EventChangeRefused
from .events import EventState, get_end, read_definition
from .keys import KeyRing
from .organizations import make_operator
from .questions import ConsentKind, Question
from .zoom_closings import go_on
from .zoom_setup import ZoomReady


class NotPublishable(EventChangeRefused):
    """Something that people must be able to read before they register is missing."""


def check_publishable(session: Session, event: Event, *, now: datetime) -> tuple[Question, ...]:
    """Return the questions of an event that has all that the law and its visitors ask for.

    Raises:
        NotPublishable: the message names every gap.
    """
    if event.status == EventState.CANCELLED or now >= get_end(event):
        raise NotPublishable(f"{event.slug} is over or cancelled.")
    assert event.form_version_id is not None, "an event has a form from its first day"
    questions = read_definition(session, event.form_version_id).questions
    organization = organizations.need_organization(session, event.organization_id)
    gaps = [
        *_list_gaps(organization),
        *_list_notice_gaps(questions, event.default_locale),
        *_list_nameless(questions, make_operator(organization)),
    ]
    if gaps:
        raise NotPublishable(
            f"{event.slug} cannot be published. Missing: {', '.join(gaps)}. Export the event, fill "
            "them in and import it again; docs/events.md explains the file with [organization]."
        )
    return questions


def record_published(
    session: Session, event: Event, ready: ZoomReady, *, keys: KeyRing, now: datetime
) -> None:
    """Store what Zoom said and make a draft public, all in the caller's transaction.

    The first time, who is at Zoom already is remembered as known there; later, Zoom's list has our
    own people too, whose links are stored as they are now. What stood still is tried at once.
    """
    if event.known_read_at is None:
        hashes = [keys.hash_email(email_key(person.email)) for person in ready.people]
        events.replace_known_registrants(session, event.id, hashes)
        event.known_read_at = now
    else:
        renew_links(session, event, ready.people)
    event.host_email = ready.meeting.host_email or event.host_email
    event.zoom_titles = list(ready.titles)
    event.published_at = event.published_at or now
    if event.status == EventState.DRAFT:
        event.status = PUBLISHED
    events.raise_version(session, event)
    event.updated_at = now
    session.flush()
    zoom_pauses.hasten_probes(session, now=now)
    go_on(session, event, now=now)


def _list_gaps(organization: Organization) -> Iterable[str]:
    gaps = {
        "the organization's name": organization.legal_name or organization.name,
        "its address": organization.address,
        "its representative": organization.representative,
        "its contact (contact_email or contact_url)": (
            organization.contact_email or organization.contact_url
        ),
    }
    return [gap for gap, text in gaps.items() if not text.strip()]


def _list_notice_gaps(questions: Iterable[Question], locale: str) -> Iterable[str]:
    notices = [q.notice for q in questions if q.consent is ConsentKind.PRIVACY]
    if not notices:
        return ['a question of the kind consent with consent = "privacy"']
    if not all(notice.get(locale, "").strip() for notice in notices):
        return [f"the privacy notice with the purposes, in the event's language ({locale})"]
    return []


def _list_nameless(questions: Iterable[Question], operator: Operator) -> Iterable[str]:
    """Name the consents whose text was made before anybody was named in it."""
    return [
        f"whom the text of “{question.id}” speaks of"
        for question in questions
        if follow_operator(question, Operator(name=""), operator) != question
    ]
