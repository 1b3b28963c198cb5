"""The questions that a new event starts with, in both languages."""

from __future__ import annotations

from dataclasses import replace

from .default_notice import Operator, write_notice, write_summary
from .questions import Choice, Condition, ConsentKind, Question, QuestionKind
from .texts import Text


def default_questions(locale: str, operator: Operator) -> tuple[Question, ...]:
    """Return the questions of a new event whose own language is `locale`.

    A Japanese event asks for the prefecture; any other for the country, and in Japan for the
    prefecture too.
    """
    return (
        COMPANY,
        DEPARTMENT,
        JOB_TITLE,
        AGE_BAND,
        *((PREFECTURE,) if locale == "ja" else (COUNTRY, PREFECTURE_IN_JAPAN)),
        REASON,
        make_privacy_consent(operator),
        make_marketing_consent(operator),
    )


def _text(ja: str, en: str) -> Text:
    return {"ja": ja, "en": en}


COMPANY = Question(
    id="company",
    kind=QuestionKind.TEXT,
    label=_text("会社名・団体名", "Company"),
    required=True,
    required_message=_text("会社名・団体名を入力してください", "Enter your company"),
    autocomplete="organization",
)

DEPARTMENT = Question(id="department", kind=QuestionKind.TEXT, label=_text("部署", "Department"))

JOB_TITLE = Question(
    id="job_title",
    kind=QuestionKind.TEXT,
    label=_text("役職", "Job title"),
    autocomplete="organization-title",
)

AGE_BAND = Question(
    id="age_band",
    kind=QuestionKind.RADIO,
    label=_text("年代", "Age group"),
    choices=(
        Choice("u20", _text("20歳未満", "Under 20")),
        *(
            Choice(f"{decade}s", _text(f"{decade}代", f"{decade} to {decade + 9}"))
            for decade in (20, 30, 40, 50, 60)
        ),
        Choice("70p", _text("70歳以上", "70 or over")),
        Choice("na", _text("回答しない", "Prefer not to say")),
    ),
)

PREFECTURE = Question(
    id="prefecture",
    kind=QuestionKind.PREFECTURE,
    label=_text("お住まいの地域（都道府県）", "Region (prefecture)"),
)

COUNTRY = Question(
    id="country", kind=QuestionKind.COUNTRY, label=_text("お住まいの国・地域", "Country or region")
)

PREFECTURE_IN_JAPAN = Question(
    id="prefecture",
    kind=QuestionKind.PREFECTURE,
    label=_text("お住まいの地域（都道府県）", "Region (prefecture)"),
    condition=Condition("country", ("JP",)),
)

REASON = Question(
    id="reason",
    kind=QuestionKind.CHECKBOXES,
    label=_text("参加の目的", "Why are you joining?"),
    help=_text("あてはまるものをすべて選んでください。", "Select all that apply."),
    choices=(
        Choice("learn", _text("情報収集", "To learn about the topic")),
        Choice("solve", _text("業務上の課題の解決", "To solve a problem at work")),
        Choice("evaluate", _text("製品・サービスの導入検討", "To evaluate a product or service")),
        Choice("speakers", _text("登壇者への関心", "To hear the speakers")),
    ),
    has_other=True,
)


def make_privacy_consent(operator: Operator) -> Question:
    return Question(
        id="privacy",
        kind=QuestionKind.CONSENT,
        label=_text("「個人情報の取扱い」に同意する", "I agree to the privacy notice"),
        required=True,
        consent=ConsentKind.PRIVACY,
        notice_summary=write_summary(operator),
        notice=write_notice(operator),
    )


def make_marketing_consent(operator: Operator) -> Question:
    """Name the sender in full and say 広告・宣伝: the advertising mail rules want both here."""
    sender = operator.official_name
    return Question(
        id="marketing",
        kind=QuestionKind.CONSENT,
        label=_text(
            f"{sender}からのセミナー・製品のご案内メール（広告・宣伝を含みます）を受け取る",
            f"Send me news about events and products from {sender} (advertising)",
        ),
        help=_text("いつでも配信を停止できます。", "You can stop these emails at any time."),
        consent=ConsentKind.MARKETING,
    )


def follow_operator(question: Question, former: Operator, present: Operator) -> Question:
    """Have the texts of a consent that every event starts with name the operator of now."""
    changes = {}
    for make in (make_privacy_consent, make_marketing_consent):
        before, after = make(former), make(present)
        for name in ("label", "notice", "notice_summary"):
            text = getattr(question, name)
            if question.consent is before.consent and text and text == getattr(before, name):
                changes[name] = getattr(after, name)
    return replace(question, **changes)
