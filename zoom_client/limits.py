"""What Zoom is known to refuse, so that none of a person's three adds a day is spent on it.

Lengths and choices: Zoom's API description of the Meetings API, snapshot of 2026-08-09.
"""

import re
from collections.abc import Iterator

from zoom_client.errors import FieldError, ValidationFailed
from zoom_client.models import MeetingDraft, MeetingPatch, NewRegistrant

EMAIL_MAX = 128
NAME_MAX = 64
CUSTOM_ANSWER_MAX = 128
TOPIC_MAX = 200
AGENDA_MAX = 2000
PASSWORD_MAX = 10
DURATION_MINUTES_MAX = 1440
PEOPLE_MAX = 30
PAGE_MAX = 300
# Of our own: no list is longer than 300,000 rows, and one that seems so leads in a circle.
PAGES_MAX = 1_000

# jp-JP and Tr-TR are Zoom's own spellings.
LANGUAGES = frozenset(
    ("en-US", "de-DE", "es-ES", "fr-FR", "jp-JP", "pt-PT", "ru-RU")
    + ("zh-CN", "zh-TW", "ko-KO", "it-IT", "vi-VN", "pl-PL", "Tr-TR")
)
_CHOICES = {
    "language": LANGUAGES,
    "no_of_employees": frozenset(
        ("1-20", "21-50", "51-100", "101-500", "500-1,000")
        + ("1,001-5,000", "5,001-10,000", "More than 10,000")
    ),
    "purchasing_time_frame": frozenset(
        ("Within a month", "1-3 months", "4-6 months", "More than 6 months", "No timeframe")
    ),
    "role_in_purchase_process": frozenset(
        ("Decision Maker", "Evaluator/Recommender", "Influencer", "Not involved")
    ),
}


def check_registrant(person: NewRegistrant) -> None:
    """Raise ValidationFailed for values Zoom is known to refuse."""
    _raise_for(tuple(_find_registrant_errors(person)))


def check_meeting(meeting: MeetingDraft | MeetingPatch) -> None:
    """Raise ValidationFailed for values Zoom is known to refuse."""
    _raise_for(tuple(_find_meeting_errors(meeting)))


def _raise_for(errors: tuple[FieldError, ...]) -> None:
    if errors:
        names = ", ".join(error.field for error in errors)
        raise ValidationFailed(f"Not sent, Zoom would refuse: {names}", fields=errors)


def _find_registrant_errors(person: NewRegistrant) -> Iterator[FieldError]:
    yield from _find_long("email", person.email, EMAIL_MAX)
    yield from _find_long("first_name", person.first_name, NAME_MAX)
    yield from _find_long("last_name", person.last_name, NAME_MAX)
    for name in ("email", "first_name"):
        if not getattr(person, name).strip():
            yield FieldError(name, "is required")
    for name, choices in _CHOICES.items():
        if (value := getattr(person, name)) and value not in choices:
            yield FieldError(name, "is not one of Zoom's choices")
    if person.country and not re.fullmatch("[A-Za-z]{2}", person.country):
        yield FieldError("country", "must have two letters")
    for value in person.custom_questions.values():
        yield from _find_long("custom_questions", value, CUSTOM_ANSWER_MAX)


def _find_meeting_errors(meeting: MeetingDraft | MeetingPatch) -> Iterator[FieldError]:
    yield from _find_long("topic", meeting.topic, TOPIC_MAX)
    yield from _find_long("agenda", meeting.agenda, AGENDA_MAX)
    yield from _find_long("password", meeting.password, PASSWORD_MAX)
    minutes = meeting.duration_minutes
    if minutes is not None and not 1 <= minutes <= DURATION_MINUTES_MAX:
        yield FieldError("duration", f"must be 1 to {DURATION_MINUTES_MAX} minutes")


def _find_long(name: str, value: str | None, longest: int) -> Iterator[FieldError]:
    if value and len(value) > longest:
        yield FieldError(name, f"is longer than {longest} characters")
