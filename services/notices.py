"""Privacy notices as documents with a slot for everything that has to be said, and their texts.

Who answers for the data comes from the organization and is put in when a text is written, so one
document serves after a change of name or address too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from .default_notice import Operator, get_summary, list_sections
from .processors import write_processors
from .questions import ConsentKind, Question
from .texts import LOCALES, Text

NAME = "{official_name}"
"""Stands for the organization's official name in any slot; nothing else is replaced."""

MOST_COMPARED = 400

SUMMARY, MARKETING = "summary", "marketing"
_ADVERTISING = {"ja": "広告", "en": "advertis"}


class Shape(StrEnum):
    """Who collects the data of an event: one company, or in which of three ways several do."""

    ALONE = "alone"
    EACH = "each"
    JOINT = "joint"
    PROVISION = "provision"


SECTIONS = {
    2: "items",
    3: "purposes",
    4: "third_parties",
    5: "outsourcing",
    6: "abroad",
    8: "statistics",
    9: "voluntary",
    10: "cookies",
    11: "retention",
    12: "requests",
    13: "safety",
}
"""What is written freely, by its number among the 14 headings; 1, 7 and 14 are made of parts."""

_OUTSOURCING = 5
_JOINT_USE = 7
_THIRD_PARTIES = 4

PARTS: dict[Shape, tuple[str, ...]] = {
    Shape.ALONE: (),
    Shape.EACH: ("cohosts",),
    Shape.JOINT: (
        *("joint_items", "joint_users", "joint_purposes", "joint_acquired"),
        *("joint_responsible", "joint_address", "joint_representative", "joint_contact"),
    ),
    Shape.PROVISION: ("recipients", "provided_items", "provided_purposes", "provided_means"),
}
"""What each shape has to state: the law names every part of it."""

SLOTS = (SUMMARY, *SECTIONS.values(), MARKETING)
ALL_SLOTS = (*SLOTS, *(part for parts in PARTS.values() for part in parts))


@dataclass(frozen=True)
class Gap:
    """A slot that is empty or lacks what it has to say, in one language."""

    slot: str
    locale: str
    is_empty: bool = True


@dataclass(frozen=True)
class NoticeDocument:
    """What an organizer writes: the shape, and a text for each slot and language.

    `processors` are those in use when it was published, as `services.processors` lists them.
    """

    shape: Shape = Shape.ALONE
    slots: Mapping[str, Text] = field(default_factory=dict)
    processors: Mapping[str, str] = field(default_factory=dict)

    def get(self, slot: str, locale: str) -> str:
        return self.slots.get(slot, {}).get(locale, "")

    def list_locales(self) -> list[str]:
        """List the languages in which anything is written: each has to be whole."""
        slots = (*SLOTS, *PARTS[self.shape])
        return [locale for locale in LOCALES if any(self.get(slot, locale) for slot in slots)]


def make_default_document() -> NoticeDocument:
    """Return what every organization begins with: what the product does as shipped."""
    slots: dict[str, dict[str, str]] = {slot: {} for slot in SLOTS}
    for locale in LOCALES:
        sections = list_sections(locale)
        for number, slot in SECTIONS.items():
            slots[slot][locale] = sections[number].body
        slots[SUMMARY][locale] = get_summary(locale)
        slots[MARKETING][locale] = _MARKETING[locale]
    return NoticeDocument(slots=slots)


def dump_document(document: NoticeDocument) -> dict[str, Any]:
    slots = {slot: dict(text) for slot, text in document.slots.items() if any(text.values())}
    processors = {"processors": dict(document.processors)} if document.processors else {}
    return {"shape": str(document.shape), "slots": slots, **processors}


def load_document(stored: Mapping[str, Any]) -> NoticeDocument:
    return NoticeDocument(Shape(stored["shape"]), stored["slots"], stored.get("processors", {}))


def find_gaps(document: NoticeDocument, operator: Operator, *, default_locale: str) -> list[Gap]:
    """List what keeps a notice from being published: nothing half filled goes out.

    The language of new events has to be there; another one whole, or not at all.
    """
    locales = sorted({default_locale, *document.list_locales()}, key=LOCALES.index)
    gaps = [
        Gap(slot, locale)
        for locale in locales
        for slot in (*SLOTS, *PARTS[document.shape])
        if not document.get(slot, locale).strip()
    ]
    for locale in locales:
        text = document.get(MARKETING, locale)
        is_named = operator.official_name in text.replace(NAME, operator.official_name)
        if text.strip() and not (is_named and _ADVERTISING[locale] in text.casefold()):
            gaps.append(Gap(MARKETING, locale, is_empty=False))
    return gaps


def list_operator_gaps(operator: Operator) -> list[str]:
    """Name what the organization's page still lacks for any notice."""
    parts = {
        "name": operator.official_name,
        "address": operator.address,
        "representative": operator.representative,
        "contact": operator.contact,
    }
    return [name for name, text in parts.items() if not text.strip()]


def write_document(document: NoticeDocument, operator: Operator) -> Text:
    """Return the whole notice as Markdown, with its 14 headings, in each of its languages."""
    return {
        locale: "\n\n".join(_write_sections(document, operator, locale))
        for locale in document.list_locales()
    }


def dress(question: Question, document: NoticeDocument, operator: Operator) -> Question:
    """Return a consent with the texts of a document; any other question as it is."""
    if question.consent is ConsentKind.PRIVACY:
        return replace(
            question,
            notice=write_document(document, operator),
            notice_summary=_write_slot(document, SUMMARY, operator),
        )
    if question.consent is ConsentKind.MARKETING:
        return replace(question, label=_write_slot(document, MARKETING, operator))
    return question


