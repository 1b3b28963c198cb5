"""The form in which an organizer writes one question, in both languages beside each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from services.form_editing import name_choices
from services.question_documents import LONGEST_ZOOM_TITLE
from services.questions import Choice, Condition, ConsentKind, Question, QuestionKind
from services.texts import LOCALES

from .choice_lines import BLANK_LINES, count_lines, name_line, write_lines
from .organizer_fields import OrganizerForm, build_switch
from .question_fields import (
    ALWAYS,
    FIELD,
    HERE,
    SOME,
    TITLE,
    WITH_BOUNDS,
    WITH_CHOICES,
    WITH_LENGTH,
    Surroundings,
    build_answer,
    build_condition,
    build_texts,
    build_use,
    list_texts,
    name_values,
)

_READ_BOUND: dict[QuestionKind, Callable[[str], Any]] = {
    QuestionKind.NUMBER: Decimal,
    QuestionKind.DATE: date.fromisoformat,
}


class QuestionForm(OrganizerForm):
    """One question; `build_question_form` makes it. `to_question` speaks of a valid form.

    `typed` has the lines of choices as they are shown.
    """

    stored: Question
    around: Surroundings
    typed: Mapping[str, str]

    @property
    def chosen_kind(self) -> QuestionKind:
        chosen = self["kind"].data if "kind" in self else ()
        return QuestionKind(chosen[0]) if chosen else self.stored.kind

    def validate(self, extra_validators: object = None) -> bool:
        for field in self:
            field.validate(self)
        self._check_kind()
        if not self.stored.is_consent:
            if self.chosen_kind in WITH_CHOICES:
                self._check_choices()
            if self.chosen_kind in WITH_BOUNDS:
                self._check_bounds()
            self._check_condition()
            self._check_zoom()
        return not self.error_list

    def to_question(self) -> Question:
        """Return the question as it was typed; what the form does not ask for stays."""
        values: dict[str, Any] = {name: self.read_text(name) for name in list_texts(self.stored)}
        if "required" in self:
            values["required"] = bool(self["required"].data)
        if not self.stored.is_consent:
            values |= self._read_rules()
        return replace(self.stored, **values)

    def _read_rules(self) -> dict[str, Any]:
        kind, way = self.chosen_kind, self["zoom_way"].data[0]
        has_choices = kind in WITH_CHOICES
        length = self["max_length"].data
        lines = self.list_choices() if has_choices else []
        return {
            "kind": kind,
            "choices": name_choices(lines, self.around.taken_values),
            "has_other": has_choices and bool(self["has_other"].data),
            "condition": self._read_condition(),
            "max_length": int(length) if length and kind in WITH_LENGTH else None,
            "minimum": self["minimum"].data or None if kind in WITH_BOUNDS else None,
            "maximum": self["maximum"].data or None if kind in WITH_BOUNDS else None,
            "zoom_field": self["zoom_field"].data[0] if way == FIELD else None,
            "zoom_title": self["zoom_title"].data if way == TITLE else None,
            "is_sensitive": bool(self["is_sensitive"].data),
        }

    def list_choices(self) -> list[Choice]:
        """Return the lines that say something; a value that was made up counts as new."""
        known = {choice.value for choice in self.stored.choices}
        choices = []
        for number in range(count_lines(self.typed)):
            value = self.typed.get(f"choice_{number}_value", "")
            label = self.read_text(f"choice_{number}")
            if label:
                choices.append(Choice(value if value in known else "", label))
                known.discard(value)
        return choices

    def _read_condition(self) -> Condition | None:
        if "when" not in self or self["when"].data != (SOME,) or not self["decides"].data:
            return None
        question_id = self["decides"].data[0]
        return Condition(question_id, self[name_values(question_id)].data)

    def _check_kind(self) -> None:
        """Say why a kind is not among those that it can become."""
        if "kind" in self and self["kind"].errors and self["kind"].raw_data[:1] != [""]:
            words = _(
                "People have answered it in another way. Duplicate it, change the copy, and "
                "remove this one"
            )
            self["kind"].errors = [words]

    def _check_choices(self) -> None:
        own = self.around.default_locale
        if not self.list_choices():
            self.refuse(name_line(0, own), _("Enter at least one choice"))
        seen: set[str] = set()
        for number in range(count_lines(self.typed)):
            label = self.read_text(f"choice_{number}")
            if label and own not in label:
                self.refuse(name_line(number, own), _("Enter it in the event's own language too"))
            if label.get(own) in seen:
                self.refuse(name_line(number, own), _("This choice is there twice"))
            seen |= {label[own]} if own in label else set()

    def _check_bounds(self) -> None:
        read, bounds = _READ_BOUND[self.chosen_kind], {}
        for name in ("minimum", "maximum"):
            try:
                text = self[name].data
                bounds[name] = read(text) if text else None
            except (ValueError, ArithmeticError):
                self.refuse(name, _("Enter it as a number like 10, or as a date like 2026-12-10"))
        low, high = bounds.get("minimum"), bounds.get("maximum")
        if low is not None and high is not None and low > high:
            self.refuse("maximum", _("The most must not be less than the least"))

    def _check_condition(self) -> None:
        if "when" not in self or self["when"].data != (SOME,):
            return
        if not self["decides"].data:
            self.refuse("decides", _("Select the question that decides"))
        elif not self[values := name_values(self["decides"].data[0])].data:
            self.refuse(values, _("Tick the answers for which this question is shown"))

    def _check_zoom(self) -> None:
        way = (self["zoom_way"].data or (HERE,))[0]
        others = self.around.others
        if way == FIELD:
            chosen = self["zoom_field"].data
            if not chosen:
                self.refuse("zoom_field", _("Select the field at Zoom"))
            elif any(other.zoom_field == chosen[0] for other in others):
                self.refuse("zoom_field", _("Another question goes there already"))
        if way == TITLE:
            title = self["zoom_title"].data
            if not title:
                self.refuse("zoom_title", _("Enter the question's title at Zoom"))
            elif any(other.zoom_title == title for other in others):
                self.refuse("zoom_title", _("Another question has this title at Zoom"))
        if way != HERE and self["is_sensitive"].data:
            words = _("A sensitive answer stays here: let it not go to Zoom, or take the mark off")
            self.refuse("is_sensitive", words)


def build_question_form(
    typed: MultiDict[str, str] | None, question: Question, around: Surroundings
) -> QuestionForm:
    """Make the form of one question; `typed` is None where it shows what is stored."""
    lines: Mapping[str, str] = {} if typed is None else typed
    if typed is None:
        lines = write_lines([*question.choices, *[Choice("", {})] * BLANK_LINES])
    elif not count_lines(typed):
        lines = write_lines([Choice("", {})] * BLANK_LINES)
    fields = build_texts(question, around.default_locale)
    if not question.is_consent:
        fields |= build_answer(around, count_lines(lines))
        fields |= build_condition(around)
        fields |= build_use()
    if not question.is_consent or question.consent is ConsentKind.OTHER:
        fields["required"] = build_switch("required", _("Required"), _("It must be answered"))
    made = type("QuestionPageForm", (QuestionForm,), fields)
    stored = _write_stored(question, around) | dict(lines) if typed is None else {}
    form: QuestionForm = made(typed, data=stored)
    form.stored, form.around, form.typed = question, around, lines
    if typed is None and question.condition:
        form[name_values(question.condition.question_id)].data = question.condition.values
    return form


def _write_stored(question: Question, around: Surroundings) -> dict[str, str]:
    """Return what stands in the fields before anybody typed."""
    values = {
        f"{name}_{locale}": getattr(question, name).get(locale, "")
        for name in list_texts(question)
        for locale in LOCALES
    }
    way = FIELD if question.zoom_field else TITLE if question.zoom_title else HERE
    own_title = question.label.get(around.default_locale, "")[:LONGEST_ZOOM_TITLE]
    values |= {
        "kind": str(question.kind),
        "required": _tick(question.required),
        "has_other": _tick(question.has_other),
        "max_length": str(question.max_length or ""),
        "minimum": question.minimum or "",
        "maximum": question.maximum or "",
        "zoom_way": way,
        "zoom_field": question.zoom_field or "",
        "zoom_title": question.zoom_title or own_title,
        "is_sensitive": _tick(question.is_sensitive),
        "when": SOME if question.condition else ALWAYS,
    }
    if question.condition:
        values["decides"] = question.condition.question_id
    return values


def _tick(is_on: bool) -> str:
    return "yes" if is_on else ""
