"""People of the demo's events, made up: so that lists, charts and what needs somebody look alive.

They came in the past weeks, their mails count as sent and Zoom as told: the sandbox and the mailbox
hear nothing of them.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from services import held_mails
from services.addresses import email_key
from services.dates import load_zone
from services.deliveries import Delivery
from services.events import LinkPolicy, read_current_form
from services.funnels import ERROR, FAILED, START, VIEW
from services.people_acts import Act, act_on
from services.questions import OTHER, Answer, FormDefinition, Question, QuestionKind
from services.registrations import register, sync_key
from services.sources import name_origin
from services.submissions import ConsentGiven, Submission
from services.texts import localize
from storage import events, job_lists, mails, registrations, zoom_registrants
from storage.models import Event, JobState, Registration
from storage.visits import Visit, add_visits
from views.site import Site

FILE = Path(__file__).parent.parent / "examples" / "demo-people.toml"
AT_ONCE = 20
"""In one transaction, for which visitors of the demo wait."""

_DAYS = 24
_SENT_AFTER = timedelta(seconds=4)
_REFUSED = "ValidationFailed"
_REASON = f"{_REFUSED}: last_name: Invalid field."


@dataclass(frozen=True)
class _Fate:
    """What became of somebody: an act of the organizer's, and whether Zoom took them."""

    is_pending: bool = False
    is_held: bool = False
    is_refused: bool = False
    act: Act | None = None


# Of a hundred people in their order; all others are confirmed.
_FATES = {
    7: _Fate(act=Act.CANCEL),
    23: _Fate(is_pending=True),
    31: _Fate(act=Act.CANCEL),
    42: _Fate(act=Act.DENY),
    58: _Fate(is_pending=True),
    66: _Fate(is_refused=True),
    74: _Fate(is_pending=True, act=Act.APPROVE),
    83: _Fate(act=Act.CANCEL),
    97: _Fate(is_held=True),
}


def fill_event(site: Site, slug: str, people: int) -> None:
    """Register so many people at an event at which nobody is registered yet."""
    now = site.read_clock()
    crowd = _Crowd(Random(slug), now)  # noqa: S311 made-up people are no secret
    with site.database.read() as session:
        event = events.get_event_by_slug(session, slug)
        if event is None or any(events.list_counters(session, event.id).values()):
            return
    days = sorted(crowd.choose_days_ago() for _ in range(people))[::-1]
    for start in range(0, people, AT_ONCE):
        with site.database.write() as session:
            event = events.get_event_by_slug(session, slug)
            assert event is not None, "events are not deleted"
            for number in range(start, min(start + AT_ONCE, people)):
                crowd.register_one(session, event, number, now - timedelta(days=days[number]))


def _count_visits(
    session: Session, event: Event, source: Mapping[str, str], number: int, at: datetime
) -> None:
    """Have more seen the form than registered, and some have to send it twice."""
    day, origin = at.astimezone(load_zone(event.timezone)).date(), name_origin(source)
    counts = {(origin, VIEW): 2 + number % 4, (origin, START): 1 + number % 2}
    if number % 5 == 0:
        field = ("question_privacy", "email", "question_privacy", "family_name")[number % 4]
        counts |= {(origin, FAILED): 1, ("", f"{ERROR}{field}"): 1}
    visits = {Visit(event.id, day, *name): count for name, count in counts.items()}
    add_visits(session, visits, {origin: source} if source else {})


