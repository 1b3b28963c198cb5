import pytest
from werkzeug.datastructures import MultiDict

from forms.questions import _BUILDERS
from services.questions import Answer, ConsentKind, QuestionKind

from .samples import TARO, fill, list_messages, make_choices, make_form_class, make_question, submit

CHOICES = make_choices("a", "b", "c")


def answer(kind, typed, **members):
    """Return the answer to one question, or None."""
    return submit(make_question(kind, **members), question_q=typed).answers.get("q")


def refuse(kind, typed, **members):
    """Return what is said about an answer that must be refused."""
    ((control_id, message),) = list_messages(make_question(kind, **members), question_q=typed)
    assert control_id in ("question_q", "question_q-1")
    return message


def draw(kind, locale="en", **members):
    """Return the row of one question on an empty page."""
    return make_form_class(make_question(kind, **members), locale=locale)().rows[2]


def test_every_kind_has_its_builder():
    assert set(_BUILDERS) == set(QuestionKind)


@pytest.mark.parametrize(
    "kind", [kind for kind in QuestionKind if kind is not QuestionKind.CONSENT]
)
def test_optional_question_of_every_kind_may_be_left_empty(kind):
    assert answer(kind, "", choices=CHOICES) is None


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        *(
            (kind, "Enter Question")
            for kind in ["text", "textarea", "kana", "phone", "postal_code", "date", "number"]
        ),
        *(
            (kind, "Select Question")
            for kind in ["select", "radio", "checkboxes", "prefecture", "country"]
        ),
        ("consent", "Tick “Question” to register"),
    ],
)
def test_required_question_of_every_kind_asks_for_an_answer(kind, message):
    assert refuse(kind, "", choices=CHOICES, required=True) == message


def test_required_question_may_have_its_own_words():
    words = {"ja": "会社名を入力してください", "en": "Enter your company"}
    assert refuse("text", " ", required=True, required_message=words) == "Enter your company"


def test_text_is_cleaned_and_counted_in_characters():
    assert answer("text", "  ﾊﾟﾅｿﾆｯｸ ", max_length=6) == Answer(("パナソニック",))
    assert refuse("text", "a" * 7, max_length=6) == "Question must be 6 characters or fewer"
    assert refuse("text", "a" * 129) == "Question must be 128 characters or fewer"


def test_textarea_keeps_its_lines_and_drops_controls():
    assert answer("textarea", "a\r\nb\x00 👍\n") == Answer(("a\nb 👍",))
    assert refuse("textarea", "a" * 2_001) == "Question must be 2000 characters or fewer"
    assert refuse("textarea", "\ud800").startswith("Question has a character")


@pytest.mark.parametrize("typed", ["やまだ", "ﾔﾏﾀﾞ", "ヤマダ"])
def test_kana_takes_every_script_of_kana(typed):
    assert answer("kana", typed) == Answer(("ヤマダ",))


def test_kana_takes_latin_letters_and_refuses_kanji():
    assert answer("kana", "Ｏ'Ｂrien") == Answer(("O'Brien",))
    assert refuse("kana", "山田") == "Enter Question in katakana"


@pytest.mark.parametrize("kind", ["select", "radio", "checkboxes"])
def test_choice_is_stored_by_its_value(kind):
    assert answer(kind, "b", choices=CHOICES) == Answer(("b",))


@pytest.mark.parametrize("kind", ["select", "radio", "checkboxes", "prefecture", "country"])
def test_forged_choice_is_refused(kind):
    assert refuse(kind, "JP-99", choices=CHOICES) == "Select Question"


def test_several_choices_are_stored_in_their_own_order():
    assert answer("checkboxes", ["c", "a", "c"], choices=CHOICES) == Answer(("a", "c"))


def test_two_radio_choices_are_refused():
    form = make_form_class(make_question("radio", choices=CHOICES))(
        MultiDict([*TARO.items(), ("question_q", "a"), ("question_q", "b")])
    )
    assert not form.validate()


@pytest.mark.parametrize("kind", ["radio", "checkboxes"])
def test_text_beside_other_is_kept_with_it(kind):
    question = make_question(kind, choices=CHOICES, has_other=True)
    submission = submit(question, question_q="other", question_q_other=" 知人の ﾊﾅｼ ")
    assert submission.answers == {"q": Answer(("other",), "知人の ハナシ")}


def test_text_beside_other_counts_only_while_other_is_chosen():
    question = make_question("checkboxes", choices=CHOICES, has_other=True)
    submission = submit(question, question_q="a", question_q_other="x" * 1_000)
    assert submission.answers == {"q": Answer(("a",))}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("x" * 201, "Question must be 200 characters or fewer"),
        ("\x00", "Question has a character that cannot be read. Type it again"),
    ],
)
def test_wrong_text_beside_other_is_marked_there(typed, message):
    question = make_question("radio", choices=CHOICES, has_other=True)
    assert list_messages(question, question_q="other", question_q_other=typed) == [
        ("question_q_other", message)
    ]


