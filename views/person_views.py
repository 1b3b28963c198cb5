"""What the personal pages show of one registration, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from services.answer_texts import list_answer_texts
from services.answers import read_answers
from services.chosen_dates import has_date_ahead, read_start, with_dates
from services.coming_back import can_come_back, read_way_back
from services.consents import list_present_consents
from services.dates import format_moment
from services.deliveries import Delivery
from services.events import read_definition
from services.form_history import read_answered_form
from services.joining import is_early, may_be_changed, read_end_state
from services.kept_dates import has_link
from services.questions import OPTIONAL, Question
from services.registrations import Status
from services.texts import localize, write_full_name
from services.waits import read_wait, write_opening
from storage import submissions, zoom_registrants

from .calendar_links import CalendarLinks, list_calendar_links, make_entries
from .locale import read_locale
from .places import name_place
from .site import get_site
from .tokens import Opened

SHOWN_PROPOSALS = 3
_WAITING = ("waiting", "needs_setting")


@dataclass(frozen=True)
class NewsBox:
    """The box of one sender of news mails, in the words that its evidence will have.

    They are those of `form_version_id`, the version of the form by which it was answered.
    """

    question: Question
    form_version_id: int
    label: str
    is_given: bool


@dataclass(frozen=True)
class PersonView:
    """What the templates of the personal pages need.

    `over` says why there is nothing to join any more, `has_no_date` that of a series which goes on
    no date is ahead that the person chose, who has a place or waits for one. Zoom has not answered
    yet, or refused, where `is_waiting` or `is_refused` is so; after a refusal there is a link only
    from the organizer. `way_back` is what they would find after cancelling, as in
    `services.coming_back`.
    """

    number: str
    status: str
    greeting_name: str
    email: str
    answers: list[tuple[str, str]]
    join_url: str | None
    is_early: bool
    is_waiting: bool
    opens_text: str
    is_too_late: bool
    is_refused: bool
    calendar: CalendarLinks | None
    news: list[NewsBox]
    news_url: str
    edit_url: str | None
    cancel_url: str | None
    again_url: str | None
    way_back: str
    data_url: str
    over: str | None
    has_no_date: bool
    proposals: list[tuple[str, str]]


def view_person(session: Session, token: str, opened: Opened, now: datetime) -> PersonView:
    person, locale = opened.person, read_locale()
    path, query = f"/r/{token}", f"?lang={locale}"
    is_changeable = can_change(opened, now)
    over = read_end_state(opened.event, now)
    delivery = _read_delivery(session, opened)
    wait = read_wait(session, opened.event, person, now=now) if delivery in _WAITING else None
    if wait is not None and wait.needs_help:
        delivery = "refused"
    has_no_date = _has_no_date(session, opened, now)
    may_join = not has_no_date and _may_join(opened, delivery, over)
    join_url = get_join_url(opened) if may_join else None
    entries = make_entries(session, opened.event, person, join_url=join_url)
    return PersonView(
        number=_get_number(session, opened),
        status=person.status,
        greeting_name=write_full_name(person.family_name, person.given_name, person.locale),
        email=person.email,
        answers=list_answers(session, opened),
        join_url=join_url,
        is_early=is_early(read_start(session, opened.event, person, now=now), now),
        is_waiting=delivery in _WAITING,
        opens_text=write_opening(wait, opened.event.timezone, locale),
        is_too_late=wait is not None and wait.is_too_late,
        is_refused=delivery == "refused" and over is None and not has_no_date,
        calendar=(
            list_calendar_links(entries, f"{path}/invite.ics{query}")
            if join_url and entries and delivery != "refused"
            else None
        ),
        news=list_news_boxes(session, opened),
        news_url=f"{path}/news{query}",
        edit_url=f"{path}/edit{query}" if is_changeable else None,
        cancel_url=f"{path}/cancel{query}" if is_changeable else None,
        again_url=f"{path}/again{query}" if can_return(session, opened, now) else None,
        way_back=read_way_back(session, opened.event, person, now=now),
        data_url=f"{path}/data.json",
        over=over,
        has_no_date=has_no_date,
        proposals=_list_proposals(session, token, opened) if is_changeable else [],
    )


def list_news_boxes(session: Session, opened: Opened) -> list[NewsBox]:
    """List the boxes that the person was shown on the form, as they are shown and recorded now.

    A consent holds though the form has lost its box and the registration is of a newer version of
    it: each is looked for where its evidence says that it was.
    """
    boxes = []
    for consent in list_present_consents(session, opened.person, *sorted(OPTIONAL)):
        version = consent.form_version_id
        question = read_definition(session, version).get_question(consent.question_id)
        if question is not None:
            label = localize(question.label, read_locale())
            boxes.append(NewsBox(question, version, label, consent.is_given))
    return boxes


def _has_no_date(session: Session, opened: Opened, now: datetime) -> bool:
    return not has_left(opened) and not has_date_ahead(
        session, opened.event, opened.person, now=now
    )


def _read_delivery(session: Session, opened: Opened) -> str | None:
    """Return what Zoom has of a person who has a place."""
    registrant = zoom_registrants.get_zoom_registrant(session, opened.person.id)
    is_coming = opened.person.status == Status.APPROVED
    if is_coming and registrant is not None and has_link(registrant):
        return Delivery.REGISTERED  # Which dates they wait for stands beside these.
    return registrant.delivery if registrant is not None and is_coming else None


def _may_join(opened: Opened, delivery: str | None, over: str | None) -> bool:
    """Tell whether the join link leads anywhere: past a refusal, only to the organizer's own."""
    has_fallback = opened.came_by_mail and bool(opened.event.fallback_url)
    return over is None and (delivery != "refused" or has_fallback)


def list_answers(session: Session, opened: Opened) -> list[tuple[str, str]]:
    event, answers = opened.event, read_answers(session, opened.person)
    form = read_answered_form(session, event, opened.person.form_version_id, answers)
    return list_answer_texts(with_dates(event, form), answers, read_locale(), name_place)


def _list_proposals(session: Session, token: str, opened: Opened) -> list[tuple[str, str]]:
    if not opened.came_by_mail:
        return []
    rows = submissions.list_repeats(session, opened.person.id, limit=SHOWN_PROPOSALS)
    locale, zone = read_locale(), opened.event.timezone
    return [
        (
            format_moment(row.created_at, zone, locale),
            f"/r/{token}/answers/{row.public_id}?lang={locale}",
        )
        for row in rows
    ]


def get_join_url(opened: Opened) -> str | None:
    """Return the link that fits the way the reader came: only the mail's proves."""
    if opened.person.status != Status.APPROVED:
        return None
    links = get_site().links
    if opened.submission is None:
        return links.join_from_mail(opened.person)
    return links.join_from_screen(opened.submission, opened.person)


def can_change(opened: Opened, now: datetime) -> bool:
    """Tell whether names and answers may be changed."""
    return may_be_changed(opened.event, opened.person, now=now)


def can_return(session: Session, opened: Opened, now: datetime) -> bool:
    """Tell whether who has cancelled may come back by themselves."""
    return can_come_back(session, opened.event, opened.person, now=now)


def has_left(opened: Opened) -> bool:
    return opened.person.status in (Status.CANCELLED, Status.DENIED)


def is_ahead(opened: Opened, now: datetime) -> bool:
    """Tell whether there is still something to change for."""
    return read_end_state(opened.event, now) is None


def _get_number(session: Session, opened: Opened) -> str:
    submission = submissions.get_creating_submission(session, opened.person.id)
    return submission.number if submission else ""
