"""Publishing an event: what has to be there first, and what is stored at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, known_registrants, organizations, zoom_pauses
from storage.models import Event, Organization
from zoom_client import Kind, ZoomClient

from . import event_tasks
from .addresses import email_key
from .date_following import request_look
from .default_form import follow_operator
from .default_notice import Operator
from .deliveries import renew_links
from .event_dates import DateChoice, take_dates
from .event_editing import PUBLISHED, ChangedMeanwhile, EventChangeRefused
from .events import EventState, get_end
from .form_drafts import keep_edits, read_coming_form
from .keys import KeyRing
from .notice_publishing import is_outdated
from .organizations import make_operator
from .questions import ConsentKind, Question
from .zoom_closings import go_on
from .zoom_setup import Wishes, ZoomReady, prepare_zoom


class Gap(StrEnum):
    """What people must be able to read before they register, and cannot."""

    NAME = "name"
    ADDRESS = "address"
    REPRESENTATIVE = "representative"
    CONTACT = "contact"
    PRIVACY_QUESTION = "privacy_question"
    NOTICE = "notice"
    NOTICE_OUTDATED = "notice_outdated"
    OPERATOR_IN_TEXT = "operator_in_text"


class NotPublishable(EventChangeRefused):
    """Something that people must be able to read before they register is missing."""


@dataclass(frozen=True)
class Subject:
    """An event to be published, as it was when Zoom began to be asked."""

    event_id: int
    version: int
    kind: Kind
    zoom_id: int
    starts_at: datetime
    questions: tuple[Question, ...]
    wishes: Wishes


@dataclass(frozen=True)
class Published:
    """What to tell: questions that Zoom did not keep, and how many it knew before the first day."""

    lost_titles: tuple[str, ...]
    known_before: int


def read_subject(session: Session, event: Event, *, now: datetime) -> Subject:
    """Read what Zoom has to be told of an event before it is published.

    Raises:
        NotPublishable: the message names every gap.
    """
    questions = check_publishable(session, event, now=now)
    return Subject(
        event_id=event.id,
        version=event.version,
        kind=Kind(event.kind),
        zoom_id=event.zoom_id,
        starts_at=event.starts_at,
        questions=questions,
        wishes=read_wishes(event),
    )


def prepare(
    client: ZoomClient, subject: Subject, *, now: datetime, total_seconds: float
) -> ZoomReady:
    """Set at Zoom what a subject needs, outside any transaction; as `prepare_zoom`."""
    return prepare_zoom(
        client,
        subject.kind,
        subject.zoom_id,
        subject.questions,
        starts_at=subject.starts_at,
        wishes=subject.wishes,
        now=now,
        total_seconds=total_seconds,
    )


def read_wishes(event: Event) -> Wishes:
    """Read what an event wants of what Zoom offers."""
    return Wishes(
        chooses_dates=event.date_choice == DateChoice.CHOOSE, keeps_mails=event.keeps_zoom_mails
    )


def check_publishable(session: Session, event: Event, *, now: datetime) -> tuple[Question, ...]:
    """Return the questions of an event that has all that the law and its visitors ask for.

    Raises:
        NotPublishable: the message names every gap.
    """
    if event.status == EventState.CANCELLED or now >= get_end(event):
        raise NotPublishable(f"{event.slug} is over or cancelled.")
    questions = read_coming_form(session, event)
    gaps = [say for _, say in list_gaps(session, event, questions)]
    if gaps:
        raise NotPublishable(
            f"{event.slug} cannot be published. Missing: {', '.join(gaps)}. Export the event, fill "
            "them in and import it again; docs/events.md explains the file with [organization]."
        )
    return questions


def list_gaps(
    session: Session, event: Event, questions: Sequence[Question]
) -> list[tuple[Gap, str]]:
    """List what the law and an event's visitors ask for and is missing, each with its name."""
    organization = organizations.need_organization(session, event.organization_id)
    return [
        *_list_gaps(organization),
        *_list_notice_gaps(questions, event.default_locale),
        *_list_outdated(session, organization, questions),
        *_list_nameless(questions, make_operator(organization)),
    ]


def record_published(
    session: Session,
    event: Event,
    subject: Subject,
    ready: ZoomReady,
    *,
    keys: KeyRing,
    now: datetime,
) -> Published:
    """Store what Zoom said and make a draft public, all in the caller's transaction.

    Raises:
        ChangedMeanwhile: it is another event than the one that Zoom was told of.

    A draft's form is published with it, as it was edited. The first time, who is at Zoom already
    is remembered as known there; later, Zoom's list has our own people too, whose links are stored
    as they are now. What stood still is tried at once.
    """
    if (event.zoom_id, event.version) != (subject.zoom_id, subject.version):
        raise ChangedMeanwhile(f"{event.slug} was changed meanwhile: publish it again.")
    known_before = len(ready.people) if event.known_read_at is None else 0
    if event.known_read_at is None:
        hashes = [keys.hash_email(email_key(person.email)) for person in ready.people]
        known_registrants.replace_hashes(session, event.id, hashes)
        event.known_read_at = now
    else:
        renew_links(session, event, ready.people)
    if take_dates(event, ready.meeting, now=now):
        event_tasks.request_work_twice(session, event, now=now)
    event.host_email = ready.meeting.host_email or event.host_email
    event.zoom_titles = list(ready.titles)
    event.published_at = event.published_at or now
    if event.status == EventState.DRAFT:
        keep_edits(session, event, subject.questions, author="", now=now)
        event.status = PUBLISHED
    events.raise_version(session, event)
    event.updated_at = now
    session.flush()
    zoom_pauses.hasten_probes(session, event_id=event.id, now=now)
    go_on(session, event, now=now)
    request_look(session, event, now=now)
    return Published(ready.lost_titles, known_before)


def _list_gaps(organization: Organization) -> Iterable[tuple[Gap, str]]:
    gaps = (
        (Gap.NAME, "the organization's name", organization.legal_name or organization.name),
        (Gap.ADDRESS, "its address", organization.address),
        (Gap.REPRESENTATIVE, "its representative", organization.representative),
        (
            Gap.CONTACT,
            "its contact (contact_email or contact_url)",
            organization.contact_email or organization.contact_url,
        ),
    )
    return [(gap, say) for gap, say, text in gaps if not text.strip()]


def _list_notice_gaps(questions: Iterable[Question], locale: str) -> Iterable[tuple[Gap, str]]:
    notices = [q.notice for q in questions if q.consent is ConsentKind.PRIVACY]
    if not notices:
        return [(Gap.PRIVACY_QUESTION, 'a question of the kind consent with consent = "privacy"')]
    if not all(notice.get(locale, "").strip() for notice in notices):
        say = f"the privacy notice with the purposes, in the event's language ({locale})"
        return [(Gap.NOTICE, say)]
    return []


def _list_outdated(
    session: Session, organization: Organization, questions: Sequence[Question]
) -> Iterable[tuple[Gap, str]]:
    """Look whether an earlier version of the notice stands in the form; words of its own may."""
    if is_outdated(session, organization, questions):
        return [(Gap.NOTICE_OUTDATED, "the current version of the privacy notice")]
    return []


def _list_nameless(questions: Iterable[Question], operator: Operator) -> Iterable[tuple[Gap, str]]:
    """Name the consents whose text was made before anybody was named in it."""
    return [
        (Gap.OPERATOR_IN_TEXT, f"whom the text of “{question.id}” speaks of")
        for question in questions
        if follow_operator(question, Operator(name=""), operator) != question
    ]
