"""What a privacy notice says of an event that records who came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .questions import ConsentKind, Question

SENTENCE = {
    "ja": "当日はZoomでの入退室の時刻を記録し、お申し込みの内容と照合します。",
    "en": "We record when you join and leave in Zoom, and match that with your registration.",
}


def say_attendance(questions: Iterable[Question], *, is_recorded: bool) -> tuple[Question, ...]:
    """Have the privacy notice of a form say that attendance is recorded, or no more say so."""
    said = SENTENCE if is_recorded else {}
    return tuple(
        replace(question, attendance=said) if question.consent is ConsentKind.PRIVACY else question
        for question in questions
    )