def follow_documents(
    question: Question, documents: Iterable[NoticeDocument], former: Operator, present: Operator
) -> Question | None:
    """Have a consent whose texts come from a document name the operator of now; else None."""
    for document in documents:
        if question.consent and dress(question, document, former) == question:
            return dress(question, document, present)
    return None


def compare(former: str, present: str) -> list[tuple[str, str]]:
    """Return the lines of two texts, each as `same`, `gone` or `new`.

    Of very long texts, all lines of one and then all of the other: looking for similar lines costs
    more than the square of their number.
    """
    before, after = former.splitlines(), present.splitlines()
    if before == after:
        return [("same", line) for line in after]
    if max(len(before), len(after)) > MOST_COMPARED:
        return [*(("gone", line) for line in before), *(("new", line) for line in after)]
    kinds = {"  ": "same", "- ": "gone", "+ ": "new"}
    lines = difflib.ndiff(before, after)
    return [(kinds[line[:2]], line[2:]) for line in lines if line[:2] in kinds]


def _write_slot(document: NoticeDocument, slot: str, operator: Operator) -> Text:
    return {
        locale: document.get(slot, locale).replace(NAME, operator.official_name)
        for locale in document.list_locales()
    }


def _write_sections(document: NoticeDocument, operator: Operator, locale: str) -> Iterator[str]:
    for number, section in list_sections(locale, operator).items():
        body = section.body
        if number in SECTIONS:
            body = document.get(SECTIONS[number], locale)
        if number == _OUTSOURCING and document.processors:
            body = _list_processors(document, body, section.body, locale)
        if number == _JOINT_USE and document.shape in (Shape.EACH, Shape.JOINT):
            body = _write_parts(document, locale)
        if number == _THIRD_PARTIES and document.shape is Shape.PROVISION:
            body = f"{body}\n\n{_write_parts(document, locale)}"
        yield f"### {number}. {section.heading}\n\n{body}".replace(NAME, operator.official_name)


def _list_processors(document: NoticeDocument, body: str, shipped: str, locale: str) -> str:
    """Put those in use in the place of the ones that the text which ships can but guess."""
    guessed = {line for line in shipped.splitlines() if line.startswith("- ")}
    own = "\n".join(line for line in body.splitlines() if line.strip() not in guessed).strip()
    return f"{own}\n\n{write_processors(document.processors, locale)}"


def _write_parts(document: NoticeDocument, locale: str) -> str:
    lines = [
        _LABELS[locale][part].format(flatten(document.get(part, locale)))
        for part in PARTS[document.shape]
    ]
    return f"{_INTRODUCTIONS[locale][document.shape]}\n\n" + "\n".join(lines)


def flatten(text: str) -> str:
    """Bring several lines into one item of a list."""
    separator = "、" if re.search("[\u3040-\u9fff]", text) else ", "
    return separator.join(list_lines(text))


def list_lines(text: str) -> list[str]:
    """List what stands in a slot line by line, such as companies."""
    return [bare for line in text.splitlines() if (bare := line.strip(" -・\t"))]


_MARKETING = {
    "ja": f"{NAME}からのセミナー・製品のご案内メール（広告・宣伝を含みます）を受け取る",
    "en": f"Send me news about events and products from {NAME} (advertising)",
}

_INTRODUCTIONS = {
    "ja": {
        Shape.EACH: "このイベントは、次の各社と共催します。各社は、お申し込みの情報を"
        "それぞれ取得し、それぞれの「個人情報の取扱い」に従って利用します。",
        Shape.JOINT: "個人データを次のとおり共同利用します。",
        Shape.PROVISION: "ご本人の同意を得て、次のとおり第三者に提供します。",
    },
    "en": {
        Shape.EACH: "This event is held together with the companies below. Each of them obtains "
        "what you enter for itself and uses it under its own privacy notice.",
        Shape.JOINT: "Personal data is used jointly as follows.",
        Shape.PROVISION: "With your consent we provide data to third parties as follows.",
    },
}

_LABELS = {
    "ja": {
        "cohosts": "- 共催：{}",
        "joint_items": "- 共同利用する項目：{}",
        "joint_users": "- 共同して利用する者の範囲：{}",
        "joint_purposes": "- 利用目的：{}",
        "joint_acquired": "- 取得の方法：{}",
        "joint_responsible": "- 管理について責任を有する者：{}",
        "joint_address": "- その所在地：{}",
        "joint_representative": "- その代表者：{}",
        "joint_contact": "- 共同利用のお問い合わせ先：{}",
        "recipients": "- 提供先：{}",
        "provided_items": "- 提供する項目：{}",
        "provided_purposes": "- 提供先での利用目的：{}",
        "provided_means": "- 提供の方法：{}",
    },
    "en": {
        "cohosts": "- Co-hosts: {}",
        "joint_items": "- Data used jointly: {}",
        "joint_users": "- Joint users: {}",
        "joint_purposes": "- Purposes: {}",
        "joint_acquired": "- How it is obtained: {}",
        "joint_responsible": "- Responsible for it: {}",
        "joint_address": "- Address: {}",
        "joint_representative": "- Representative: {}",
        "joint_contact": "- Contact about joint use: {}",
        "recipients": "- Recipients: {}",
        "provided_items": "- Data: {}",
        "provided_purposes": "- Purposes of the recipients: {}",
        "provided_means": "- Means: {}",
    },
}
