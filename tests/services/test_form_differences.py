"""What differs between two versions of a form."""

from dataclasses import replace

from services.form_differences import Part, list_differences
from services.questions import Choice, Condition, Question, QuestionKind
from tests.factories import COMPANY, PRIVACY

COLOUR = Question(
    "colour",
    QuestionKind.RADIO,
    {"ja": "色"},
    choices=(Choice("red", {"ja": "赤"}), Choice("blue", {"ja": "青"})),
)
FORM = (COMPANY, COLOUR, PRIVACY)


def compare(*present):
    return [(d.part, d.question.id, d.before, d.after) for d in list_differences(FORM, present)]


def test_same_form_has_no_differences():
    assert compare(*FORM) == []


def test_added_and_removed_questions():
    extra = replace(COMPANY, id="extra")
    assert compare(COMPANY, extra, PRIVACY) == [
        (Part.ADDED, "extra", "", ""),
        (Part.REMOVED, "colour", "", ""),
    ]


def test_only_what_was_moved_is_told():
    a, b, c, d = (replace(COMPANY, id=name) for name in "abcd")
    moved = list_differences((a, b, c, d), (d, a, b, c))

    assert [(each.part, each.question.id) for each in moved] == [(Part.MOVED, "d")]


def test_each_language_of_a_renamed_question_is_told():
    renamed = replace(COMPANY, label={"ja": "勤務先", "en": "Company"})
    assert compare(renamed, COLOUR, PRIVACY) == [
        (Part.LABEL, "company", "会社名・団体名", "勤務先")
    ]


def test_choices_are_added_removed_renamed_and_moved():
    changed = (Choice("blue", {"ja": "青"}), Choice("red", {"ja": "朱"}), Choice("c", {"ja": "緑"}))
    assert compare(COMPANY, replace(COLOUR, choices=changed), PRIVACY) == [
        (Part.CHOICE_RENAMED, "colour", "赤", "朱"),
        (Part.CHOICE_ADDED, "colour", "", "緑"),
        (Part.CHOICES_MOVED, "colour", "", ""),
    ]
    fewer = replace(COLOUR, choices=changed[:1])
    assert compare(COMPANY, fewer, PRIVACY) == [(Part.CHOICE_REMOVED, "colour", "赤", "")]


def test_every_other_part_is_told():
    changed = replace(
        COLOUR,
        kind=QuestionKind.SELECT,
        help={"ja": "好きな色"},
        required=True,
        required_message={"ja": "選んでください"},
        has_other=True,
        condition=Condition("company", ("x",)),
        max_length=5,
        zoom_title="Colour",
    )
    parts = [part for part, *_ in compare(COMPANY, changed, replace(PRIVACY, notice={"ja": "新"}))]

    assert parts == [
        *(Part.KIND, Part.HELP, Part.REQUIRED, Part.OTHER, Part.MESSAGE),
        *(Part.CONDITION, Part.LIMITS, Part.ZOOM, Part.NOTICE),
    ]
    marked = replace(COLOUR, is_sensitive=True)
    assert [part for part, *_ in compare(COMPANY, marked, PRIVACY)] == [Part.SENSITIVE]
