"""Registrations as rows of a table, safe to open in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import events, export_rows
from storage.invitation_links import list_codes
from storage.models import Event

from . import attendance_columns
from .answer_texts import NamePlace, write_answer
from .attendance_verdicts import read_attendance
from .consents import is_mailable
from .dates import load_zone
from .events import read_definition
from .facets import list_questions
from .form_history import read_history
from .formulas import defuse
from .invitation_links import NamedLink, read_names, resolve
from .questions import Answer, DatesQuestion, Question
from .registration_index import FACETED
from .sources import FACET_NAMES, REF, write_click_ids
from .texts import localize

_HEADINGS = {
    "ja": (
        *("受付番号", "申込日時", "状態", "Zoomへの登録", "姓", "名", "メールアドレス"),
        *("メールアドレスの確認", "言語", "参加ボタンのクリック数", "案内メールの送信可"),
    ),
    "en": (
        *("Receipt number", "Registered at", "Status", "Delivery to Zoom", "Family name"),
        *("Given name", "Email", "Email proven at", "Language", "Clicks on the join button"),
        "May be mailed",
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

# No cell that begins otherwise than here is a formula.
_PERHAPS = re.compile(r"(?:^|\x1f)[^0-9A-Za-z\u3040-\u30ff\u4e00-\u9fff\x1f]")
_SOURCE = (*FACET_NAMES, "click_id")
_OWN_LINK = {"ja": "本人の紹介リンク", "en": "Own invitation link"}
_NO_SOURCE = [""] * len(_SOURCE)
_NAME = 4
"""Where the family name stands, before the given name and the address."""
_OWN = len(_HEADINGS["en"])
_MOST_KEPT_TEXTS = 10_000


@dataclass(frozen=True)
class Export:
    """What one export is about. Dates are those of the event's zone."""

    event: Event
    locale: str
    name_place: NamePlace
    status: str | None = None
    attendance_at: datetime | None = None


