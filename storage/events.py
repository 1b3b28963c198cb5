"""Reading and writing events, their form versions, counters and images."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from . import webhooks
from .models import (
    Asset,
    Event,
    EventCounter,
    FormDraft,
    FormVersion,
    Organization,
    ZoomConnection,
)
from .session import Database
from .statements import Statement, is_postgresql, table_of

SEATS = "seats"
"""The counter of seats taken: approved and pending registrations."""

IS_KEPT = or_(Event.status != "cancelled", Event.published_at.is_not(None))
"""All but drafts that were removed, which are cancelled and never were published."""


class EventHead(NamedTuple):
    """What decides which page the address of an event shows, and who may frame it.

    One small row, in which the organization may lock the policy; all else is read to draw a page.
    """

    id: int
    public_id: str
    organization_id: int
    slug: str
    version: int
    status: str
    starts_at: datetime
    duration_minutes: int
    timezone: str
    default_locale: str
    capacity: int | None
    has_waitlist: bool
    approval: str
    opens_at: datetime | None
    closes_at: datetime | None
    form_version_id: int | None
    closed_by_zoom: str
    full_dates: list[str] | None
    dates: list[dict[str, Any]]
    date_choice: str
    seats_per_date: int | None
    least_age: int | None
    bot_check: str
    has_webhooks: bool
    link_policy: str
    embed_origins: list[str]
    seats_taken: int


AnyEvent = Event | EventHead

_HEAD_COLUMNS = EventHead._fields[:-3]
_WITHOUT_END = literal_column("2147483647", Integer)
_TAKES_NOBODY = and_(Event.closed_by_zoom != "", Event.full_dates.is_(None))
_PLACES = case((_TAKES_NOBODY, 0), else_=func.coalesce(Event.capacity, _WITHOUT_END))


def with_head(rows: Select[Any]) -> Select[Any]:
    """Have a SELECT from events read what `EventHead` has, as its last columns."""
    event, organization, counter = map(table_of, (Event, Organization, EventCounter))
    is_seats = and_(counter.c.event_id == event.c.id, counter.c.name == SEATS)
    return (
        rows.add_columns(
            *(event.c[name] for name in _HEAD_COLUMNS),
            func.coalesce(organization.c.link_policy, event.c.link_policy),
            organization.c.embed_origins,
            func.coalesce(counter.c.value, 0),
        )
        .join(organization, organization.c.id == event.c.organization_id)
        .outerjoin(counter, is_seats)
    )


_HEAD = Statement(
    lambda _: with_head(select().select_from(table_of(Event))).where(
        table_of(Event).c.slug == bindparam("slug")
    )
)
_LOCK_SEATS = (
    select(EventCounter.value)
    .where(EventCounter.event_id == bindparam("event_id"), EventCounter.name == SEATS)
    .with_for_update()
)


def need_event(session: Session, event_id: int) -> Event:
    """Return the event that a row names: events are not deleted."""
    return session.get_one(Event, event_id)


def read_anew(session: Session, event_id: int) -> Event:
    """Return an event as it is by now, with what this transaction has changed of it."""
    session.flush()
    return session.get_one(Event, event_id, populate_existing=True)


def lock_event(session: Session, event_id: int) -> Event:
    """Lock an event for a change that others make too; goes before its seats and registrations."""
    # Registrations that name the event are written meanwhile.
    return session.get_one(
        Event, event_id, with_for_update={"key_share": True}, populate_existing=True
    )


def find_head(database: Database, slug: str) -> EventHead | None:
    """Read an event's head by itself, as most requests need no more."""
    row = database.fetch(_HEAD, {"slug": slug})
    return None if row is None else EventHead(*row)


def get_head(session: Session, slug: str) -> EventHead | None:
    """As `find_head`; it begins no transaction where none has begun."""
    row = _HEAD.fetch_early(session, {"slug": slug})
    return None if row is None else EventHead(*row)


