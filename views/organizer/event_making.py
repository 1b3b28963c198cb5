"""Making an event: of a meeting in the host's list, of a number or link, or of one created now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from forms.new_event import MeetingForm, build_meeting_form
from forms.organizer_fields import read_moment
from services import audit
from services.audit import Action
from services.dates import HOME, format_period
from services.event_content import duplicate_event
from services.event_dates import take_dates
from services.event_documents import EventDocument
from services.event_drafts import (
    HostMeetings,
    Reference,
    choose_slug,
    create_at_zoom,
    find_meeting,
    get_length,
    list_hosts,
    list_upcoming,
    make_draft,
    read_reference,
)
from services.event_editing import (
    EventChangeRefused,
    MeetingTaken,
    put_away_draft,
    save_event,
)
from services.events import get_end
from services.form_templates import Template, make_template
from services.members import Member, Permission
from services.notice_boxes import dress_questions
from services.organizations import make_operator
from services.texts import LOCALES, localize
from services.zoom_setup import SetupRefused
from storage import event_lists, organizations
from storage.models import Event, ZoomConnection
from zoom_client import Kind, Meeting, MeetingSummary, User, ZoomClient, ZoomError

from ..locale import read_locale
from ..site import get_site
from .access import bp, need_event, needs, read_organization
from .asking_zoom import ask_zoom
from .form_words import name_template
from .zoom_words import describe_standstill, describe_zoom_error

NEW = "/organizer/events/new"


@dataclass(frozen=True)
class _Sources:
    """What the page offers; `trouble` says why there is less of it than could be."""

    hosts: list[User]
    host: str
    found: HostMeetings
    trouble: str = ""
    is_connected: bool = True


@bp.get("/events/new", endpoint="choose_meeting")
@needs(Permission.ADD_EVENTS)
def choose_meeting(member: Member) -> ResponseReturnValue:
    return _draw(member, _make_empty_form(member))


@bp.post("/events/new", endpoint="make_event")
@needs(Permission.ADD_EVENTS)
def make_event(member: Member) -> ResponseReturnValue:
    reference = _read_reference()
    if reference is None:
        words = _("Enter the number of a Zoom meeting or webinar, or a link that has it.")
        return _refuse(member, words)

    def find(client: ZoomClient, now: datetime) -> Meeting:
        return find_meeting(client, reference, now=now)

    return _make(member, find)


def _read_reference() -> Reference | None:
    """Return what was picked from the list, else what was pasted."""
    kind, _space, zoom_id = request.form.get("picked", "").partition(" ")
    if kind in list(Kind):
        picked = read_reference(zoom_id)
        return Reference(picked.zoom_id, Kind(kind)) if picked else None
    return read_reference(request.form.get("reference", ""))


@bp.post("/events/new/zoom", endpoint="create_meeting")
@needs(Permission.ADD_EVENTS)
def create_meeting(member: Member) -> ResponseReturnValue:
    """Create it at Zoom, look at it again, and make the event of it."""
    zone = read_organization(member).timezone
    form = build_meeting_form(read_locale(), zone)(request.form)
    now = get_site().read_clock()
    if not form.validate():
        return _draw(member, form, status=422)
    starts_at = read_moment(form.starts_at.data, form.timezone.data[0])
    if starts_at is None or starts_at <= now:
        form.starts_at.errors = [_("The start must be in the future")]
        return _draw(member, form, status=422)

    def create(client: ZoomClient, now: datetime) -> Meeting:
        return create_at_zoom(
            client,
            Kind(form.kind.data[0]),
            form.host.data,
            topic=form.title.data,
            starts_at=starts_at,
            duration_minutes=int(form.duration_minutes.data),
            timezone=form.timezone.data[0],
        )

    return _make(member, create, form)


@bp.post("/events/<event>/remove", endpoint="remove_draft")
@needs(Permission.EDIT_EVENTS)
def remove_draft(member: Member, event: str) -> ResponseReturnValue:
    """Take a draft out of the lists, so that its meeting can have another event."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        try:
            put_away_draft(session, need_event(session, member, event), now=now)
        except EventChangeRefused:
            abort(409)
        facts: dict[str, audit.Fact] = {"change": "removed"}
        audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)
    return redirect("/organizer?tab=draft&done=removed", code=303)


def _make(
    member: Member,
    find: Callable[[ZoomClient, datetime], Meeting],
    form: MeetingForm | None = None,
) -> ResponseReturnValue:
    """Make a draft of what is found at Zoom and lead to it; where there is one, lead to that."""
    site = get_site()
    connection = _read_connection(member)
    if connection is None:
        return _refuse(member, _say_no_connection(), form)
    try:
        meeting = find(ask_zoom(connection), site.read_clock())
    except SetupRefused as refusal:
        return _refuse(member, describe_standstill(refusal.standstill), form)
    except ZoomError as error:
        return _refuse(member, describe_zoom_error(error), form, status=502)
    asked = request.form.get("language", "")
    locale = asked if asked in LOCALES else read_organization(member).default_locale
    try:
        public_id = _save(member, connection, meeting, locale)
    except MeetingTaken:
        with site.database.read() as session:
            other = event_lists.find_event_at_zoom(
                session, member.organization_id, connection.id, str(meeting.kind), meeting.id
            )
        if other is None:
            return _refuse(member, _("Another event leads to it already."), form)
        return redirect(f"/organizer/events/{other.public_id}/content", code=303)
    return redirect(f"/organizer/events/{public_id}/content?new=1", code=303)


