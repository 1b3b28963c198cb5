"""What one press on the publishing page puts right beyond a single setting at Zoom."""

from __future__ import annotations

from datetime import UTC

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from services import audit
from services.audit import Action
from services.event_drafts import create_at_zoom
from services.event_editing import ChangedMeanwhile
from services.event_tasks import tell_again
from services.events import EventState
from services.members import Member, Permission
from services.moving_over import move_over
from services.notice_publishing import take_current_notice
from services.publishing import NotPublishable
from services.texts import localize
from services.zoom_setup import SetupRefused, Standstill
from storage import events, organizations
from storage.models import Event
from zoom_client import Kind, MeetingNotFound, ZoomClient, ZoomError

from ..site import get_site
from .access import bp, need_event, needs
from .event_publishing import draw_publishing, publish_at_zoom, read_at_zoom
from .zoom_words import describe_standstill, describe_zoom_error


@bp.post("/events/<event>/again", endpoint="create_meeting_again")
@needs(Permission.EDIT_EVENTS)
def create_again(member: Member, event: str) -> ResponseReturnValue:
    """Create a meeting that Zoom has lost, move everybody over, and publish it again."""
    found, client = read_at_zoom(member, event)
    if found.status == EventState.CANCELLED:
        # Called off since the page was opened: nobody would come to the new one.
        return redirect(f"/organizer/events/{event}/publishing", code=303)
    refusal = ""
    try:
        if _is_lost(client, found):
            _move(member, found, client)
            if found.status != EventState.DRAFT:
                publish_at_zoom(member, event)
    except SetupRefused as error:
        refusal = describe_standstill(error.standstill)
    except ZoomError as error:
        return draw_publishing(member, event, refusal=describe_zoom_error(error), status=502)
    except NotPublishable:
        refusal = _("It cannot be published yet. What is missing stands below.")
    except ChangedMeanwhile:
        refusal = _("Somebody else has changed the event meanwhile. Look at it, then try again.")
    if refusal:
        return draw_publishing(member, event, refusal=refusal, status=409)
    return redirect(f"/organizer/events/{event}/publishing?done=moved", code=303)


@bp.post("/events/<event>/notice", endpoint="take_notice")
@needs(Permission.EDIT_EVENTS)
def take_notice(member: Member, event: str) -> ResponseReturnValue:
    """Give an event's form the privacy notice that new events have."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        organization = organizations.need_organization(session, found.organization_id)
        take_current_notice(session, organization, found, now=now)
        facts: dict[str, audit.Fact] = {"change": "notice"}
        audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/publishing?done=notice", code=303)


@bp.post("/events/<event>/cancel/again", endpoint="tell_cancelled_again")
@needs(Permission.EDIT_EVENTS)
def tell_cancelled_again(member: Member, event: str) -> ResponseReturnValue:
    """Mail those once more whom the word of the cancellation did not reach."""
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        people = tell_again(session, found, now=now)
        facts: dict[str, audit.Fact] = {"change": "told", "people": people}
        audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)
    return redirect(f"/organizer/events/{event}/publishing?done=told", code=303)


def _is_lost(client: ZoomClient, event: Event) -> bool:
    """Look once more: pressed twice, the second press finds the new one."""
    if event.dates or not event.host_email:
        return False
    try:
        client.get_meeting(Kind(event.kind), event.zoom_id)
    except MeetingNotFound:
        return True
    return False


def _move(member: Member, event: Event, client: ZoomClient) -> None:
    site = get_site()
    if event.starts_at <= site.read_clock():
        raise SetupRefused(Standstill.PAST, "It lies in the past.")
    meeting = create_at_zoom(
        client,
        Kind(event.kind),
        event.host_email,
        topic=localize(event.title, event.default_locale),
        starts_at=event.starts_at.astimezone(UTC),
        duration_minutes=event.duration_minutes,
        timezone=event.timezone,
    )
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, event.id)
        move_over(session, found, meeting, former_id=event.zoom_id, now=now)
        facts: dict[str, audit.Fact] = {"change": "moved"}
        about = f"event:{event.public_id}"
        audit.record(session, member, Action.EVENT_CHANGED, about, facts=facts, now=now)