def get_event_by_slug(session: Session, slug: str) -> Event | None:
    return session.scalar(select(Event).where(Event.slug == slug))


def list_events(session: Session) -> list[Event]:
    return list(session.scalars(select(Event).order_by(Event.starts_at, Event.id)))


def add_event(session: Session, event: Event) -> Event:
    """Add an event with its row of seats."""
    event.has_webhooks = webhooks.are_for_all_events(session, event.organization_id)
    session.add(event)
    session.flush()
    session.add(EventCounter(event_id=event.id, name=SEATS, value=0))
    session.flush()
    return event


def list_events_at_zoom(
    session: Session, connection_id: int, kind: str, zoom_id: int
) -> list[Event]:
    """List the events that lead to one meeting of Zoom's, by any connection to its account."""
    account = select(ZoomConnection.account_id).where(ZoomConnection.id == connection_id)
    same = select(ZoomConnection.id).where(ZoomConnection.account_id == account.scalar_subquery())
    is_it = (Event.connection_id.in_(same), Event.kind == kind, Event.zoom_id == zoom_id)
    return list(session.scalars(select(Event).where(*is_it)))


def list_events_of_organization(session: Session, organization_id: int) -> list[Event]:
    """List an organization's events, the next one first."""
    return list(
        session.scalars(
            select(Event)
            .where(Event.organization_id == organization_id, IS_KEPT)
            .order_by(Event.starts_at, Event.id)
        )
    )


def list_events_of_connection(session: Session, connection_id: int) -> list[Event]:
    return list(session.scalars(select(Event).where(Event.connection_id == connection_id)))


def raise_version(session: Session, event: Event) -> None:
    """Have an event's pages drawn again; counted in the database, so that no change is lost."""
    raised = (
        update(Event)
        .where(Event.id == event.id)
        .values(version=Event.version + 1)
        .returning(Event.version)
        .execution_options(synchronize_session=False)
    )
    set_committed_value(event, "version", session.scalar(raised))


def raise_versions(session: Session, organization_id: int, *, now: datetime) -> None:
    """Have the pages of all the organization's events drawn again."""
    session.execute(
        update(Event)
        .where(Event.organization_id == organization_id)
        .values(version=Event.version + 1, updated_at=now)
        .execution_options(synchronize_session="fetch")
    )


def get_form_version(session: Session, form_version_id: int) -> FormVersion | None:
    return session.get(FormVersion, form_version_id)


def list_form_versions(session: Session, event_id: int) -> list[FormVersion]:
    """List the versions of an event's form, the newest first."""
    return list(
        session.scalars(
            select(FormVersion)
            .where(FormVersion.event_id == event_id)
            .order_by(FormVersion.number.desc())
        )
    )


def get_form_version_by_number(session: Session, event_id: int, number: int) -> FormVersion | None:
    return session.scalar(
        select(FormVersion).where(FormVersion.event_id == event_id, FormVersion.number == number)
    )


def add_form_version(
    session: Session,
    event: Event,
    questions: list[dict[str, Any]],
    *,
    author: str = "",
    now: datetime,
) -> FormVersion:
    """Save questions as the event's next version and make it the current one."""
    last = session.scalar(
        select(func.max(FormVersion.number)).where(FormVersion.event_id == event.id)
    )
    version = FormVersion(
        event_id=event.id,
        number=(last or 0) + 1,
        questions=questions,
        author=author,
        created_at=now,
    )
    session.add(version)
    session.flush()
    event.form_version_id = version.id
    raise_version(session, event)
    event.updated_at = now
    return version


def get_form_draft(session: Session, event_id: int) -> FormDraft | None:
    return session.get(FormDraft, event_id)


