import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from forms.registration import build_registration_form
from services.questions import Answer, Condition, ConsentKind, FormDefinition
from services.submissions import ConsentGiven, Surface

from .samples import (
    TARO,
    fill,
    list_messages,
    make_choices,
    make_form_class,
    make_privacy_consent,
    make_question,
    submit,
)

REASON = make_question("checkboxes", "reason", choices=make_choices("learn"), has_other=True)
DETAIL = make_question(
    "text", "detail", required=True, condition=Condition("reason", ("other", "buy"))
)


def test_submission_has_all_that_was_typed():
    company = make_question("text", "company", required=True)
    form = fill(
        company, make_privacy_consent(), question_company="㈱サンプル", question_privacy="yes"
    )

    assert form.validate()
    submission = form.to_submission(nonce="n", surface=Surface.EMBED, source={"utm_source": "mail"})

    assert (submission.family_name, submission.given_name) == ("山田", "太郎")
    assert (submission.email, submission.email_key) == ("taro@example.co.jp", "taro@example.co.jp")
    assert submission.answers == {"company": Answer(("㈱サンプル",))}
    assert submission.consents == (
        ConsentGiven("privacy", ConsentKind.PRIVACY, "I agree to the privacy notice", True),
    )
    assert (submission.locale, submission.form_version_id) == ("en", form.definition.version_id)
    assert (submission.nonce, submission.surface) == ("n", Surface.EMBED)
    assert (submission.source, submission.is_suspicious) == ({"utm_source": "mail"}, False)


def test_address_keeps_its_case_but_the_key_does_not():
    submission = submit(email="Ｔａｒｏ＠Example.co.jp ")
    assert submission.email == "Taro@example.co.jp"
    assert submission.email_key == "taro@example.co.jp"


def test_empty_form_names_every_field_and_its_fix():
    form = make_form_class(make_question("text", "company", required=True), make_privacy_consent())(
        MultiDict()
    )
    assert not form.validate()
    assert form.error_list == [
        ("given_name", "Enter your first name"),
        ("family_name", "Enter your last name"),
        ("email", "Enter your email address"),
        ("question_company", "Enter Question"),
        ("question_privacy", "Agree to the privacy notice to register"),
    ]


def test_name_order_follows_the_language():
    japanese, english = fill(locale="ja").rows[0], fill(locale="en").rows[0]
    assert [part.name for part in japanese.parts] == ["family_name", "given_name"]
    assert [part.name for part in english.parts] == ["given_name", "family_name"]


@pytest.mark.parametrize(
    "name",
    [
        "\ufa19田",
        "𠮷田",
        "葛\U000e0100城",
        "O'Brien",
        "X",
        "Null",
        "👩\u200d💻",
        "a" * 64,
        "𠮷" * 64,
    ],
)
def test_real_name_is_returned_code_point_for_code_point(name):
    assert submit(family_name=name).family_name == name


@pytest.mark.parametrize("name", ["", " \u3000", "\u200b", "\u3164", "\u2800"])
def test_name_that_shows_nothing_is_missing(name):
    assert list_messages(family_name=name) == [("family_name", "Enter your last name")]


@pytest.mark.parametrize("name", ["a\x00b", "a\x1b[31m", chr(0xD800), "\ufffd"])
def test_name_with_unreadable_characters_is_refused(name):
    assert list_messages(given_name=name) == [
        ("given_name", "First name has a character that cannot be read. Type it again")
    ]


@pytest.mark.parametrize("length", [65, 10_000, 250_000])
def test_endless_name_is_refused_and_kept(length):
    form = fill(family_name="a" * length)
    assert not form.validate()
    assert form.error_list == [("family_name", "Last name must be 64 characters or fewer")]
    assert form.rows[0].parts[1].value == "a" * min(length, 20_000)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("taro", "Enter an email address like name@example.com"),
        ("\x00@\ud800", "Enter an email address like name@example.com"),
        ("a" * 200 + "@example.com", "Email address must be 128 characters or fewer"),
        ("a" * 200_000, "Email address must be 128 characters or fewer"),
    ],
)
def test_address_out_of_reach_is_refused(address, message):
    assert list_messages(email=address) == [("email", message)]


def test_wrong_address_is_shown_again_in_ascii():
    form = fill(email="ｔａｒｏ＠example", family_name="")
    form.validate()
    assert form.rows[1].value == "taro@example"


