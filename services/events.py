"""When an event takes registrations, and what it shows of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, organizations, registrations
from storage.events import AnyEvent
from storage.models import Event, Organization
from zoom_client import MeetingOver

from .event_dates import has_lost_dates, read_dates
from .full_dates import is_closed
from .questions import FormDefinition, definition_from_rows

FEW_SEATS_PERCENT = 10
MAX_KEPT_DEFINITIONS = 200


class EventState(StrEnum):
    """What a visitor of the form meets."""

    DRAFT = "draft"
    SOON = "soon"
    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"
    ENDED = "ended"
    CANCELLED = "cancelled"


class LinkPolicy(StrEnum):
    """How a person gets the join link."""

    SHOW = "show"
    CODE = "code"
    MAIL = "mail"


class BotCheck(StrEnum):
    """When an event asks for work: by itself while much comes, always, or never."""

    AUTOMATIC = "automatic"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Seats:
    """How many places there are, at one moment. Without a capacity there is always one.

    `are_gone_at_zoom` says that it takes nobody, however many we would.
    """

    taken: int
    capacity: int | None
    are_gone_at_zoom: bool = False

    @property
    def are_all_taken(self) -> bool:
        is_full = self.capacity is not None and self.taken >= self.capacity
        return is_full or self.are_gone_at_zoom

    @property
    def left(self) -> int | None:
        """The number of free places, None where they have no end."""
        if self.are_all_taken:
            return 0
        return None if self.capacity is None else self.capacity - self.taken

    @property
    def few_left(self) -> int | None:
        """The number of free places when it is worth telling, else None."""
        left = self.left
        if self.capacity is None or not left:
            return None
        return left if left * 100 < self.capacity * FEW_SEATS_PERCENT else None


def count_seats(event: AnyEvent, taken: int) -> Seats:
    return Seats(taken, event.capacity, are_gone_at_zoom=is_closed(event))


def get_end(event: AnyEvent) -> datetime:
    """Return when an event is over; a series after its last date."""
    end = event.starts_at + timedelta(minutes=event.duration_minutes)
    if not event.dates:
        return end
    return max((date.ends_at for date in read_dates(event) if not date.is_gone), default=end)


def get_planned_end(event: AnyEvent) -> datetime:
    """As `get_end`, but with dates that Zoom has no more: until then people would come to them."""
    return max((get_end(event), *(date.ends_at for date in read_dates(event))))


def get_state(
    event: AnyEvent, seats: Seats, now: datetime, *, sent_at: datetime | None = None
) -> EventState:
    """Decide what the form's address shows. A full event with a waiting list stays open.

    What was `sent_at` a time before the closing time is in time, though it is decided about later.
    """
    if event.status in (EventState.DRAFT, EventState.CANCELLED):
        return EventState(event.status)
    if now >= get_end(event):
        return EventState.ENDED
    is_closed = event.status == EventState.CLOSED or event.closed_by_zoom == MeetingOver.__name__
    is_too_late = event.closes_at is not None and (sent_at or now) >= event.closes_at
    if is_closed or has_lost_dates(event) or is_too_late:
        return EventState.CLOSED
    if event.opens_at and now < event.opens_at:
        return EventState.SOON
    if seats.are_all_taken and not event.has_waitlist:
        return EventState.FULL
    return EventState.OPEN


def note_move(session: Session, event: Event, former: datetime, *, now: datetime) -> None:
    """Keep the time that people registered for, after an event was given another one than before.

    Moved twice, it is still the first time of all; moved back, there is none. A time that nobody
    had registered for was a slip of the pen, and so, mostly, is one that is over by now: of it
    nobody is told, and when the event comes back to the time that people know, nothing is news.
    Those who had registered are told by the work that `event_tasks` does for the event. Side
    effects: the lock of its seats.
    """
    if former == event.starts_at:
        return
    # Whoever holds one of them just now, and was told the former time, is stored before.
    events.lock_seats(session, event.id)
    if not registrations.has_registrations(session, event.id):
        event.former_starts_at = event.moved_at = event.told_starts_at = None
        return
    known = event.told_starts_at or former
    if now >= get_end(event):
        event.told_starts_at = known
        return
    first = event.former_starts_at or known
    event.former_starts_at = first if first != event.starts_at else None
    event.told_starts_at = None
    if known != event.starts_at:
        event.moved_at = now


def read_seats(session: Session, event: AnyEvent) -> Seats:
    """Read how many seats are taken, where that matters."""
    if event.capacity is None:
        return count_seats(event, 0)
    return count_seats(event, events.get_counter(session, event.id, events.SEATS))


def read_link_policy(session: Session, event: Event) -> LinkPolicy:
    """Return the event's policy, or the organization's where that is locked."""
    organization = organizations.need_organization(session, event.organization_id)
    return choose_link_policy(event, organization)


def choose_link_policy(event: Event, organization: Organization) -> LinkPolicy:
    """As `read_link_policy`, with an organization that was read already."""
    return LinkPolicy(organization.link_policy or event.link_policy)


def read_current_form(session: Session, event: Event) -> FormDefinition:
    """Read the form that an event has now."""
    assert event.form_version_id is not None, "an event has a form from its first day"
    return read_definition(session, event.form_version_id)


def read_definition(session: Session, form_version_id: int) -> FormDefinition:
    """Read one version of a form; versions never change, so they are kept in memory.

    Raises:
        LookupError: there is no such version.
    """
    definitions: dict[int, FormDefinition] = session.info["definitions"]
    kept = definitions.get(form_version_id)
    if kept is not None:
        return kept
    row = events.get_form_version(session, form_version_id)
    if row is None:
        raise LookupError(f"form version {form_version_id}")
    if len(definitions) >= MAX_KEPT_DEFINITIONS:
        definitions.clear()
    definition = definition_from_rows(row.id, row.number, row.questions)
    definitions[form_version_id] = definition
    return definition
