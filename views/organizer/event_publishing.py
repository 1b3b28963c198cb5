"""Publishing an event: what stands in the way, whose address will be seen, and its states."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from services import audit
from services.address_visibility import list_answers
from services.audit import Action
from services.dates import format_moment
from services.event_content import change_content
from services.event_drafts import move_schedule
from services.event_editing import (
    PUBLISHED,
    ChangedMeanwhile,
    EventChangeRefused,
    MeetingTaken,
    cancel_event,
    close_event,
    reopen_event,
)
from services.event_files import describe_event
from services.event_preflight import Mend, Preflight, look_at_zoom, mend_at_zoom
from services.event_tasks import count_people, list_untold
from services.events import EventState, count_seats, get_end, get_state
from services.form_drafts import read_coming_form
from services.members import Member, Permission
from services.notice_publishing import names_other_processors
from services.publishing import (
    NotPublishable,
    Published,
    list_gaps,
    prepare,
    read_subject,
    read_wishes,
    record_published,
)
from services.zoom_setup import SetupRefused, find_start
from storage import events, organizations
from storage.models import Event
from zoom_client import Kind, ZoomClient, ZoomError

from ..locale import read_locale
from ..site import get_site
from . import publishing_words as words
from .access import bp, need_event, needs
from .asking_zoom import ask_zoom
from .event_headings import view_event
from .people import record_list
from .people_words import write_name
from .processors import read_processors
from .zoom_words import describe_standstill, describe_zoom_error

# Somebody waits at the page: Zoom's list of 3,000 people has ten pages.
PATIENCE_SECONDS = 30.0


class _WrongCount(Exception):
    """What was typed to confirm is not the number of people who are told."""


@bp.get("/events/<event>/publishing", endpoint="show_publishing")
@needs(Permission.EDIT_EVENTS)
def show_publishing(member: Member, event: str) -> ResponseReturnValue:
    return draw_publishing(member, event)


@bp.post("/events/<event>/publishing", endpoint="publish_event")
@needs(Permission.EDIT_EVENTS)
def publish(member: Member, event: str) -> ResponseReturnValue:
    """Set everything at Zoom, read it back, and make the event public; may be done again."""
    site = get_site()
    if site.settings.list_missing():
        return draw_publishing(member, event, status=409)
    try:
        published = publish_at_zoom(member, event)
    except NotPublishable:
        refusal = _("It cannot be published yet. What is missing stands below.")
        return draw_publishing(member, event, refusal=refusal, status=409)
    except ChangedMeanwhile:
        refusal = _("Somebody else has changed the event meanwhile. Look at it, then try again.")
        return draw_publishing(member, event, refusal=refusal, status=409)
    except SetupRefused as error:
        return draw_publishing(
            member, event, refusal=describe_standstill(error.standstill), status=409
        )
    except ZoomError as error:
        return draw_publishing(member, event, refusal=describe_zoom_error(error), status=502)
    lost = "&lost=1" if published.lost_titles else ""
    return redirect(f"/organizer/events/{event}/publishing?done=published{lost}", code=303)


@bp.post("/events/<event>/mend", endpoint="mend_event")
@needs(Permission.EDIT_EVENTS)
def mend(member: Member, event: str) -> ResponseReturnValue:
    """Do what one button promises, and look at Zoom again."""
    found, client = read_at_zoom(member, event)
    asked = request.form.get("mend", "")
    if asked not in list(Mend) or asked == Mend.CREATE_AGAIN:
        return redirect(f"/organizer/events/{event}/publishing", code=303)
    chosen = Mend(asked)
    try:
        if chosen is Mend.TAKE_TIME:
            _take_time(member, found, client)
        else:
            kind, wishes = Kind(found.kind), read_wishes(found)
            mend_at_zoom(client, kind, found.zoom_id, chosen, wishes=wishes)
            with get_site().database.write() as session:
                _record_mend(session, member, event, chosen)
    except ZoomError as error:
        return draw_publishing(member, event, refusal=describe_zoom_error(error), status=502)
    except MeetingTaken:
        refusal = _("Another event leads to its meeting at Zoom until then.")
        return draw_publishing(member, event, refusal=refusal, status=409)
    return redirect(f"/organizer/events/{event}/publishing?mended={chosen}", code=303)


@bp.post("/events/<event>/state", endpoint="change_event_state")
@needs(Permission.EDIT_EVENTS)
def change_state(member: Member, event: str) -> ResponseReturnValue:
    acts = {"close": close_event, "reopen": reopen_event}
    asked = request.form.get("act", "")
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            found = need_event(session, member, event)
            if asked not in acts:
                return redirect(f"/organizer/events/{event}/publishing", code=303)
            if acts[asked](session, found, now=now):
                facts: dict[str, audit.Fact] = {"change": asked}
                about = f"event:{event}"
                audit.record(session, member, Action.EVENT_CHANGED, about, facts=facts, now=now)
    except EventChangeRefused:
        refusal = _("The event is in another state already. Nothing was changed.")
        return draw_publishing(member, event, refusal=refusal, status=409)
    return redirect(f"/organizer/events/{event}/publishing?done={asked}", code=303)


@bp.get("/events/<event>/cancel", endpoint="ask_to_cancel_event")
@needs(Permission.EDIT_EVENTS)
def ask_to_cancel(member: Member, event: str) -> ResponseReturnValue:
    return _ask_to_cancel(member, event)


@bp.post("/events/<event>/cancel", endpoint="cancel_event")
@needs(Permission.EDIT_EVENTS)
def cancel(member: Member, event: str) -> ResponseReturnValue:
    """Cancel for good, once the number of people was confirmed; a worker tells them all."""
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            found = need_event(session, member, event)
            people = count_people(session, found)
            if request.form.get("people", "").strip() != str(people):
                raise _WrongCount
            if cancel_event(session, found, now=now):
                facts: dict[str, audit.Fact] = {"change": "cancelled", "people": people}
                about = f"event:{event}"
                audit.record(session, member, Action.EVENT_CHANGED, about, facts=facts, now=now)
    except _WrongCount:
        return _ask_to_cancel(member, event, is_wrong="people" in request.form, status=422)
    except EventChangeRefused:
        abort(409)
    return redirect(f"/organizer/events/{event}/publishing?done=cancelled", code=303)


def _ask_to_cancel(
    member: Member, event: str, *, is_wrong: bool = False, status: int = 200
) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        people = count_people(session, found)
        may_be_cancelled = found.status not in ("draft", "cancelled")
        page = render_template(
            "organizer/cancel_event.html",
            event=view_event(found),
            here="publishing",
            people=people,
            is_wrong=is_wrong,
            may_be_cancelled=may_be_cancelled,
        )
    return page, status


def publish_at_zoom(member: Member, event: str) -> Published:
    site = get_site()
    _, client = read_at_zoom(member, event)
    with site.database.read() as session:
        subject = read_subject(session, need_event(session, member, event), now=site.read_clock())
    ready = prepare(client, subject, now=site.read_clock(), total_seconds=PATIENCE_SECONDS)
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        now = site.read_clock()
        published = record_published(session, found, subject, ready, keys=site.keys, now=now)
        facts: dict[str, audit.Fact] = {"change": "published"}
        about = f"event:{event}"
        audit.record(session, member, Action.EVENT_CHANGED, about, facts=facts, now=now)
    return published


def _take_time(member: Member, event: Event, client: ZoomClient) -> None:
    """Have the event begin when Zoom has it."""
    site = get_site()
    meeting = client.get_meeting(Kind(event.kind), event.zoom_id)
    start = find_start(meeting, site.read_clock())
    if start is None:
        return
    with site.database.write() as session:
        found = events.lock_event(session, event.id)
        # Not before: whoever registers while Zoom is asked, or this waits, is told too.
        now = site.read_clock()
        stored = describe_event(session, found)
        wanted = move_schedule(stored, start, meeting.duration_minutes)
        change_content(session, found, wanted, pictures={}, now=now)
        _record_mend(session, member, found.public_id, Mend.TAKE_TIME)


def _record_mend(session: Session, member: Member, event: str, mend: Mend) -> None:
    facts: dict[str, audit.Fact] = {"change": "mended", "mend": str(mend)}
    now = get_site().read_clock()
    audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)


def read_at_zoom(member: Member, event: str) -> tuple[Event, ZoomClient]:
    site = get_site()
    with site.database.read() as session:
        found = need_event(session, member, event)
        connection = organizations.need_connection(session, found.connection_id)
        session.expunge_all()
    return found, ask_zoom(connection)


def _look(event: Event, client: ZoomClient) -> tuple[Preflight | None, str]:
    """Return what Zoom says, or why it says nothing."""
    now = get_site().read_clock()
    try:
        preflight = look_at_zoom(
            client,
            Kind(event.kind),
            event.zoom_id,
            starts_at=event.starts_at,
            wishes=read_wishes(event),
            is_series=bool(event.dates),
            now=now,
        )
    except ZoomError as error:
        return None, describe_zoom_error(error)
    return preflight, ""


def draw_publishing(
    member: Member, event: str, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    site = get_site()
    found, client = read_at_zoom(member, event)
    # At Zoom nothing of an event that was called off has to be put right.
    is_off = found.status == EventState.CANCELLED
    preflight, trouble = (None, "") if is_off else _look(found, client)
    if missing := site.settings.list_missing():
        names = ", ".join(missing)
        refusal = refusal or _("The site's operator has to set %(names)s first.", names=names)
    now = site.read_clock()
    with site.database.read() as session:
        found = need_event(session, member, event)
        questions = read_coming_form(session, found)
        gaps = [
            (gap, words.describe_gap(gap), words.find_place(gap, event, member))
            for gap, _ in list_gaps(session, found, questions)
        ]
        taken = events.get_counter(session, found.id, events.SEATS)
        untold = [(p.public_id, write_name(p)) for p in list_untold(session, found)]
        page = render_template(
            "organizer/publishing.html",
            event=view_event(found),
            here="publishing",
            state=get_state(found, count_seats(found, taken), now),
            status=found.status,
            is_over=now >= get_end(found),
            published_at=_write_moment(found),
            gaps=gaps,
            is_notice_behind=names_other_processors(
                session,
                organizations.need_organization(session, found.organization_id),
                read_processors(session, found.organization_id),
            ),
            untold=untold,
            findings=_view_findings(preflight, event),
            answers=_view_answers(preflight),
            trouble=trouble,
            is_ready=not (gaps or missing) and preflight is not None and not preflight.stops,
            refusal=refusal,
            notice=_read_notice(preflight),
            is_kept=_is_kept(preflight),
            has_lost=request.args.get("lost") == "1",
        )
    if untold:
        record_list(member, f"event:{event}", len(untold))
    return page, status


def _write_moment(event: Event) -> str:
    if event.published_at is None or event.status not in (PUBLISHED, "closed"):
        return ""
    return format_moment(event.published_at, event.timezone, read_locale())


def _view_findings(preflight: Preflight | None, event: str) -> list[dict[str, Any]]:
    if preflight is None:
        return []
    return [
        {
            "text": words.describe_obstacle(finding.obstacle),
            "about": ", ".join(finding.about),
            "weight": finding.weight,
            "mend": finding.mend,
            "button": words.describe_button(finding) if finding.mend else "",
            "link": words.find_way_out(finding.obstacle, event),
        }
        for finding in preflight.findings
    ]


def _view_answers(preflight: Preflight | None) -> list[dict[str, Any]]:
    if preflight is None or preflight.meeting is None:
        return []
    return [
        {
            "way": words.describe_way(answer.way),
            "shown": answer.shown,
            "answer": words.describe_shown(answer.shown),
            "why": words.explain(answer),
            "mend": answer.mend,
            "button": words.describe_mend(answer.mend) if answer.mend else "",
        }
        for answer in list_answers(preflight.meeting)
    ]


def _read_notice(preflight: Preflight | None) -> str:
    if request.args.get("mended") in list(Mend):
        return _("Zoom has kept the change.") if _is_kept(preflight) else words.say_not_kept()
    return words.describe_done(request.args.get("done", ""))


def _is_kept(preflight: Preflight | None) -> bool:
    """Tell whether the obstacle that was mended last is gone."""
    mended = request.args.get("mended", "")
    if mended not in list(Mend) or preflight is None:
        return True
    answers = list_answers(preflight.meeting) if preflight.meeting else []
    left = {*(finding.mend for finding in preflight.findings), *(a.mend for a in answers)}
    return Mend(mended) not in left
