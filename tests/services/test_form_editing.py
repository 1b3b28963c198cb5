"""What an organizer does to the questions of a form."""

from dataclasses import replace

import pytest

from services.form_editing import (
    ActRefused,
    Refusal,
    add_question,
    choose_id,
    duplicate_question,
    give_free_ids,
    list_deciding,
    list_kinds,
    move_question,
    name_choices,
    order_questions,
    remove_question,
    replace_question,
    shift_question,
)
from services.questions import Choice, Condition, Question, QuestionKind
from tests.factories import COMPANY, PRIVACY

COLOUR = Question(
    "colour",
    QuestionKind.RADIO,
    {"ja": "色", "en": "Colour"},
    choices=(Choice("red", {"ja": "赤"}), Choice("blue", {"ja": "青"})),
)
SHADE = Question(
    "shade", QuestionKind.TEXT, {"ja": "濃さ"}, condition=Condition("colour", ("red",))
)
FORM = (COMPANY, COLOUR, SHADE, PRIVACY)


def ids(questions):
    return [question.id for question in questions]


def refuse(refusal, act, *arguments):
    with pytest.raises(ActRefused) as caught:
        act(*arguments)
    assert caught.value.refusal is refusal
    return ids(caught.value.about)


def test_new_question_stands_before_the_consents():
    added = add_question(FORM, Question("age", QuestionKind.NUMBER, {"ja": "年齢"}))

    assert ids(added) == ["company", "colour", "shade", "age", "privacy"]


def test_form_has_one_notice():
    assert refuse(Refusal.ONE_OF_ITS_KIND, add_question, FORM, replace(PRIVACY, id="again")) == [
        "privacy"
    ]


def test_question_moves_by_steps_and_to_a_place():
    assert ids(shift_question(FORM, "company", 1)) == ["colour", "company", "shade", "privacy"]
    assert ids(move_question(FORM, "company", 2)) == ["colour", "shade", "company", "privacy"]


def test_question_stays_above_the_consents_and_consents_below():
    assert ids(move_question(FORM, "company", 99))[-2:] == ["company", "privacy"]
    assert ids(move_question(FORM, "privacy", 0)) == ids(FORM)
    assert ids(shift_question(FORM, "company", -1)) == ids(FORM)


@pytest.mark.parametrize("move", [("shade", -1), ("colour", 1)])
def test_question_does_not_pass_the_one_that_it_depends_on(move):
    assert refuse(Refusal.NEEDS_ITS_QUESTION, shift_question, FORM, *move) == ["shade", "colour"]


def test_question_that_others_depend_on_is_not_removed():
    assert refuse(Refusal.OTHERS_NEED_IT, remove_question, FORM, "colour") == ["shade"]
    assert ids(remove_question(remove_question(FORM, "shade"), "colour")) == ["company", "privacy"]


def test_question_that_is_gone_is_told():
    refuse(Refusal.UNKNOWN, remove_question, FORM, "gone")
    refuse(Refusal.UNKNOWN, shift_question, FORM, "gone", 1)
    refuse(Refusal.UNKNOWN, replace_question, FORM, replace(COLOUR, id="gone"))


def test_copy_stands_below_with_an_id_of_its_own_and_sends_nothing_to_zoom():
    form = (replace(COMPANY, zoom_title="Company"), PRIVACY)
    copied = duplicate_question(form, "company", {"company", "company_2"})

    assert ids(copied) == ["company", "company_3", "privacy"]
    assert (copied[1].label, copied[1].zoom_title) == (COMPANY.label, None)


def test_notice_is_not_copied():
    refuse(Refusal.ONE_OF_ITS_KIND, duplicate_question, FORM, "privacy", set())


@pytest.mark.parametrize(
    ("stem", "taken", "chosen"),
    [
        ("Your budget?", (), "your_budget"),
        ("予算", (), "question"),
        ("予算", ("question",), "question_2"),
        ("any_other", (), "question"),
        ("9 lives", (), "question"),
        ("x" * 60, (), "x" * 27),
        ("colour_2", ("colour_2", "colour"), "colour_3"),
    ],
)
def test_id_is_one_that_no_question_had(stem, taken, chosen):
    taken = (*taken, "colour_2") if stem == "colour_2" else taken
    assert choose_id(stem, set(taken)) == chosen


def test_renamed_choice_keeps_its_value_and_new_ones_get_values_never_used():
    choices = [Choice("red", {"ja": "朱"}), Choice("", {"ja": "緑"}), Choice("", {"ja": "黄"})]
    named = name_choices(choices, {"red", "choice3"})

    assert [choice.value for choice in named] == ["red", "choice4", "choice5"]
    assert named[0].label == {"ja": "朱"}


def test_id_of_another_kind_is_not_taken_over():
    formerly = [Question("colour", QuestionKind.TEXT, {"ja": "色"})]
    freed = give_free_ids((COLOUR, SHADE), formerly)

    assert ids(freed) == ["colour_2", "shade"]
    assert freed[1].condition == Condition("colour_2", ("red",))


def test_only_choices_above_decide():
    assert ids(list_deciding(FORM, "shade")) == ["colour"]
    assert list_deciding(FORM, "company") == []


def test_answered_question_keeps_the_meaning_of_its_answers():
    kinds = list_kinds(QuestionKind.RADIO, is_answered=True)
    assert set(kinds) == {QuestionKind.RADIO, QuestionKind.SELECT, QuestionKind.CHECKBOXES}
    assert list_kinds(QuestionKind.CHECKBOXES, is_answered=True) == [QuestionKind.CHECKBOXES]
    assert QuestionKind.DATE in list_kinds(QuestionKind.CHECKBOXES, is_answered=False)


def test_consents_come_last_on_the_page():
    assert ids(order_questions((PRIVACY, COMPANY))) == ["company", "privacy"]
