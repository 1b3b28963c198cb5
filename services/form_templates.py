"""Forms to start from, and questions that are asked so often that nobody should write them again.

Nothing of them goes to Zoom before an organizer says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from .default_form import (
    AGE_BAND,
    COMPANY,
    COUNTRY,
    DEPARTMENT,
    JOB_TITLE,
    PREFECTURE,
    REASON,
    default_questions,
    make_marketing_consent,
    make_privacy_consent,
)
from .default_notice import Operator
from .questions import Choice, Question, QuestionKind
from .texts import Text


class Template(StrEnum):
    """A form to start from."""

    WEBINAR = "webinar"
    SEMINAR = "seminar"
    INTERNAL = "internal"
    MINIMAL = "minimal"


def make_template(template: Template, locale: str, operator: Operator) -> tuple[Question, ...]:
    """Return the questions of a template for an event whose own language is `locale`."""
    if template is Template.WEBINAR:
        return default_questions(locale, operator)
    privacy = make_privacy_consent(operator)
    if template is Template.SEMINAR:
        asked = (COMPANY, DEPARTMENT, POSITION, PHONE, HEARD_FROM, REASON, FOR_SPEAKERS)
        return (*asked, privacy, make_marketing_consent(operator))
    if template is Template.INTERNAL:
        return (OWN_DEPARTMENT, OFFICE, FOR_SPEAKERS, privacy)
    return (privacy,)


def list_ready_made(operator: Operator) -> Mapping[str, Question]:
    """Return the questions that can be added with one press, by the id they would like to have."""
    asked = (
        *(COMPANY, DEPARTMENT, JOB_TITLE, POSITION, INDUSTRY, EMPLOYEES),
        *(AGE_BAND, PREFECTURE, COUNTRY, KANA, PHONE),
        *(REASON, HEARD_FROM, FOR_SPEAKERS),
        make_privacy_consent(operator),
        make_marketing_consent(operator),
    )
    return {question.id: question for question in asked}


def _text(ja: str, en: str) -> Text:
    return {"ja": ja, "en": en}


NOTHING_PRIVATE = _text(
    "健康状態や信条など、ご自身や他の方の機微な情報は書かないでください。",
    "Please do not write about health, beliefs or other private matters, yours or anybody else's.",
)
"""What a free text asks for itself, so that nothing comes that must be kept with special care."""

POSITION = Question(
    id="position",
    kind=QuestionKind.SELECT,
    label=_text("役職区分", "Position"),
    choices=(
        Choice("executive", _text("経営者・役員", "Executive or board member")),
        Choice("director", _text("部長クラス", "Head of department")),
        Choice("manager", _text("課長クラス", "Manager")),
        Choice("lead", _text("係長・主任クラス", "Team lead")),
        Choice("staff", _text("一般社員", "Staff")),
    ),
    has_other=True,
)

INDUSTRY = Question(
    id="industry",
    kind=QuestionKind.SELECT,
    label=_text("業種", "Industry"),
    choices=(
        Choice("manufacturing", _text("製造", "Manufacturing")),
        Choice("it", _text("情報通信", "Information and communication")),
        Choice("trade", _text("卸売・小売", "Wholesale and retail")),
        Choice("finance", _text("金融・保険", "Finance and insurance")),
        Choice("construction", _text("建設・不動産", "Construction and real estate")),
        Choice("transport", _text("運輸・物流", "Transport and logistics")),
        Choice("services", _text("サービス", "Services")),
        Choice("education", _text("教育・研究", "Education and research")),
        Choice("care", _text("医療・福祉", "Medical and welfare")),
        Choice("public", _text("官公庁・団体", "Public sector and associations")),
    ),
    has_other=True,
)

EMPLOYEES = Question(
    id="employees",
    kind=QuestionKind.SELECT,
    label=_text("従業員数", "Number of employees"),
    choices=(
        Choice("1", _text("1〜9名", "1 to 9")),
        Choice("10", _text("10〜99名", "10 to 99")),
        Choice("100", _text("100〜299名", "100 to 299")),
        Choice("300", _text("300〜999名", "300 to 999")),
        Choice("1000", _text("1,000名以上", "1,000 or more")),
    ),
)

KANA = Question(
    id="kana",
    kind=QuestionKind.KANA,
    label=_text("お名前（フリガナ）", "Name in katakana"),
    help=_text("ひらがなでも入力できます。", "Hiragana is fine too."),
)

PHONE = Question(
    id="phone",
    kind=QuestionKind.PHONE,
    label=_text("電話番号", "Phone number"),
    help=_text(
        "当日、メールが届かないときのご連絡に使います。",
        "We use it if our emails do not reach you on the day.",
    ),
    autocomplete="tel",
)

HEARD_FROM = Question(
    id="heard_from",
    kind=QuestionKind.RADIO,
    label=_text("このイベントを何で知りましたか", "How did you hear about this event?"),
    choices=(
        Choice("mail", _text("主催者からのメール", "Email from the organizer")),
        Choice("site", _text("ウェブサイト", "Website")),
        Choice("social", _text("SNS", "Social media")),
        Choice("person", _text("知人・同僚の紹介", "From somebody I know")),
        Choice("sales", _text("担当者からの案内", "From my contact at the organizer")),
    ),
    has_other=True,
)

FOR_SPEAKERS = Question(
    id="for_speakers",
    kind=QuestionKind.TEXTAREA,
    label=_text("登壇者に聞きたいこと", "Questions for the speakers"),
    help=NOTHING_PRIVATE,
)

OWN_DEPARTMENT = Question(
    id="department",
    kind=QuestionKind.TEXT,
    label=_text("所属部署", "Department"),
    required=True,
    required_message=_text("所属部署を入力してください", "Enter your department"),
)

OFFICE = Question(
    id="office",
    kind=QuestionKind.TEXT,
    label=_text("勤務地・拠点", "Office"),
)