def test_other_is_offered_last_and_once():
    row = draw("radio", choices=CHOICES, has_other=True)
    assert [option.value for option in row.choices] == ["a", "b", "c", "other"]
    named = draw("radio", choices=(*CHOICES, *make_choices("other")), has_other=True)
    assert [option.value for option in named.choices] == ["a", "b", "c", "other"]


def test_prefecture_and_country_are_stored_as_codes():
    assert answer("prefecture", "JP-13") == Answer(("JP-13",))
    assert answer("prefecture", "ZZ") == Answer(("ZZ",))
    assert answer("country", "FR") == Answer(("FR",))


@pytest.mark.parametrize("typed", ["０３－１２３４－５６７８", "03ー1234ー5678", "(03) 1234-5678"])
def test_phone_is_stored_as_digits(typed):
    assert answer("phone", typed) == Answer(("0312345678",))


@pytest.mark.parametrize("typed", ["110x", "電話なし", "1", "+", "٠٣١٢٣٤٥٦٧٨"])
def test_phone_of_something_else_is_refused(typed):
    assert refuse("phone", typed) == "Enter Question in digits, like 03-1234-5678"


def test_postal_code_is_stored_with_one_hyphen():
    assert answer("postal_code", "〒１００ー０００１") == Answer(("100-0001",))
    assert refuse("postal_code", "12345") == "Enter Question in seven digits, like 100-0001"


def test_date_is_stored_as_iso_text():
    assert answer("date", "２０２６年１月５日") == Answer(("2026-01-05",))


@pytest.mark.parametrize("typed", ["2026-02-30", "tomorrow", "2026W011", "20260105"])
def test_date_outside_the_calendar_is_refused(typed):
    assert refuse("date", typed) == "Enter Question as a date, like 2026-12-10"


def test_date_stays_within_its_bounds():
    bounds = {"minimum": "2026-01-01", "maximum": "2026-12-31"}
    assert answer("date", "2026-12-31", **bounds) == Answer(("2026-12-31",))
    assert refuse("date", "2025-12-31", **bounds) == "Question must be 2026-01-01 or later"
    assert refuse("date", "2027-01-01", **bounds) == "Question must be 2026-12-31 or earlier"


def test_number_stays_within_its_bounds():
    bounds = {"minimum": "1", "maximum": "9.5"}
    assert answer("number", "９．５", **bounds) == Answer(("9.5",))
    assert refuse("number", "0", **bounds) == "Question must be 1 or more"
    assert refuse("number", "10", **bounds) == "Question must be 9.5 or less"


@pytest.mark.parametrize("typed", ["ten", "1e5", "NaN", "Infinity", "1" * 16, "--1"])
def test_number_of_something_else_is_refused(typed):
    assert refuse("number", typed) == "Enter Question in digits, like 10"


@pytest.mark.parametrize("typed", ["", "no", "false", "0"])
def test_consent_needs_a_tick(typed):
    question = make_question("consent", consent=ConsentKind.PRIVACY)
    assert list_messages(question, question_q=typed) == [
        ("question_q", "Agree to the privacy notice to register")
    ]


def test_marketing_consent_is_never_needed():
    question = make_question("consent", consent=ConsentKind.MARKETING, required=True)
    assert fill(question).validate()
    assert not draw("consent", consent=ConsentKind.MARKETING, required=True).required


def test_row_has_what_a_template_draws():
    row = draw(
        "text",
        locale="ja",
        label={"ja": "会社名", "en": "Company"},
        help={"ja": "正式名称", "en": "Full name"},
        required=True,
        autocomplete="organization",
        max_length=50,
    )
    assert (row.kind, row.name, row.control_id) == ("text", "question_q", "question_q")
    assert (row.label, row.help, row.required) == ("会社名", "正式名称", True)
    assert (row.autocomplete, row.max_length, row.input_type) == ("organization", 50, "text")
    assert (row.value, row.errors, row.condition) == ("", (), None)


@pytest.mark.parametrize(
    ("kind", "input_type", "inputmode", "autocomplete"),
    [
        ("phone", "tel", "tel", "tel"),
        ("postal_code", "text", "numeric", "postal-code"),
        ("prefecture", "text", None, "address-level1"),
        ("country", "text", None, "country"),
        ("date", "date", None, None),
        ("number", "text", "decimal", None),
    ],
)
def test_row_hints_at_what_to_type(kind, input_type, inputmode, autocomplete):
    row = draw(kind)
    assert (row.input_type, row.inputmode, row.autocomplete) == (
        input_type,
        inputmode,
        autocomplete,
    )


@pytest.mark.parametrize("kind", ["radio", "checkboxes"])
def test_error_leads_to_the_first_control_of_a_group(kind):
    assert draw(kind, choices=CHOICES).control_id == "question_q-1"
