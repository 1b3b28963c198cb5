"""What programs are told of a registration, in the same words wherever: by the API, by webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from storage.models import Registration

from .answers import write_answers
from .questions import Answer, FormDefinition


def write_person(
    person: Registration,
    definition: FormDefinition,
    answers: Mapping[str, Answer],
    hidden: Collection[str],
) -> dict[str, Any]:
    """Write who somebody is and what they have answered, as JSON has it.

    Args:
        definition: the form that was answered, with the dates of a series.
        hidden: ids of questions; of their answers it is only said that there are some.
    """
    shown = {name: answer for name, answer in answers.items() if name not in hidden}
    return {
        "email": person.email,
        "family_name": person.family_name,
        "given_name": person.given_name,
        "language": person.locale,
        "source": person.source,
        "registered_at": write_moment(person.created_at),
        "answers": write_answers(definition, shown),
        "hidden_answers": sorted(name for name in answers if name in hidden),
    }


def write_moment(moment: datetime | None) -> str | None:
    """Write a time in UTC as RFC 3339 has it."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