def test_typed_values_come_back_after_an_error():
    form = fill(REASON, family_name="", question_reason="other", question_reason_other="知人の紹介")
    form.validate()
    assert form.rows[0].parts[0].value == "太郎"
    assert form.rows[2].values == ("other",)
    assert form.rows[2].other_text == "知人の紹介"


def test_only_the_wrong_half_of_the_name_is_marked():
    form = fill(family_name="")
    form.validate()
    assert [bool(part.errors) for part in form.rows[0].parts] == [False, True]


def test_probable_slip_in_the_address_comes_back_as_question():
    form = fill(email="taro@gmail.con")
    assert not form.validate()
    assert form.suggestion == "taro@gmail.com"
    assert form.error_list == [("email", "Email address: did you mean taro@gmail.com?")]


def test_suggested_address_is_taken_when_chosen():
    assert submit(email="taro@gmail.con", email_choice="change").email == "taro@gmail.com"


def test_typed_address_is_kept_when_chosen():
    assert submit(email="taro@gmail.con", email_choice="keep").email == "taro@gmail.con"


def test_kept_address_is_not_questioned_again():
    first = fill(email="taro@gmail.con", email_choice="keep", family_name="")
    assert not first.validate()
    assert first.suggestion is None

    assert (
        submit(email="taro@gmail.con", email_kept=first.email_kept.data).email == "taro@gmail.con"
    )


def test_keeping_one_address_says_nothing_about_another():
    form = fill(email="taro@gmial.com", email_kept="taro@gmail.con")
    assert not form.validate()
    assert form.suggestion == "taro@gmail.com"


def test_filled_trap_is_noticed_and_changes_nothing_else():
    assert submit(subject="Cheap watches").is_suspicious
    assert not submit(subject=" ").is_suspicious


def test_question_is_left_out_while_its_condition_is_not_met():
    submission = submit(REASON, DETAIL, question_reason="learn", question_detail="secret")
    assert submission.answers == {"reason": Answer(("learn",))}


def test_question_is_checked_when_its_condition_is_met():
    assert list_messages(REASON, DETAIL, question_reason="other") == [
        ("question_detail", "Enter Question")
    ]


def test_condition_on_a_hidden_question_is_not_met():
    follow_up = make_question("text", "more", required=True, condition=Condition("detail", ("x",)))
    submission = submit(REASON, DETAIL, follow_up, question_detail="x", question_more="secret")
    assert submission.answers == {}


def test_hidden_consent_is_not_recorded():
    consent = make_question("consent", "extra", condition=Condition("reason", ("learn",)))
    assert submit(REASON, consent, question_extra="yes").consents == ()


def test_unticked_marketing_consent_is_recorded_as_declined():
    label = {"en": "Send me news"}
    news = make_question("consent", "news", label=label, consent=ConsentKind.MARKETING)
    expected = ConsentGiven("news", ConsentKind.MARKETING, "Send me news", False)
    assert submit(news).consents == (expected,)


def test_undeclared_fields_have_no_effect():
    form_class = make_form_class()
    undeclared = {"status": "approved", "join_url": "x", "form_version_id": "2", "locale": "ja"}
    plain, forged = form_class(MultiDict(TARO)), form_class(MultiDict(TARO | undeclared))
    assert plain.validate()
    assert forged.validate()
    assert forged.to_submission(nonce="n") == plain.to_submission(nonce="n")


@pytest.mark.parametrize("name", ["family_name", "email", "question_company", "question_privacy"])
def test_field_sent_twice_is_refused(name):
    company = make_question("text", "company")
    typed = MultiDict(TARO | {"question_company": "A", "question_privacy": "yes"})
    typed.add(name, typed[name])
    form = make_form_class(company, make_privacy_consent())(typed)
    assert not form.validate()
    ((control_id, message),) = form.error_list
    assert control_id == name
    assert message.endswith(" was sent more than once. Check it")


def test_token_sent_twice_is_no_token():
    typed = MultiDict(TARO)
    typed.setlist("form_token", ["one", "two"])
    assert make_form_class()(typed).form_token.data == ""


