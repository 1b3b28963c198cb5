"""Rows and values for tests; whatever a test does not name is plain and valid."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from services.event_editing import PUBLISHED
from services.questions import (
    Answer,
    ConsentKind,
    Question,
    QuestionKind,
    question_to_dict,
)
from services.submissions import ConsentGiven, Submission
from storage import events, organizations
from storage.models import Event, EventCounter, Organization, ZoomConnection
from storage.models.base import new_public_id

NOW = datetime(2030, 4, 1, 1, 0, tzinfo=UTC)
"""Ten in the morning of a Monday in Japan."""

COMPANY = Question(
    "company",
    QuestionKind.TEXT,
    {"ja": "会社名・団体名", "en": "Company"},
    autocomplete="organization",
)
PRIVACY = Question(
    "privacy",
    QuestionKind.CONSENT,
    {"ja": "「個人情報の取扱い」に同意する", "en": "I agree to the privacy notice"},
    required=True,
    consent=ConsentKind.PRIVACY,
    notice={"ja": "### 利用目的\n\n受付のため", "en": "### Purposes\n\nTo register you"},
)
SMALL_FORM = (COMPANY, PRIVACY)

_numbers = itertools.count(1)


def make_organization(session: Session, *, now: datetime = NOW, **members: Any) -> Organization:
    """Add an organization with one Zoom connection, which is the sandbox's account."""
    complete = {
        "name": "例の会",
        "address": "東京都千代田区見本町1-2-3",
        "representative": "見本 一郎",
        "contact_email": "contact@example.com",
    }
    organization = Organization(**complete | {"created_at": now} | members)
    session.add(organization)
    session.flush()
    session.add(
        ZoomConnection(
            organization_id=organization.id, account_id="sandbox-account", created_at=now
        )
    )
    session.flush()
    return organization


def make_event(
    session: Session,
    *,
    questions: Sequence[Question] = SMALL_FORM,
    now: datetime = NOW,
    **members: Any,
) -> Event:
    """Add an event that is open, in a week, with a small form and nobody registered."""
    organization = organizations.get_first_organization(session)
    if organization is None:
        organization = make_organization(session, now=now)
    connection = organizations.get_first_connection(session, organization.id)
    assert connection is not None, "every organization here has one"
    number = next(_numbers)
    event = Event(
        **{
            "organization_id": organization.id,
            "connection_id": connection.id,
            "slug": f"event-{number}",
            "status": PUBLISHED,
            "kind": "meeting",
            "zoom_id": 80_000_000_000 + number,
            "title": {"ja": "春の説明会", "en": "Spring briefing"},
            "lead": {},
            "description": {},
            "fee": {},
            "cohost": {},
            "logo_alt": {},
            "header_alt": {},
            "starts_at": now + timedelta(days=7),
            "duration_minutes": 60,
            "timezone": "Asia/Tokyo",
            "known_read_at": now,
            "published_at": now,
            "created_at": now,
            "updated_at": now,
        }
        | members
    )
    session.add(event)
    session.flush()
    events.add_form_version(session, event, [question_to_dict(q) for q in questions], now=now)
    session.add(EventCounter(event_id=event.id, name=events.SEATS, value=0))
    session.flush()
    return event


def make_event_at_zoom(session: Session, zoom: Any, *, now: datetime, **members: Any) -> Event:
    """Add an event that is published here and exists at Zoom as publishing leaves it there.

    `zoom` is the control of a sandbox.
    """
    kind = members.setdefault("kind", "meeting")
    starts_at = members.setdefault("starts_at", now + timedelta(days=7))
    meeting = zoom.add_meeting(
        kind,
        topic="Spring briefing",
        type=5 if kind == "webinar" else 2,
        start_time=starts_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration=60,
        timezone="Asia/Tokyo",
        settings={"approval_type": 1, "registrants_confirmation_email": False},
    )
    return make_event(session, now=now, **{"zoom_id": meeting["id"]} | members)


def make_submission(
    event: Event,
    *,
    email: str = "taro@example.com",
    answers: Mapping[str, Answer] | None = None,
    **members: Any,
) -> Submission:
    """Return what 山田 太郎, or whoever the test names, sends with the small form."""
    assert event.form_version_id is not None, "the event has a form"
    return Submission(
        **{
            "email": email,
            "email_key": email.lower(),
            "family_name": "山田",
            "given_name": "太郎",
            "answers": {"company": Answer(("例株式会社",))} if answers is None else answers,
            "consents": (ConsentGiven("privacy", ConsentKind.PRIVACY, PRIVACY.label["ja"], True),),
            "locale": "ja",
            "form_version_id": event.form_version_id,
            "nonce": new_public_id(),
        }
        | members
    )