class ExportTable:
    """The columns of an event's export, and rows for whoever is asked for.

    Questions that only an earlier version of the form had keep their columns; `hidden` ones, by
    their ids, have none. `write_link` makes the address of an invitation link from its code: with
    it there is a column with each person's own one. With `attendance_at`, the time of now, there
    are columns of who came, where the event records it.
    """

    def __init__(
        self,
        session: Session,
        event: Event,
        locale: str,
        name_place: NamePlace,
        *,
        hidden: Collection[str] = (),
        write_link: Callable[[str], str] | None = None,
        attendance_at: datetime | None = None,
    ) -> None:
        self._locale = locale
        self._name_place = name_place
        self._zone = load_zone(event.timezone)
        self._words = _WORDS[locale]
        self._questions = [q for q in list_questions(session, event) if q.id not in hidden]
        self._past = read_history(session, event)
        self._plain = {q.id: q.plain for q in self._questions if isinstance(q, DatesQuestion)}
        self._separator = "、" if locale == "ja" else ", "
        self._choices: dict[tuple[int, str], Question | None] = {}
        self._texts: dict[tuple[int, str, str, str], str] = {}
        self._event_id = event.id
        self._write_link = write_link
        self._attendance_at = attendance_at if event.records_attendance else None
        self._links: dict[str, NamedLink] = {}

    @property
    def headings(self) -> list[str]:
        labels = (localize(question.label, self._locale) for question in self._questions)
        own = [_OWN_LINK[self._locale]] if self._write_link else []
        own += attendance_columns.HEADINGS[self._locale] if self._attendance_at else ()
        return [defuse(cell) for cell in (*_HEADINGS[self._locale], *labels, *_SOURCE, *own)]

    def list_rows(self, session: Session, ids: Sequence[int]) -> list[list[str]]:
        """Return a row for each registration, in the order of the ids' numbers."""
        people = export_rows.list_people(session, ids)
        codes = {str(person.source[REF]) for person in people if REF in person.source}
        self._links = read_names(session, self._event_id, codes)
        versions = {person.id: person.form_version_id for person in people}
        answers: dict[int, dict[str, str]] = {}
        for key, question_id, value, other in export_rows.list_answers(session, ids):
            text = self._write_answer(session, versions[key], question_id, value, other)
            texts = answers.setdefault(key, {})
            before = texts.get(question_id)
            texts[question_id] = text if before is None else f"{before}{self._separator}{text}"
        boxes: dict[int, list[tuple[str, str, bool]]] = {}
        for key, *box in export_rows.list_consents(session, ids):
            boxes.setdefault(key, []).append(tuple(box))
        rows = [
            self._write_row(person, answers.get(person.id, {}), boxes.get(person.id, ()))
            for person in people
        ]
        if write := self._write_link:
            own = list_codes(session, ids)
            for person, row in zip(people, rows, strict=True):
                row.append(write(own[person.id]) if person.id in own else "")
        if now := self._attendance_at:
            event = events.need_event(session, self._event_id)
            known = read_attendance(session, event, [person.id for person in people], now=now)
            for person, row in zip(people, rows, strict=True):
                whole = known[person.id].whole
                row.extend(attendance_columns.write_cells(whole, self._zone, self._locale))
        return rows

    def _write_row(
        self, person: Any, answers: Mapping[str, str], boxes: Sequence[tuple[str, str, bool]]
    ) -> list[str]:
        yes, no = _TICKED[self._locale]
        newest = {question_id: is_given for question_id, _, is_given in boxes}
        cells = [
            person.number,
            self._write_time(person.created_at),
            self._words.get(person.status, person.status),
            self._words.get(person.delivery, person.delivery),
            person.family_name,
            person.given_name,
            person.email,
            self._write_time(person.proven_at),
            person.locale,
            str(person.join_clicks),
            yes if is_mailable(person.proven_at, boxes) else no,
        ]
        for question in self._questions:
            if question.is_consent:
                is_given = newest.get(question.id)
                cells.append("" if is_given is None else yes if is_given else no)
            else:
                cells.append(answers.get(question.id, ""))
        cells += self._write_source(person.source) if person.source else _NO_SOURCE
        return [defuse(cell) for cell in cells] if _PERHAPS.search("\x1f".join(cells)) else cells

    def _write_answer(
        self, session: Session, version_id: int, question_id: str, value: str, other: str
    ) -> str:
        """Write one value in words; the labels of choices are those that the person saw."""
        if question_id in self._plain:
            return self._plain[question_id].get(value, value)
        place = (version_id, question_id)
        if place not in self._choices:
            question = read_definition(session, version_id).get_question(question_id)
            if question is None and question_id in self._past:
                question = self._past[question_id].whole
            is_choice = question is not None and question.kind in FACETED
            self._choices[place] = question if is_choice else None
        question = self._choices[place]
        if question is None:
            return value
        key = (version_id, question_id, value, other)
        text = self._texts.get(key)
        if text is None:
            answer = Answer((value,), other)
            text = write_answer(question, answer, self._locale, self._name_place)
            if len(self._texts) < _MOST_KEPT_TEXTS:
                self._texts[key] = text
        return text

    def _write_source(self, source: Mapping[str, str]) -> list[str]:
        source = resolve(source, self._links)
        return [*(str(source.get(name, "")) for name in FACET_NAMES), write_click_ids(source)]

    def _write_time(self, moment: datetime | None) -> str:
        return attendance_columns.write_time(moment, self._zone) if moment else ""


def keep_given(cells: Sequence[str]) -> list[str]:
    """Leave of a row, or of the headings, what a person has said: name, address, answers."""
    return [*cells[_NAME : _NAME + 3], *cells[_OWN : len(cells) - len(_SOURCE)]]


def list_export_rows(session: Session, export: Export) -> Iterator[list[str]]:
    """Yield the headings, then a row for each registration, in the order in which they came."""
    table = ExportTable(
        session, export.event, export.locale, export.name_place, attendance_at=export.attendance_at
    )
    yield table.headings
    for ids in export_rows.list_ids(session, export.event.id, status=export.status):
        yield from table.list_rows(session, ids)