class _Crowd:
    """Makes up people, the same ones each time."""

    def __init__(self, random: Random, now: datetime) -> None:
        self._random = random
        self._now = now
        self._texts: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))

    def choose_days_ago(self) -> float:
        """More and more come; most of all after the newsletter of twelve and of three days ago."""
        random = self._random
        if random.random() < 0.3:
            return random.choice((12, 3)) - abs(random.gauss(0, 0.6))
        return _DAYS * math.pow(random.random(), 1.6) + 0.01

    def register_one(self, session: Session, event: Event, number: int, at: datetime) -> None:
        fate = _FATES.get(number % 100, _Fate())
        approval = "manual" if fate.is_pending else event.approval
        head = events.get_head(session, event.slug)
        assert head is not None, "it is the event's own"
        head = head._replace(approval=approval)
        submission = replace(self._make_up(session, event, number), is_suspicious=fate.is_held)
        row = register(session, head, submission, policy=LinkPolicy.SHOW, now=at)
        _count_visits(session, event, submission.source, number, at)
        if row.registration_id is None:
            job_lists.drop(session, held_mails.name_job(event.id))
            return
        person = registrations.get_registration(session, row.registration_id)
        assert person is not None, "it was made just now"
        if fate.act is not None:
            later = min(self._now, at + timedelta(hours=self._random.uniform(1, 40)))
            act_on(session, event, person, fate.act, now=later)
        session.flush()
        self._settle(session, person, at, fate)

    def _settle(self, session: Session, person: Registration, at: datetime, fate: _Fate) -> None:
        """Have everything done that was asked for: nothing of it is to reach anybody."""
        for mail in mails.list_mails(session, person.id):
            mail.state, mail.sent_at = "sent", mail.created_at + _SENT_AFTER
            job_lists.drop(session, f"mail:{mail.id}")
        registrant = zoom_registrants.get_zoom_registrant(session, person.id)
        job = job_lists.get_job(session, sync_key(person.id))
        if registrant is not None and job is not None and fate.is_refused:
            registrant.delivery, registrant.problem = Delivery.REFUSED, _REFUSED
            job.state, job.reason, job.due_since = JobState.PARKED, _REASON, None
        elif registrant is not None and job is not None:
            is_in = fate.act in (None, Act.APPROVE)
            registrant.delivery = Delivery.REGISTERED if is_in else Delivery.WITHDRAWN
            registrant.zoom_status = "approved" if is_in else "denied"
            registrant.registrant_id = f"demo{person.id}"
            registrant.is_new_to_zoom = True
            registrant.answered_at = registrant.updated_at = at + _SENT_AFTER
            job.state = JobState.DONE
        if self._random.random() < 0.7:
            person.proven_at = min(self._now, at + timedelta(minutes=self._random.uniform(1, 90)))

    def _make_up(self, session: Session, event: Event, number: int) -> Submission:
        form = read_current_form(session, event)
        is_guest = self._random.random() < 0.12
        locale = (
            {"ja": "en", "en": "ja"}[event.default_locale] if is_guest else event.default_locale
        )
        words = self._texts[locale]
        email = f"demo{number + 1:03}@{self._random.choice(('example.com', 'example.org'))}"
        return Submission(
            email=email,
            email_key=email_key(email),
            family_name=self._random.choice(words["family_names"]),
            given_name=self._random.choice(words["given_names"]),
            answers=self._answer(form, words, locale),
            consents=tuple(
                ConsentGiven(
                    question_id=question.id,
                    kind=question.consent,
                    label=localize(question.label, locale),
                    is_given=question.required or self._random.random() < 0.6,
                )
                for question in form.questions
                if question.consent is not None
            ),
            locale=locale,
            form_version_id=form.version_id,
            nonce=f"demo-{event.id}-{number}",
            source=self._choose_source(),
        )

    def _choose_source(self) -> dict[str, str]:
        weights = [source["weight"] for source in self._texts["sources"]]
        [chosen] = self._random.choices(self._texts["sources"], weights)
        tags: dict[str, str] = chosen["tags"]
        return tags

    def _answer(self, form: FormDefinition, words: Any, locale: str) -> dict[str, Answer]:
        answers: dict[str, Answer] = {}
        for question in form.questions:
            is_asked = question.condition is None or question.condition.is_met(answers)
            if question.consent is None and is_asked:
                values = [value for value in self._choose(question, words, locale) if value]
                if values:
                    answers[question.id] = Answer(tuple(values))
        return answers

    def _choose(self, question: Question, words: Any, locale: str) -> list[str]:
        random = self._random
        if question.kind in (QuestionKind.PREFECTURE, QuestionKind.COUNTRY):
            return [random.choice(self._texts["places"][str(question.kind)])]
        if question.choices:
            offered = [choice.value for choice in question.choices if choice.value != OTHER]
            # The middle ones most, as ages are.
            middle = (len(offered) - 1) / 2
            weights = [1 + len(offered) - 2 * abs(middle - n) for n in range(len(offered))]
            count = random.choice((1, 1, 2)) if question.kind is QuestionKind.CHECKBOXES else 1
            found = set(random.choices(offered, weights, k=count))
            return [value for value in offered if value in found]
        if question.kind is QuestionKind.TEXTAREA:
            return [random.choice(self._texts["topics"][locale])]
        kinds = {"organization": "companies", "organization-title": "job_titles"}
        texts: list[str] = words[kinds.get(question.autocomplete or "", "departments")]
        return [random.choice(texts)] if question.kind is QuestionKind.TEXT else []
