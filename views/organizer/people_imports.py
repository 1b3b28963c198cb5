"""Registering many people from a table: looked through first, then added row by row."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from forms.people import AddedPersonForm, build_added_person_form, fill_from_row
from services import audit
from services.audit import Action
from services.events import read_definition, read_link_policy
from services.members import Member, Permission
from services.people_adding import AlreadyRegistered, add_by_hand
from services.people_imports import MOST_ROWS, PeopleTable, read_table
from services.questions import FormDefinition
from services.registrations import RegistrationNotOpen
from storage import registrations
from storage.models import Event

from ..locale import read_locale
from ..site import get_site
from .access import bp, need_event, needs
from .people import view_event


@dataclass(frozen=True)
class RowReport:
    """What becomes of one row: `is_added` if it makes, or made, a registration."""

    line: int
    email: str
    text: str
    is_added: bool = False


@bp.get("/events/<event>/people/import", endpoint="show_import")
@needs(Permission.CHANGE_PEOPLE)
def show_import(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        return _draw(found, reports=[], table=None)


@bp.post("/events/<event>/people/import", endpoint="import_people")
@needs(Permission.CHANGE_PEOPLE)
def import_people(member: Member, event: str) -> ResponseReturnValue:
    """Say what would become of each row; once that was seen, add those who can be."""
    site = get_site()
    now = site.read_clock()
    basis, is_sure = request.form.get("basis", "").strip(), request.form.get("sure") == "yes"
    with site.database.read() as session:
        found = need_event(session, member, event)
        definition = _read_form(session, found)
        table = read_table(request.form.get("table", ""), definition.questions)
        if table.missing or not table.rows or not basis:
            return _draw(found, reports=[], table=table, basis=basis), 422
        forms = _read_rows(definition, table, basis)
        reports = [_check(session, found, line, form) for line, form in forms]
        view = _draw(found, reports=reports, table=table, basis=basis)
    if not is_sure:
        return view
    done = [
        _add(member, event, form, report, now=now) if report.is_added else report
        for (_, form), report in zip(forms, reports, strict=True)
    ]
    with site.database.write() as session:
        count = sum(report.is_added for report in done)
        facts: dict[str, audit.Fact] = {"rows": len(done), "count": count}
        object_ = f"event:{event}"
        audit.record(session, member, Action.PEOPLE_IMPORTED, object_, facts=facts, now=now)
    return _draw(found, reports=done, table=table, basis=basis, is_done=True)


def _read_rows(
    definition: FormDefinition, table: PeopleTable, basis: str
) -> list[tuple[int, AddedPersonForm]]:
    form_class = build_added_person_form(definition, read_locale())
    return [
        (line, fill_from_row(form_class, table.columns, row, basis=basis))
        for line, row in enumerate(table.rows, 2)
    ]


def _check(session: Session, event: Event, line: int, form: AddedPersonForm) -> RowReport:
    if not form.validate():
        return RowReport(line, str(form.email.data), " ".join(text for _, text in form.error_list))
    key = form.to_submission(nonce="").email_key
    if registrations.get_registration_by_email_key(session, event.id, key) is not None:
        return RowReport(line, form.email.data, gettext("Registered already; stays as it is"))
    return RowReport(line, form.email.data, gettext("Can be added"), is_added=True)


def _add(
    member: Member, event: str, form: AddedPersonForm, report: RowReport, *, now: datetime
) -> RowReport:
    submission = form.to_submission(nonce=secrets.token_urlsafe(16))
    try:
        with get_site().database.write() as session:
            here = need_event(session, member, event)
            policy = read_link_policy(session, here)
            basis = form.basis.data
            add_by_hand(session, here, submission, basis=basis, policy=policy, now=now)
    except AlreadyRegistered:
        return RowReport(report.line, report.email, gettext("Registered already; stays as it is"))
    except RegistrationNotOpen:
        return RowReport(report.line, report.email, gettext("The event takes nobody now."))
    return RowReport(report.line, report.email, gettext("Added"), is_added=True)


def _draw(
    event: Event,
    *,
    reports: list[RowReport],
    table: PeopleTable | None,
    basis: str = "",
    is_done: bool = False,
) -> str:
    return render_template(
        "organizer/people_import.html",
        event=view_event(event),
        here="people",
        reports=reports,
        table=table,
        typed=request.form.get("table", ""),
        basis=basis,
        is_done=is_done,
        most=MOST_ROWS,
        count=sum(report.is_added for report in reports),
    )


def _read_form(session: Session, event: Event) -> FormDefinition:
    assert event.form_version_id is not None, "an event has a form from the beginning"
    return read_definition(session, event.form_version_id)