def test_prefill_fills_listed_fields_and_names_them():
    form = make_form_class(make_question("prefecture", "pref"), REASON)(
        prefill={"email": "taro@example.com", "question_pref": "JP-13", "question_reason": "learn"}
    )
    assert form.rows[1].value == "taro@example.com"
    assert form.rows[2].value == "JP-13"
    assert form.rows[3].values == ("learn",)
    assert form.prefilled_labels == ["Email address", "Question", "Question"]


@pytest.mark.parametrize(
    "name", ["question_privacy", "question_detail", "form_token", "subject", "email_kept", "status"]
)
def test_prefill_reaches_nothing_else(name):
    form = make_form_class(REASON, DETAIL, make_privacy_consent())(prefill={name: "yes"})
    untouched = make_form_class(REASON, DETAIL, make_privacy_consent())()
    assert form.data == untouched.data
    assert form.prefilled_labels == []
    assert [row.values for row in form.rows] == [(), (), (), (), ()]


def test_prefilled_choice_must_be_one_of_them():
    form = make_form_class(make_question("prefecture", "pref"))(prefill={"question_pref": "JP-99"})
    assert form.rows[2].values == ()


def test_prefill_is_ignored_when_something_was_sent():
    form = make_form_class()(MultiDict(), prefill={"email": "taro@example.com"})
    assert form.rows[1].value == ""


def test_consents_come_last_on_the_page():
    form = fill(make_privacy_consent(), make_question("text", "company"))
    assert [row.name for row in form.rows] == [
        "name",
        "email",
        "question_company",
        "question_privacy",
    ]


def test_nothing_is_ticked_on_the_first_page():
    question = make_question("radio", choices=make_choices("a", "b"))
    form = make_form_class(question, REASON, make_privacy_consent())()
    assert [row.values for row in form.rows] == [(), (), (), (), ()]


def test_form_class_is_kept_per_version_and_language():
    questions = (make_question("text"),)
    one, same = FormDefinition(900, 1, questions), FormDefinition(900, 1, questions)
    other = FormDefinition(901, 2, questions)
    assert build_registration_form(one, "ja") is build_registration_form(same, "ja")
    assert build_registration_form(one, "ja") is not build_registration_form(one, "en")
    assert build_registration_form(one, "ja") is not build_registration_form(other, "ja")


def test_two_people_never_share_what_they_typed():
    form_class = make_form_class(REASON)
    first = form_class(MultiDict(TARO | {"question_reason": "learn", "family_name": ""}))
    first.validate()
    second = form_class(MultiDict({"email": "hanako@example.com"}))

    assert second.family_name.errors == ()
    assert second.rows[2].values == ()
    assert form_class().rows[1].value == ""


def test_what_was_typed_is_forgotten_with_its_form():
    form = make_form_class(REASON)(MultiDict(TARO | {"question_reason": "learn"}))
    assert form.validate() is True
    kept = weakref.ref(form)

    gc.disable()
    try:
        del form
        assert kept() is None
    finally:
        gc.enable()


EVERY_KIND = [
    make_question("text", "text"),
    make_question("textarea", "textarea"),
    make_question("kana", "kana"),
    make_question("select", "select", choices=make_choices("a", "b")),
    make_question("radio", "radio", choices=make_choices("a", "b"), has_other=True),
    make_question("checkboxes", "checkboxes", choices=make_choices("a", "b"), has_other=True),
    make_question("prefecture", "prefecture"),
    make_question("country", "country"),
    make_question("phone", "phone"),
    make_question("postal_code", "postal_code"),
    make_question("date", "date", minimum="2026-01-01"),
    make_question("number", "number", maximum="10"),
    make_question("consent", "consent"),
]
FORM_OF_EVERY_KIND = make_form_class(*EVERY_KIND)
ANY_TEXT = st.text(st.characters(exclude_categories=()))
FIELD_NAMES = [*FORM_OF_EVERY_KIND().data, "question_radio_other", "question_checkboxes_other"]


@given(
    st.dictionaries(
        st.sampled_from(FIELD_NAMES),
        st.lists(ANY_TEXT | st.sampled_from(["a", "other", "JP", "1"])),
    )
)
def test_whatever_is_sent_is_accepted_or_explained(sent):
    form = FORM_OF_EVERY_KIND(MultiDict(sent))
    if form.validate():
        assert form.to_submission(nonce="n").digest
    else:
        assert form.error_list
        assert all(control_id and message for control_id, message in form.error_list)
