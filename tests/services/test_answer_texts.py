"""Answers in words: labels for codes, and what stands for その他."""

import pytest

from services.answer_texts import write_answer
from services.questions import Answer, Choice, Question, QuestionKind

REASON = Question(
    "reason",
    QuestionKind.CHECKBOXES,
    {"ja": "参加の目的", "en": "Reason"},
    choices=(Choice("learn", {"ja": "情報収集", "en": "To learn"}),),
    has_other=True,
)


@pytest.mark.parametrize(
    ("answer", "locale", "text"),
    [
        (Answer(("learn", "other"), "友人の紹介"), "ja", "情報収集、友人の紹介"),
        (Answer(("learn", "other")), "ja", "情報収集、その他"),
        (Answer(("other",)), "en", "Other"),
    ],
)
def test_other_is_written_as_typed_or_by_its_label(answer, locale, text):
    assert write_answer(REASON, answer, locale, lambda *_: "") == text