def put_form_draft(
    session: Session,
    event_id: int,
    questions: list[dict[str, Any]],
    *,
    former: list[dict[str, Any]] | None,
    author: str,
    now: datetime,
) -> None:
    """Keep questions as the working copy of an event's form; the event is locked."""
    draft = session.get(FormDraft, event_id)
    if draft is None:
        draft = FormDraft(event_id=event_id)
        session.add(draft)
    draft.questions, draft.former = questions, former
    draft.author, draft.updated_at = author, now
    session.flush()


def drop_form_draft(session: Session, event_id: int) -> None:
    session.execute(delete(FormDraft).where(FormDraft.event_id == event_id))


def get_counter(session: Session, event_id: int, name: str) -> int:
    """Return a counter's value; one that was never touched is 0."""
    return (
        session.scalar(
            select(EventCounter.value).where(
                EventCounter.event_id == event_id, EventCounter.name == name
            )
        )
        or 0
    )


def list_counters(session: Session, event_id: int) -> dict[str, int]:
    rows = session.execute(
        select(EventCounter.name, EventCounter.value).where(EventCounter.event_id == event_id)
    )
    return {name: value for name, value in rows}


def take_seat(session: Session, event_id: int) -> bool:
    """Count one more seat unless all that the event has now are taken, in one statement.

    Returns False when the event is full, here or at Zoom. The row exists from the event's first
    day, so that two takers always meet at its lock.
    """
    return _TAKE_SEAT.change(session, {"taken_at": event_id}) == 1


def take_a_seat(*is_as_expected: ColumnElement[bool]) -> Update:
    """Build the statement of `take_seat`; its parameter is the event, `taken_at`.

    An event that is not as expected has no seats.
    """
    places = select(_PLACES).where(Event.id == bindparam("taken_at"), *is_as_expected)
    return (
        update(table_of(EventCounter))
        .where(
            EventCounter.event_id == bindparam("taken_at"),
            EventCounter.name == SEATS,
            EventCounter.value < places.scalar_subquery(),
        )
        .values(value=EventCounter.value + 1)
    )


def lock_seats(session: Session, event_id: int) -> None:
    """Let nobody else take or give back seats before this ends; SQLite has one writer anyway."""
    if is_postgresql(session):
        session.execute(_LOCK_SEATS, {"event_id": event_id})


def give_back_seat(session: Session, event_id: int) -> None:
    session.execute(
        update(EventCounter)
        .where(EventCounter.event_id == event_id, EventCounter.name == SEATS)
        .values(value=EventCounter.value - 1)
    )


def add_counters(session: Session, event_id: int, changes: Mapping[str, int]) -> None:
    """Add to counters, making those that don't exist yet."""
    for name, change in sorted(changes.items()):
        _ADD_TO_COUNTER.change(session, {"event_id": event_id, "name": name, "value": change})


def get_asset(session: Session, name: str) -> Asset | None:
    return session.scalar(select(Asset).where(Asset.name == name))


def get_asset_by_id(session: Session, asset_id: int) -> Asset | None:
    return session.get(Asset, asset_id)


def ensure_asset(
    session: Session,
    organization_id: int,
    *,
    name: str,
    media_type: str,
    size: tuple[int, int],
    content: bytes,
    now: datetime,
) -> Asset:
    """Return the image of this name, adding it if it is new."""
    asset = get_asset(session, name)
    if asset is None:
        width, height = size
        asset = Asset(
            organization_id=organization_id,
            name=name,
            media_type=media_type,
            width=width,
            height=height,
            content=content,
            created_at=now,
        )
        session.add(asset)
        session.flush()
    return asset


def add_to_counter(statement: Any) -> Any:
    """Have an INSERT of counters add to those that exist."""
    return statement.on_conflict_do_update(
        index_elements=[EventCounter.event_id, EventCounter.name],
        set_={"value": table_of(EventCounter).c.value + statement.excluded.value},
    )


_TAKE_SEAT = Statement(lambda _: take_a_seat())
_ADD_TO_COUNTER = Statement(lambda insert: add_to_counter(insert(table_of(EventCounter))))
