"""Registrations as rows of a table, safe to open in a spreadsheet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage.models import Event
from storage.registration_lists import FullRow, list_full_rows

from .answer_texts import NamePlace, write_answer
from .answers import gather_answers
from .dates import load_zone
from .events import read_definition
from .facets import list_questions
from .questions import Question
from .submissions import SOURCE_NAMES
from .texts import localize

_HEADINGS = {
    "ja": (
        *("受付番号", "申込日時", "状態", "Zoomへの登録", "姓", "名", "メールアドレス"),
        *("メールアドレスの確認", "言語", "参加ボタンのクリック数"),
    ),
    "en": (
        *("Receipt number", "Registered at", "Status", "Delivery to Zoom", "Family name"),
        *("Given name", "Email", "Email proven at", "Language", "Clicks on the join button"),
    ),
}
_TICKED = {"ja": ("はい", "いいえ"), "en": ("yes", "no")}

_WORDS = {
    "ja": {
        "pending": "承認待ち",
        "waitlisted": "キャンセル待ち",
        "approved": "確定",
        "denied": "お断り",
        "cancelled": "キャンセル",
        "waiting": "登録待ち",
        "registered": "登録済み",
        "withdrawn": "取消済み",
        "needs_setting": "Zoomの設定変更が必要",
        "refused": "登録できません",
    },
    "en": {
        "needs_setting": "needs a setting changed in Zoom",
        "refused": "refused for good",
    },
}

_FORMULA = re.compile(r"[=+\-@%|\t\r\n\u2212]")
_PLAIN_NUMBER = re.compile(r"-?(\d[\d,.]*)?")


@dataclass(frozen=True)
class Export:
    """What one export is about. Dates are those of the event's zone."""

    event: Event
    locale: str
    name_place: NamePlace
    status: str | None = None


def list_export_rows(session: Session, export: Export) -> Iterator[list[str]]:
    """Yield the headings, then a row for each registration, in the order in which they came.

    Questions that only an earlier version of the form had keep their columns.
    """
    event, locale = export.event, export.locale
    questions = list_questions(session, event)
    labels = [localize(question.label, locale) for question in questions]
    yield [defuse(cell) for cell in (*_HEADINGS[locale], *labels, *SOURCE_NAMES)]
    for full in list_full_rows(session, event.id, status=export.status):
        cells = [
            *_write_person(full, export),
            *_write_answers(session, full, questions, export),
            *(str(full.row.registration.source.get(name, "")) for name in SOURCE_NAMES),
        ]
        yield [defuse(cell) for cell in cells]


def defuse(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula.

    Looked at is the first visible character, full-width forms included. A negative number and a
    lone hyphen stay as they are.
    """
    visible = cell.lstrip("".join(char for char in set(cell) if _is_skipped(char)))
    begins = unicodedata.normalize("NFKC", visible[:1]) or cell[:1]
    is_risky = _FORMULA.match(begins) or cell[:1] in ("\t", "\r", "\n")
    if not is_risky or _PLAIN_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def _is_skipped(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cf", "Cc", "Zs")


def _write_person(full: FullRow, export: Export) -> list[str]:
    person = full.row.registration
    words = _WORDS[export.locale]
    return [
        full.row.number,
        _write_time(person.created_at, export.event),
        words.get(person.status, person.status),
        words.get(full.row.delivery, full.row.delivery),
        person.family_name,
        person.given_name,
        person.email,
        _write_time(person.proven_at, export.event),
        person.locale,
        str(person.join_clicks),
    ]


def _write_answers(
    session: Session, full: FullRow, questions: list[Question], export: Export
) -> Iterator[str]:
    definition = read_definition(session, full.row.registration.form_version_id)
    answers = gather_answers(full.answers)
    consents = {consent.question_id: consent.is_given for consent in full.consents}
    yes, no = _TICKED[export.locale]
    for question in questions:
        # The labels of the choices are those that the person saw.
        seen = definition.get_question(question.id) or question
        if question.is_consent:
            is_given = consents.get(question.id)
            yield "" if is_given is None else yes if is_given else no
        elif question.id in answers:
            yield write_answer(seen, answers[question.id], export.locale, export.name_place)
        else:
            yield ""


def _write_time(moment: datetime | None, event: Event) -> str:
    if moment is None:
        return ""
    return f"{moment.astimezone(load_zone(event.timezone)):%Y-%m-%d %H:%M:%S}"
