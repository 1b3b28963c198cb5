"""The columns of the list of people: which there are, and which each member has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from services.answer_texts import write_answer
from services.answers import gather_answers
from services.facets import list_questions
from services.form_history import read_answered_form
from services.members import Member, Permission
from services.registration_index import BY_COMPANY
from services.texts import localize
from storage import people_views
from storage.models import Event
from storage.registration_lists import FullRow

from ..locale import read_locale
from ..places import name_place
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event
from .people_filters import list_hidden

_ANSWER, _CONSENT, _SOURCE = "answer:", "consent:", "source:"
ATTENDANCE = "attendance"
_USUAL = ("email", BY_COMPANY, "status", "delivery", ATTENDANCE, "mailable", "registered")


@dataclass(frozen=True)
class Column:
    """`sort` names the order that its heading leads to, if there is one."""

    name: str
    label: str
    sort: str = ""


@dataclass(frozen=True)
class Cell:
    """`kind` says how it is drawn: badge, number, address, or as text."""

    label: str
    text: str
    kind: str = ""
    look: str = ""


@bp.get("/events/<event>/people/columns", endpoint="show_people_columns")
@needs(Permission.SEE_PEOPLE)
def show_columns(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        columns = list_columns(session, member, found)
        shown = [column.name for column in choose_columns(session, member, found, columns)]
    by_name = {column.name: column for column in columns}
    rest = [name for name in by_name if name not in shown]
    return render_template(
        "organizer/people_columns.html",
        event=view_event(found),
        here="people",
        chosen=shown,
        columns=[by_name[name] for name in [*shown, *rest]],
    )


@bp.post("/events/<event>/people/columns", endpoint="keep_people_columns")
@needs(Permission.SEE_PEOPLE)
def keep_columns(member: Member, event: str) -> ResponseReturnValue:
    """Keep what is ticked, in the order of the page, after the move that a button asks for."""
    move, _, moved = request.form.get("move", "").partition(" ")
    with get_site().database.write() as session:
        found = need_event(session, member, event)
        known = {column.name for column in list_columns(session, member, found)}
        order = [name for name in dict.fromkeys(request.form.getlist("order")) if name in known]
        if moved in order:
            place = order.index(moved)
            order.insert(max(0, place + (-1 if move == "up" else 1)), order.pop(place))
        ticked = set(request.form.getlist("show"))
        chosen = [name for name in order if name in ticked]
        people_views.keep_columns(session, member.organizer_id, found.id, chosen)
    address = f"/organizer/events/{event}/people"
    if moved:
        return redirect(f"{address}/columns#column-{moved}", code=303)
    return redirect(address, code=303)


def list_columns(session: Session, member: Member, event: Event) -> list[Column]:
    """List all columns of an event that a member may see, in the order of the offer."""
    locale = read_locale()
    hidden = list_hidden(session, member, event)
    questions = [q for q in list_questions(session, event) if q.id not in hidden]
    companies = [q.id for q in questions if q.autocomplete == "organization"][:1]
    columns = [
        Column("email", gettext("Email address")),
        *(Column(BY_COMPANY, gettext("Company"), BY_COMPANY) for _ in companies),
        Column("status", gettext("Status"), "status"),
        Column("delivery", gettext("Delivery to Zoom"), "delivery"),
        Column("mailable", gettext("May be mailed")),
        *([Column(ATTENDANCE, gettext("Who came"))] if event.records_attendance else []),
        Column("registered", gettext("Registered at"), "newest"),
        Column("clicks", gettext("Clicks")),
        Column("proof", gettext("Address proven")),
        Column("number", gettext("Receipt number")),
        Column("locale", gettext("Language")),
    ]
    for question in questions:
        label = localize(question.label, locale)
        if question.is_consent:
            columns.append(Column(_CONSENT + question.id, label))
        elif question.id not in companies:
            columns.append(Column(_ANSWER + question.id, label, _ANSWER + question.id))
    sources = (Column(_SOURCE + name, str(label)) for name, label in words.SOURCE.items())
    return [*columns, *sources]


def choose_columns(
    session: Session, member: Member, event: Event, columns: Sequence[Column]
) -> list[Column]:
    """Return the columns that a member sees: those that they chose, else the usual ones."""
    chosen = people_views.read_columns(session, member.organizer_id, event.id)
    by_name = {column.name: column for column in columns}
    names = _USUAL if chosen is None else chosen
    return [by_name[name] for name in names if name in by_name]


def write_cells(
    session: Session,
    event: Event,
    columns: Sequence[Column],
    *,
    full: FullRow,
    view: dict[str, Any],
) -> list[Cell]:
    """Write the cells of one person; `view` has what every page shows of them."""
    write = _Writer(session, event, full, view)
    return [write.cell(column) for column in columns]


class _Writer:
    def __init__(self, session: Session, event: Event, full: FullRow, view: dict[str, Any]) -> None:
        self._person = full.row.registration
        self._answers = gather_answers(full.answers)
        version = self._person.form_version_id
        self._definition = read_answered_form(session, event, version, self._answers)
        self._boxes = {box.question_id: box.is_given for box in full.consents}
        self._view = view

    def cell(self, column: Column) -> Cell:
        name, view = column.name, self._view
        if name in ("status", "delivery"):
            return Cell(column.label, str(view[name]), "badge", view[f"{name}_kind"])
        if name == "email":
            return Cell(column.label, view["email"], "address")
        if name == "clicks":
            return Cell(column.label, str(view["clicks"]), "number")
        return Cell(column.label, self._write(name))

    def _write(self, name: str) -> str:
        kind, _, key = name.partition(":")
        if kind == "answer":
            return self._write_answer(key)
        if kind == "consent":
            return "" if key not in self._boxes else _write_tick(self._boxes[key])
        if kind == "source":
            return str(self._person.source.get(key, ""))
        if name == BY_COMPANY:
            return ", ".join(self._write_answer(key) for key in self._list_companies())
        if name in ("mailable", "proof"):
            return _write_tick(self._view["is_mailable" if name == "mailable" else "is_proven"])
        if name == "locale":
            return words.LOCALE.get(self._person.locale, self._person.locale)
        return str(self._view[name])

    def _list_companies(self) -> list[str]:
        questions = (self._definition.get_question(key) for key in self._answers)
        return [
            q.id
            for q in questions
            if q is not None and q.autocomplete == "organization" and not q.is_sensitive
        ]

    def _write_answer(self, key: str) -> str:
        question, answer = self._definition.get_question(key), self._answers.get(key)
        if question is None or answer is None:
            return ""
        return write_answer(question, answer, read_locale(), name_place)


def _write_tick(is_so: bool) -> str:
    return str(words.YES_NO["yes" if is_so else "no"])