def _save(member: Member, connection: ZoomConnection, meeting: Meeting, locale: str) -> str:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        slug = choose_slug(session, meeting.kind)
        document = make_draft(meeting, slug=slug, locale=locale)
        if like := _find_like(session, member):
            event = duplicate_event(session, like, document, connection, now=now)
        else:
            document = _begin_form(session, member, document)
            event = save_event(session, document, pictures={}, connection=connection, now=now)
        event.host_email = meeting.host_email
        take_dates(event, meeting, now=now)
        facts: dict[str, audit.Fact] = {"change": "created", "kind": event.kind}
        about = f"event:{event.public_id}"
        audit.record(session, member, Action.EVENT_CHANGED, about, facts=facts, now=now)
        return event.public_id


def _begin_form(session: Session, member: Member, document: EventDocument) -> EventDocument:
    """Have an event start with the template that was chosen; the usual one needs no mention."""
    asked = request.form.get("template", "")
    if asked not in list(Template) or asked == Template.WEBINAR:
        return document
    organization = organizations.need_organization(session, member.organization_id)
    operator = make_operator(organization)
    made = make_template(Template(asked), document.default_locale, operator)
    return replace(document, questions=dress_questions(session, organization.id, made))


def _find_like(session: Session, member: Member) -> Event | None:
    """Return the event whose texts, form and looks the new one gets, if one is named."""
    public_id = request.values.get("like", "")
    return need_event(session, member, public_id) if public_id else None


def _refuse(
    member: Member, words: str, form: MeetingForm | None = None, *, status: int = 422
) -> ResponseReturnValue:
    form = form or _make_empty_form(member)
    return _draw(member, form, refusal=words, status=status)


def _make_empty_form(member: Member) -> MeetingForm:
    """Begin with what the organization's events have."""
    zone = read_organization(member).timezone
    typed = MultiDict({"timezone": zone, "kind": "webinar", "duration_minutes": "60"})
    return build_meeting_form(read_locale(), zone)(typed)


def _draw(
    member: Member, form: MeetingForm, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    with get_site().database.read() as session:
        like = _find_like(session, member)
        like_title = (localize(like.title, read_locale()) or like.slug) if like else ""
    sources = _read_sources(member)
    taken = _list_taken(member, sources.found.meetings)
    if not form.host.data and sources.host:
        form.host.replace_typed(sources.host)
    page = render_template(
        "organizer/new_event.html",
        form=form,
        sources=sources,
        meetings=[_view(meeting, taken) for meeting in sources.found.meetings],
        reference=request.form.get("reference", "")[:500],
        language=request.form.get("language", read_organization(member).default_locale),
        refusal=refusal,
        like=request.values.get("like", ""),
        like_title=like_title,
        templates=[(str(each), *name_template(each)) for each in Template],
        template=request.form.get("template", ""),
    )
    return page, status


def _read_sources(member: Member) -> _Sources:
    """Ask Zoom for hosts and for what the chosen one has ahead."""
    nothing = HostMeetings(())
    connection = _read_connection(member)
    if connection is None:
        return _Sources([], "", nothing, _say_no_connection(), is_connected=False)
    site = get_site()
    client = ask_zoom(connection)
    asked = request.values.get("host", "").strip()[:128]
    host = asked if "@" in asked else ""
    try:
        hosts = list_hosts(client)
    except ZoomError as error:
        return _Sources([], host, nothing, describe_zoom_error(error))
    host = host or (hosts[0].email if hosts else "")
    try:
        found = list_upcoming(client, host, now=site.read_clock()) if host else nothing
    except ZoomError as error:
        return _Sources(hosts, host, nothing, describe_zoom_error(error))
    return _Sources(hosts, host, found)


def _read_connection(member: Member) -> ZoomConnection | None:
    site = get_site()
    with site.database.read() as session:
        connection = organizations.get_first_connection(session, member.organization_id)
        session.expunge_all()
    if connection is None or not (connection.client_id or site.settings.has_zoom_account):
        return None
    return connection


def _list_taken(member: Member, meetings: tuple[MeetingSummary, ...]) -> dict[int, str]:
    """Return the public ids of events by the Zoom ids that they lead to, as long as they do."""
    site = get_site()
    zoom_ids = [meeting.id for meeting in meetings]
    with site.database.read() as session:
        found = event_lists.list_events_of_meetings(session, member.organization_id, zoom_ids)
    return {e.zoom_id: e.public_id for e in found if site.read_clock() < get_end(e)}


def _view(meeting: MeetingSummary, taken: dict[int, str]) -> dict[str, Any]:
    assert meeting.start_time is not None, "only what has a time is listed"
    return {
        "zoom_id": meeting.id,
        "kind": meeting.kind,
        "topic": meeting.topic,
        "event": taken.get(meeting.id),
        "when": format_period(
            meeting.start_time,
            meeting.start_time + get_length(meeting),
            meeting.timezone or HOME,
            read_locale(),
        ),
    }


def _say_no_connection() -> str:
    return _("Zoom is not connected yet. Connect it under Settings.")
