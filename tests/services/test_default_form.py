import re

import pytest

from services.default_form import default_questions
from services.default_notice import Operator, write_notice, write_summary
from services.questions import FormDefinition
from services.texts import LOCALES

SAMPLE = Operator(
    name="サンプル",
    legal_name="株式会社サンプル",
    address="東京都千代田区千代田1-1",
    representative="代表取締役 山田 太郎",
    contact="privacy@example.co.jp",
)


def get(question_id, locale="ja", operator=SAMPLE):
    return FormDefinition(1, 1, default_questions(locale, operator)).get_question(question_id)


def test_japanese_event_asks_for_the_prefecture():
    assert [question.id for question in default_questions("ja", SAMPLE)] == [
        "company",
        "department",
        "job_title",
        "age_band",
        "prefecture",
        "reason",
        "privacy",
        "marketing",
    ]


def test_english_event_asks_for_the_country_and_then_for_the_prefecture():
    ids = [question.id for question in default_questions("en", SAMPLE)]
    assert ids[4:6] == ["country", "prefecture"]
    assert get("prefecture", "en").condition.values == ("JP",)


def test_only_company_and_privacy_are_needed():
    needed = [question.id for question in default_questions("ja", SAMPLE) if question.is_needed]
    assert needed == ["company", "privacy"]


def test_nothing_but_name_and_address_goes_to_zoom():
    questions = default_questions("ja", SAMPLE)
    assert [question.zoom_field or question.zoom_title for question in questions] == [None] * 8


def test_age_is_asked_in_bands():
    values = [choice.value for choice in get("age_band").choices]
    assert values == ["u20", "20s", "30s", "40s", "50s", "60s", "70p", "na"]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_there_in_both_languages(locale):
    for question in (*default_questions("ja", SAMPLE), *default_questions("en", SAMPLE)):
        texts = [question.label, *(choice.label for choice in question.choices)]
        optional = [question.help, question.required_message, question.notice]
        for text in [*texts, *(text for text in optional if text)]:
            assert text[locale]


def test_marketing_box_names_the_legal_sender_and_says_advertising():
    label = get("marketing").label
    assert label["ja"].startswith("株式会社サンプルからの")
    assert "広告・宣伝" in label["ja"]
    assert label["en"].endswith("from 株式会社サンプル (advertising)")


@pytest.mark.parametrize("locale", LOCALES)
def test_notice_has_fourteen_headings_and_names_its_operator(locale):
    notice = write_notice(SAMPLE)[locale]
    assert re.findall(r"^### (\d+)\. ", notice, re.M) == [str(n) for n in range(1, 15)]
    for value in (SAMPLE.legal_name, SAMPLE.address, SAMPLE.representative, SAMPLE.contact):
        assert value in notice
    assert "{" not in notice


@pytest.mark.parametrize("locale", LOCALES)
def test_notice_leaves_out_what_is_not_known(locale):
    notice = write_notice(Operator(name="{name} & *Sons*"))[locale]
    assert "{name} & *Sons*" in notice
    assert "所在地" not in notice
    assert "Representative" not in notice


@pytest.mark.parametrize("locale", LOCALES)
def test_summary_says_who_else_receives_the_data(locale):
    summary = write_summary(SAMPLE)[locale]
    assert SAMPLE.legal_name in summary
    assert "Zoom" in summary
    assert 3 <= len(summary.splitlines()) <= 5
