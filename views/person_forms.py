"""The forms of the personal page: for other details, and for coming back to a series."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.details import DetailsForm, build_details_form
from services.answers import read_answers
from services.chosen_dates import ask_for_dates, read_chosen
from services.dates import format_moment, format_short
from services.event_dates import takes_choice
from services.events import read_definition
from services.questions import answers_from_json
from services.registration_changes import Details
from services.registration_edits import ChangedOften
from services.registrations import DatesClosed
from services.submissions import FormChanged, check_form
from storage import submissions
from storage.models import SubmissionRow

from .locale import read_locale
from .tokens import Opened

MOST_LOOKED_AT = 20

Refusal = DatesClosed | ChangedOften | FormChanged
"""Why what was typed is not stored, which the form says when it is drawn again."""


class ReturnForm(NamedTuple):
    """The form for coming back, and what was sent again that it was filled in with, if anything."""

    form: DetailsForm
    repeat: SubmissionRow | None = None

    def view(self, opened: Opened) -> dict[str, Any]:
        """Return what the template needs of it."""
        if self.repeat is None:
            return {"form": self.form, "repeat_id": "", "repeat_at": ""}
        at = format_moment(self.repeat.created_at, opened.event.timezone, read_locale())
        return {"form": self.form, "repeat_id": self.repeat.public_id, "repeat_at": at}


def fill_edit_form(session: Session, opened: Opened, now: datetime) -> DetailsForm:
    person = opened.person
    answers = read_answers(session, person)
    build = _build_for_editing(session, opened, now)
    return build.from_answers(person.family_name, person.given_name, answers)


def read_edit_form(session: Session, opened: Opened, now: datetime) -> DetailsForm:
    """Read the form that was sent."""
    return _build_for_editing(session, opened, now)(request.form)


def find_change(form: DetailsForm) -> str | None:
    """Say that it is another form by now than the one that was filled in, if it is.

    A page of an older version of the software does not tell which one that was.
    """
    drawn_from = request.form.get("form_version")
    return None if drawn_from in (None, str(form.definition.number)) else _say_changed()


def explain(refusal: Refusal, opened: Opened) -> str:
    if isinstance(refusal, FormChanged):
        return _say_changed()
    if isinstance(refusal, ChangedOften):
        return _say_changed_often(refusal, opened)
    return say_full()


def say_full() -> str:
    return _("A date that you chose is not free any more. Nothing was changed.")


def _say_changed() -> str:
    return _(
        "The form has changed since you opened it, and nothing is saved yet. Please check your "
        "answers and send it again."
    )


def _say_changed_often(refusal: ChangedOften, opened: Opened) -> str:
    """Say why nothing was stored, and from when on it can be."""
    # The next full minute: seconds are not written.
    at = refusal.again_at + timedelta(minutes=1)
    time = format_short(at, opened.event.timezone, read_locale())
    if refusal.is_of_dates:
        return _(
            "You can change your dates %(most)s times a day, and again from %(time)s on. Nothing "
            "is saved yet. To save the rest now, choose the dates that you had.",
            most=refusal.most,
            time=time,
        )
    return _(
        "You can change your details %(most)s times a day, and again from %(time)s on. Nothing is "
        "saved yet.",
        most=refusal.most,
        time=time,
    )


def fill_return_form(session: Session, opened: Opened, now: datetime) -> ReturnForm:
    """Fill it in with what stands, or with what was sent since, for who reads the mails."""
    build = _build(session, opened, (), now)
    newest = _list_repeats(session, opened)[:1]
    for repeat in newest:
        answers = answers_from_json(repeat.answers)
        form = build.from_answers(repeat.family_name, repeat.given_name, answers)
        return ReturnForm(form, repeat)
    person = opened.person
    answers = read_answers(session, person)
    return ReturnForm(build.from_answers(person.family_name, person.given_name, answers))


def read_return_form(session: Session, opened: Opened, now: datetime) -> ReturnForm:
    """Read the form that was sent."""
    shown = request.form.get("repeat", "")
    repeats = _list_repeats(session, opened)
    repeat = next((row for row in repeats if row.public_id == shown), None)
    return ReturnForm(_build(session, opened, (), now)(request.form), repeat)


def make_details(session: Session, opened: Opened, sent: ReturnForm) -> Details:
    """Make what the service takes of a form that is valid, in the transaction that stores it.

    Raises:
        FormChanged: the event has another form by now.
    """
    form = sent.form
    check_form(opened.event, form.definition.version_id)
    repeat = submissions.get_submission(session, sent.repeat.id) if sent.repeat else None
    return Details(
        family_name=form["family_name"].data,
        given_name=form["given_name"].data,
        answers=form.answers,
        form_version_id=form.definition.version_id,
        repeat=repeat,
    )


def _build_for_editing(session: Session, opened: Opened, now: datetime) -> type[DetailsForm]:
    has_dates = takes_choice(opened.event)
    return _build(session, opened, read_chosen(session, opened.person) if has_dates else (), now)


def _build(
    session: Session, opened: Opened, kept: Collection[str], now: datetime
) -> type[DetailsForm]:
    """Build the form of an event; who has cancelled has `kept` no place on any date."""
    version = opened.event.form_version_id
    assert version is not None, "a published event has a form"
    definition = read_definition(session, version)
    asked = ask_for_dates(session, opened.event, definition, kept=kept, now=now)
    return build_details_form(asked, read_locale())


def _list_repeats(session: Session, opened: Opened) -> list[SubmissionRow]:
    if not opened.came_by_mail:
        return []
    return submissions.list_repeats(session, opened.person.id, limit=MOST_LOOKED_AT)
