from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from services.default_form import default_questions
from services.default_notice import Operator

from .samples import fill, list_messages, make_choices, make_privacy_consent, make_question

TRANSLATIONS = Path(__file__).parents[2] / "translations"
LABEL = {"ja": "項目", "en": "Item"}


@pytest.fixture(params=["ja", "en"])
def locale(request):
    """Run the test as a visitor of each language would see the page."""
    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, default_locale=request.param)
    with app.test_request_context():
        yield request.param


@pytest.mark.parametrize(
    ("typed", "ja", "en"),
    [
        ({"family_name": ""}, "お名前（姓）を入力してください", "Enter your last name"),
        ({"given_name": " "}, "お名前（名）を入力してください", "Enter your first name"),
        ({"email": ""}, "メールアドレスを入力してください", "Enter your email address"),
        (
            {"email": "taro@"},
            "メールアドレスは name@example.com のような形式で入力してください",
            "Enter an email address like name@example.com",
        ),
        (
            {"email": "taro@gmail.con"},
            "メールアドレスは taro@gmail.com の間違いではありませんか",
            "Email address: did you mean taro@gmail.com?",
        ),
        (
            {"family_name": "a" * 65},
            "お名前（姓）は64文字以内で入力してください",
            "Last name must be 64 characters or fewer",
        ),
    ],
)
def test_fixed_fields_speak_the_words_of_the_deck(locale, typed, ja, en):
    ((_, message),) = list_messages(locale=locale, **typed)
    assert message == {"ja": ja, "en": en}[locale]


def test_default_questions_speak_the_words_of_the_deck(locale):
    questions = default_questions(locale, Operator(name="サンプル"))
    messages = [message for _, message in list_messages(*questions, locale=locale)]
    assert (
        messages
        == {
            "ja": [
                "会社名・団体名を入力してください",
                "お申し込みには「個人情報の取扱い」への同意が必要です",
            ],
            "en": ["Enter your company", "Agree to the privacy notice to register"],
        }[locale]
    )


@pytest.mark.parametrize(
    ("kind", "typed", "members", "ja"),
    [
        ("text", "", {"required": True}, "項目を入力してください"),
        ("select", "", {"required": True}, "項目を選択してください"),
        ("text", "abc", {"max_length": 2}, "項目は2文字以内で入力してください"),
        ("kana", "山田", {}, "項目はカタカナで入力してください"),
        ("number", "0", {"minimum": "1"}, "項目は1以上で入力してください"),
        ("number", "2", {"maximum": "1"}, "項目は1以下で入力してください"),
        ("date", "2026-01-01", {"minimum": "2026-02-01"}, "項目は2026-02-01以降で入力してください"),
        ("date", "2026-03-01", {"maximum": "2026-02-01"}, "項目は2026-02-01以前で入力してください"),
    ],
)
def test_questions_name_the_field_and_the_fix(locale, kind, typed, members, ja):
    question = make_question(kind, label=LABEL, choices=make_choices("a"), **members)
    ((_, message),) = list_messages(question, locale=locale, question_q=typed)
    assert message == ja if locale == "ja" else "Item" in message


def test_labels_follow_the_language_of_the_form(locale):
    name, email, consent = fill(make_privacy_consent(), locale=locale).rows
    labels = [name.label, *(part.label for part in name.parts), email.label, consent.label]
    assert (
        labels
        == {
            "ja": [
                "お名前（姓・名）",
                "姓",
                "名",
                "メールアドレス",
                "「個人情報の取扱い」に同意する",
            ],
            "en": [
                "Name (First name, Last name)",
                "First name",
                "Last name",
                "Email address",
                "I agree to the privacy notice",
            ],
        }[locale]
    )
