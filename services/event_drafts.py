"""Making a new event of a meeting or webinar at Zoom: found, or created there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from storage import events
from zoom_client import (
    ApprovalType,
    HostNotAllowed,
    Kind,
    Meeting,
    MeetingDraft,
    MeetingSummary,
    User,
    WrongKind,
    ZoomClient,
)

from .event_documents import EventDocument, set_schedule
from .zoom_setup import SetupRefused, Standstill, read_from_zoom

LONGEST_TITLE = 200
MOST_HOSTS = 300
MOST_MEETINGS = 300

_DIGITS = re.compile(r"[0-9]{9,19}")
_PATHS = re.compile(r"/(?P<kind>j|w|s|wc|meeting|webinar)/(?:register/|join/)?(?P<id>[0-9]{9,19})")
_KINDS = {"j": None, "s": None, "wc": None, "meeting": Kind.MEETING, "webinar": Kind.WEBINAR}


@dataclass(frozen=True)
class Reference:
    """What a pasted id or link names; `kind` is None where it does not tell."""

    zoom_id: int
    kind: Kind | None = None


@dataclass(frozen=True)
class HostMeetings:
    """What one host has ahead, the next first; `lacks_webinars` where the plan has none."""

    meetings: tuple[MeetingSummary, ...]
    lacks_webinars: bool = False


def read_reference(text: str) -> Reference | None:
    """Read an id as Zoom writes it (`812 3456 7890`), or a link to join, manage or register.

    Links of registration without a number name no meeting that can be looked up: None.
    """
    digits = re.sub(r"[\s\u3000-]", "", text)
    if digits.isascii() and _DIGITS.fullmatch(digits):
        return Reference(int(digits))
    try:
        path = urlsplit(text.strip()).path
    except ValueError:  # such as brackets around the host
        return None
    if found := _PATHS.search(path):
        kind = Kind.WEBINAR if found["kind"] == "w" else _KINDS[found["kind"]]
        return Reference(int(found["id"]), kind)
    return None


def find_meeting(client: ZoomClient, reference: Reference, *, now: datetime) -> Meeting:
    """Read what a reference names, of either kind.

    Raises:
        SetupRefused: it cannot be used; `standstill` says why.
        ZoomError: Zoom could not be asked.
    """
    kinds = [reference.kind] if reference.kind else list(Kind)
    refusals: list[SetupRefused | HostNotAllowed] = []
    for kind in kinds:
        try:
            return read_from_zoom(client, kind, reference.zoom_id, now=now)
        except SetupRefused as error:
            if error.standstill not in (Standstill.GONE, Standstill.OTHER_KIND):
                raise
            refusals.append(error)
        except HostNotAllowed as error:
            # Accounts without webinars say so to every id of one.
            refusals.append(error)
    raise refusals[0]


def list_hosts(client: ZoomClient) -> list[User]:
    """List who may hold meetings, by address; licensed users first."""
    hosts = [user for user, _ in zip(client.list_users(), range(MOST_HOSTS), strict=False)]
    return sorted(hosts, key=lambda user: (not user.is_licensed, user.email.casefold()))


def list_upcoming(client: ZoomClient, host: str, *, now: datetime) -> HostMeetings:
    """List what a host has ahead, meetings and webinars, the next first."""
    found = list(_list_of_kind(client, Kind.MEETING, host))
    lacks_webinars = False
    try:
        found += _list_of_kind(client, Kind.WEBINAR, host)
    except (HostNotAllowed, WrongKind):
        lacks_webinars = True
    ahead = [m for m in found if m.start_time and m.start_time + get_length(m) > now]
    ahead.sort(key=lambda meeting: (meeting.start_time, meeting.id))
    return HostMeetings(tuple(ahead), lacks_webinars)


def make_draft(meeting: Meeting, *, slug: str, locale: str) -> EventDocument:
    """Turn a meeting into the document of a new event: its title, date and zone."""
    document = EventDocument(
        slug=slug,
        kind=meeting.kind,
        zoom_id=meeting.id,
        default_locale=locale,
        title={locale: meeting.topic[:LONGEST_TITLE] or slug},
        description={locale: meeting.agenda} if meeting.agenda else {},
    )
    return take_schedule(document, meeting)


def take_schedule(document: EventDocument, meeting: Meeting) -> EventDocument:
    """Fill in from Zoom the times that a document leaves open."""
    assert meeting.start_time is not None, "read_from_zoom refuses meetings without a time"
    return set_schedule(
        document,
        starts_at=meeting.start_time,
        duration_minutes=meeting.duration_minutes or 60,
        timezone=meeting.timezone or "UTC",
    )


def move_schedule(
    document: EventDocument, starts_at: datetime, duration_minutes: int | None
) -> EventDocument:
    """Give a document the time that Zoom has now."""
    duration = duration_minutes or document.duration_minutes
    return replace(document, starts_at=starts_at, duration_minutes=duration)


def choose_slug(session: Session, kind: Kind) -> str:
    """Return an address that no event has yet; strangers read it, so it says nothing of Zoom."""
    while True:
        slug = f"{kind}-{secrets.token_hex(3)}"
        if events.get_event_by_slug(session, slug) is None:
            return slug


def create_at_zoom(
    client: ZoomClient,
    kind: Kind,
    host: str,
    *,
    topic: str,
    starts_at: datetime,
    duration_minutes: int,
    timezone: str,
) -> Meeting:
    """Create a meeting or webinar with registration required, as people set it by hand.

    One of this host's with the same title at the same time is taken instead: somebody pressed
    twice, or an answer of Zoom's was lost. Zoom ignores the switch of its own mails at creation;
    publishing turns them off.
    """
    for found in _list_of_kind(client, kind, host):
        if (found.topic, found.start_time) == (topic, starts_at.astimezone(UTC)):
            return client.get_meeting(kind, found.id)
    draft = MeetingDraft(
        topic=topic,
        start_time=starts_at,
        duration_minutes=duration_minutes,
        timezone=timezone,
        approval_type=ApprovalType.MANUAL,
        registration_type=1,
        registrants_confirmation_email=False,
        registrants_email_notification=False,
    )
    meeting = client.create_meeting(kind, host, draft)
    return replace(meeting, start_time=meeting.start_time or starts_at)


def _list_of_kind(client: ZoomClient, kind: Kind, host: str) -> Iterator[MeetingSummary]:
    found = client.list_meetings(kind, host, listing="upcoming")
    return (meeting for meeting, _ in zip(found, range(MOST_MEETINGS), strict=False))


def get_length(meeting: MeetingSummary) -> timedelta:
    """Return how long a meeting takes; an hour where Zoom says nothing."""
    return timedelta(minutes=meeting.duration_minutes or 60)
