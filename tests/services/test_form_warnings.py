"""What an organizer should think of before a form is published."""

from dataclasses import replace

import pytest

from services.form_templates import FOR_SPEAKERS, Template, make_template
from services.form_warnings import Concern, find_sensitive_word, list_warnings
from services.questions import Choice, Condition, Question, QuestionKind, check_questions
from tests.factories import COMPANY, PRIVACY
from tests.services.test_default_form import SAMPLE


def concerns(*questions):
    return [warned.concern for warned in list_warnings(questions, "ja")]


def many(count):
    return [replace(COMPANY, id=f"company{number}") for number in range(count)]


def test_name_and_address_count_among_ten_fields():
    assert concerns(*many(8), PRIVACY) == []
    assert concerns(*many(9), PRIVACY) == [Concern.MANY_FIELDS]


def test_form_without_a_notice_is_told():
    assert concerns(COMPANY) == [Concern.NO_NOTICE]
    assert concerns(replace(PRIVACY, notice={"en": "Notice"})) == [Concern.NO_NOTICE]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("現在の健康状態をお聞かせください", "健康状態"),
        ("障がいの有無", "障がい"),
        ("Any disability we should know of?", "disability"),
        ("食物アレルギー", "アレルギー"),
        ("健康経営への関心", ""),
        ("Trace of the embraced", ""),
        ("システム障害への備え", ""),
    ],
)
def test_words_that_ask_for_sensitive_things(text, word):
    asked = Question("q", QuestionKind.TEXT, {"ja": text, "en": text})
    assert find_sensitive_word(asked) == word
    chosen = Question("q", QuestionKind.RADIO, {"ja": "?"}, choices=(Choice("a", {"ja": text}),))
    assert find_sensitive_word(chosen) == word


def test_marked_question_is_not_warned_of():
    asked = Question("q", QuestionKind.TEXT, {"ja": "病歴", "en": "Illness"})
    assert concerns(asked, PRIVACY) == [Concern.SENSITIVE_WORD]
    assert concerns(replace(asked, is_sensitive=True), PRIVACY) == []


def test_free_text_asks_for_nothing_private():
    assert concerns(FOR_SPEAKERS, PRIVACY) == []
    bare = replace(FOR_SPEAKERS, help={}, zoom_title="Questions")
    assert concerns(bare, PRIVACY) == [Concern.UNGUARDED_TEXT, Concern.CUT_AT_ZOOM]


def test_question_in_one_language_is_told_where_the_rest_has_both():
    alone = Question("q", QuestionKind.TEXT, {"ja": "質問"})
    assert concerns(COMPANY, alone, PRIVACY) == [Concern.ONE_LANGUAGE]
    assert concerns(alone, replace(PRIVACY, label={"ja": "同意"})) == []


def test_question_that_waits_for_a_choice_that_is_gone_is_told():
    deciding = Question("d", QuestionKind.RADIO, COMPANY.label, choices=(Choice("a", {"ja": "A"}),))
    shown = replace(COMPANY, condition=Condition("d", ("a",)))
    gone = replace(COMPANY, condition=Condition("d", ("b",)))
    deciding = replace(deciding, choices=(Choice("a", {"ja": "あ", "en": "A"}),))

    assert concerns(deciding, shown, PRIVACY) == []
    assert concerns(deciding, gone, PRIVACY) == [Concern.NEVER_SHOWN]


@pytest.mark.parametrize("template", Template)
@pytest.mark.parametrize("locale", ["ja", "en"])
def test_templates_are_forms_with_nothing_to_warn_of(template, locale):
    questions = make_template(template, locale, SAMPLE)
    check_questions(questions)

    assert [warned.concern for warned in list_warnings(questions, locale)] == []
    assert not any(question.goes_to_zoom for question in questions)
    assert "privacy" in [question.id for question in questions]
