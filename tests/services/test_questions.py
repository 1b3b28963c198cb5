import pytest

from services.questions import (
    Answer,
    Choice,
    Condition,
    ConsentKind,
    FormDefinition,
    Question,
    QuestionKind,
    answers_from_json,
    answers_to_json,
    check_questions,
    definition_from_rows,
    question_to_dict,
)

LABEL = {"ja": "質問", "en": "Question"}
YES = Choice("yes", {"en": "Yes"})


def make(question_id="q", kind=QuestionKind.TEXT, **members):
    return Question(question_id, kind, members.pop("label", LABEL), **members)


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        ([make("Company")], "needs an id of small letters"),
        ([make("a" * 33)], "needs an id of small letters"),
        ([make(), make()], "is there twice"),
        ([make("reason_other")], "must not have an id that ends in _other"),
        ([make(label={"ja": ""})], "has no label"),
        ([make(kind=QuestionKind.RADIO)], "has no choices"),
        ([make(kind=QuestionKind.SELECT, choices=(YES, YES))], "empty or there twice"),
        ([make(kind=QuestionKind.SELECT, choices=(Choice("", LABEL),))], "empty or there twice"),
        ([make(condition=Condition("later", ("x",))), make("later")], "isn't an earlier question"),
        (
            [make("c", QuestionKind.CONSENT), make(condition=Condition("c", ("yes",)))],
            "isn't an earlier question",
        ),
        ([make(kind=QuestionKind.NUMBER, minimum="ten")], "has the bound 'ten'"),
        ([make(kind=QuestionKind.DATE, maximum="2026-02-30")], "has the bound '2026-02-30'"),
    ],
)
def test_questions_that_make_no_form_are_named(questions, reason):
    with pytest.raises(ValueError, match=reason):
        check_questions(questions)


def test_definition_refuses_questions_that_make_no_form():
    with pytest.raises(ValueError, match="question 'q' is there twice"):
        FormDefinition(1, 1, (make(), make()))


def test_definition_survives_storage_unchanged():
    questions = (
        make("reason", QuestionKind.CHECKBOXES, choices=(YES,), has_other=True, required=True),
        make("detail", condition=Condition("reason", ("other",)), max_length=50),
        make("privacy", QuestionKind.CONSENT, consent=ConsentKind.PRIVACY, notice={"ja": "本文"}),
    )
    stored = [question_to_dict(question) for question in questions]
    assert definition_from_rows(7, 2, stored) == FormDefinition(7, 2, questions)


def test_answers_survive_storage_unchanged():
    answers = {"company": Answer(("株式会社サンプル",)), "reason": Answer(("a", "other"), "知人")}
    assert answers_from_json(answers_to_json(answers)) == answers


@pytest.mark.parametrize(
    ("consent", "required", "expected"),
    [
        (ConsentKind.PRIVACY, False, True),
        (ConsentKind.MARKETING, True, False),
        (ConsentKind.OTHER, True, True),
        (ConsentKind.OTHER, False, False),
    ],
)
def test_only_privacy_consent_is_always_needed(consent, required, expected):
    question = make(kind=QuestionKind.CONSENT, consent=consent, required=required)
    assert question.is_needed is expected
