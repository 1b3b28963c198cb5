"""Publishing what was edited of a form, and the versions that people have answered."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.question_words import name_question
from services.dates import format_moment
from services.event_editing import ChangedMeanwhile
from services.form_differences import list_differences
from services.form_editing import order_questions
from services.form_publishing import (
    FormNotPublishable,
    read_edited_subject,
    record_edited_form,
)
from services.members import Member, Permission
from services.questions import questions_from_rows
from services.zoom_setup import push_questions
from storage import events, organizations, organizers
from storage.models import Event, FormVersion
from zoom_client import ZoomError

from ..locale import read_locale
from ..site import get_site
from . import form_words as words
from . import publishing_words
from .access import bp, need_event, needs
from .asking_zoom import ask_zoom
from .event_headings import view_event
from .form_editor import Told, draw_form, record_edit, say_changed
from .zoom_words import describe_zoom_error


@bp.post("/events/<event>/form/publish", endpoint="publish_form")
@needs(Permission.EDIT_EVENTS)
def publish(member: Member, event: str) -> ResponseReturnValue:
    """Hand the questions to Zoom, read them back, and make what was edited the form."""
    try:
        lost = _publish(member, event)
    except ChangedMeanwhile:
        return draw_form(member, event, Told(say_changed(), 409))
    except FormNotPublishable as error:
        gaps = [publishing_words.describe_gap(gap) for gap in error.gaps]
        refusal = (
            _("It cannot be published yet. Missing: %(gaps)s.", gaps=_(", ").join(gaps))
            if gaps
            else _("Nobody fills in this form now, so there is nothing to publish.")
        )
        return draw_form(member, event, Told(refusal, 409))
    except ZoomError as error:
        refusal = _("Nothing was published.") + " " + describe_zoom_error(error)
        return draw_form(member, event, Told(refusal, 502))
    target = "?done=published" + ("&lost=1" if lost else "")
    return redirect(f"/organizer/events/{event}/form{target}", code=303)


def _publish(member: Member, event: str) -> tuple[str, ...]:
    site = get_site()
    with site.database.read() as session:
        found = need_event(session, member, event)
        mark = request.form.get("version", "")
        subject = read_edited_subject(session, found, mark, now=site.read_clock())
        connection = organizations.need_connection(session, found.connection_id)
        session.expunge_all()
    kept: set[str] = set()
    if subject.goes_to_zoom:
        client = ask_zoom(connection)
        kept = push_questions(client, subject.kind, subject.zoom_id, subject.questions)
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        lost = record_edited_form(session, found, subject, kept, author=member.public_id, now=now)
        record_edit(session, member, event, "published")
    return lost


@bp.get("/events/<event>/form/versions", endpoint="list_form_versions")
@needs(Permission.EDIT_EVENTS)
def list_versions(member: Member, event: str) -> ResponseReturnValue:
    """List the versions of the form, the newest first, each with what it has changed."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        versions = events.list_form_versions(session, found.id)
        return render_template(
            "organizer/form_versions.html",
            event=view_event(found),
            here="form",
            versions=[
                _view(session, found, version, former)
                for version, former in zip(versions, [*versions[1:], None], strict=True)
            ],
        )


def _view(
    session: Session, event: Event, version: FormVersion, former: FormVersion | None
) -> dict[str, Any]:
    locale = read_locale()
    author = organizers.get_organizer_by_public_id(session, version.author)
    questions = order_questions(questions_from_rows(version.questions))
    before = order_questions(questions_from_rows(former.questions)) if former else questions
    return {
        "number": version.number,
        "at": version.created_at,
        "when": format_moment(version.created_at, event.timezone, locale),
        "author": (author.name or author.email) if author else "",
        "is_current": version.id == event.form_version_id,
        "is_first": former is None,
        "names": [name_question(question, locale) for question in questions],
        "differences": [
            (name_question(each.question, locale), words.describe_difference(each))
            for each in list_differences(before, questions)
        ],
    }
