"""Reading and writing webhook endpoints, and what they are to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    delete,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from . import organizations
from .models import Event, WebhookEndpoint, WebhookMessage, WebhookSubscription
from .models.base import new_public_id
from .statements import Statement, rowcount, table_of

Columns = dict[str, ColumnElement[Any]]

_OF_HAPPENING = ("happening", "event_id", "registration_id", "person", "type", "status")
_ENDED = "ended"


def bind_happening() -> Columns:
    """Return parameters for what is said of a happening, named as its columns with `told_`."""
    columns = table_of(WebhookMessage).c
    names = (*_OF_HAPPENING, "happened_at")
    return {name: bindparam(f"told_{name}", type_=columns[name].type) for name in names}


def insert_messages(insert: Any, said: Columns, people: FromClause | None = None) -> Any:
    """Write the INSERT of a message to each endpoint that is to be told.

    `said` are the columns of a happening; some may come from `people`, a row of which it is about.
    """
    message, event = table_of(WebhookMessage), table_of(Event)
    endpoint, wanted = table_of(WebhookEndpoint), table_of(WebhookSubscription)
    new: Columns = {"state": literal("waiting"), "attempts": literal(0), "error": literal("")}
    columns = said | new | {"next_at": said["happened_at"], "endpoint_id": endpoint.c.id}
    rows = (
        select(*columns.values())
        .select_from(wanted)
        .join(endpoint, endpoint.c.id == wanted.c.endpoint_id)
        .join(event, event.c.organization_id == endpoint.c.organization_id)
        .where(
            event.c.id == said["event_id"],
            endpoint.c.state != _ENDED,
            wanted.c.type == said["type"],
            or_(wanted.c.event_id.is_(None), wanted.c.event_id == said["event_id"]),
        )
        # One that is being removed at this moment must not be told, nor stop whoever registers.
        .with_for_update(read=True, key_share=True, of=endpoint)
    )
    if people is not None:
        rows = rows.join_from(event, people, literal(True))
    return insert(message).from_select(list(columns), rows, include_defaults=False)


_TELL = Statement(lambda insert: insert_messages(insert, bind_happening()))


def make_happening(
    kind: str, event_id: int, *, person: str, status: str, now: datetime
) -> dict[str, Any]:
    """Lay out what is said of a happening, but for the id of the registration that it is about."""
    said = {
        "happening": new_public_id(),
        "event_id": event_id,
        "person": person,
        "type": str(kind),
        "status": str(status),
        "happened_at": now,
    }
    return {f"told_{name}": value for name, value in said.items()}


def add_messages(session: Session, happening: Mapping[str, Any], registration_id: int) -> int:
    """Have all endpoints be told that want to be; return how many they are."""
    return _TELL.change(session, {**happening, "told_registration_id": registration_id})


def add_test(session: Session, endpoint_id: int, kind: str, *, now: datetime) -> WebhookMessage:
    message = WebhookMessage(
        endpoint_id=endpoint_id,
        happening=new_public_id(),
        type=kind,
        happened_at=now,
        next_at=now,
    )
    session.add(message)
    session.flush()
    return message


def are_for_all_events(session: Session, organization_id: int) -> bool:
    """Tell whether an event that is new has something to tell; as `mark_events`."""
    organizations.lock_organization(session, organization_id)
    statement = select(
        exists().where(
            WebhookEndpoint.organization_id == organization_id,
            WebhookEndpoint.state != _ENDED,
            WebhookSubscription.endpoint_id == WebhookEndpoint.id,
            WebhookSubscription.event_id.is_(None),
        )
    )
    return bool(session.scalar(statement))


def mark_events(session: Session, organization_id: int) -> None:
    """Note at each event of an organization whether anybody is to be told of what happens there.

    Others' changes of endpoints and new events wait, as none of them would see this one.
    """
    organizations.lock_organization(session, organization_id)
    is_wanted = exists().where(
        WebhookEndpoint.organization_id == Event.organization_id,
        WebhookEndpoint.state != _ENDED,
        WebhookSubscription.endpoint_id == WebhookEndpoint.id,
        or_(WebhookSubscription.event_id.is_(None), WebhookSubscription.event_id == Event.id),
    )
    session.execute(
        update(Event)
        .where(Event.organization_id == organization_id)
        .values(has_webhooks=is_wanted)
        .execution_options(synchronize_session=False)
    )


def list_endpoints(session: Session, organization_id: int) -> list[WebhookEndpoint]:
    return list(
        session.scalars(
            select(WebhookEndpoint)
            .where(WebhookEndpoint.organization_id == organization_id)
            .order_by(WebhookEndpoint.id)
        )
    )


def get_endpoint(session: Session, organization_id: int, public_id: str) -> WebhookEndpoint | None:
    return session.scalar(
        select(WebhookEndpoint).where(
            WebhookEndpoint.organization_id == organization_id,
            WebhookEndpoint.public_id == public_id,
        )
    )


def get_by_id(session: Session, endpoint_id: int) -> WebhookEndpoint | None:
    return session.get(WebhookEndpoint, endpoint_id)


def lock_endpoint(session: Session, endpoint_id: int) -> WebhookEndpoint | None:
    """Read an endpoint so that nobody else changes it before this transaction ends."""
    return session.get(
        WebhookEndpoint, endpoint_id, with_for_update={"key_share": True}, populate_existing=True
    )


def add_endpoint(session: Session, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    session.add(endpoint)
    session.flush()
    return endpoint


def delete_endpoint(session: Session, endpoint: WebhookEndpoint) -> None:
    """Delete an endpoint with its log."""
    session.execute(delete(WebhookMessage).where(WebhookMessage.endpoint_id == endpoint.id))
    session.delete(endpoint)
    session.flush()


def list_subscriptions(session: Session, endpoint_id: int) -> list[WebhookSubscription]:
    return list(
        session.scalars(
            select(WebhookSubscription)
            .where(WebhookSubscription.endpoint_id == endpoint_id)
            .order_by(WebhookSubscription.id)
        )
    )


def replace_subscriptions(
    session: Session, endpoint_id: int, kinds: Iterable[str], event_ids: Iterable[int] | None
) -> None:
    """Have an endpoint be told of these types, at these events or at all."""
    session.execute(
        delete(WebhookSubscription).where(WebhookSubscription.endpoint_id == endpoint_id)
    )
    places: list[int | None] = [None] if event_ids is None else list(event_ids)
    session.add_all(
        WebhookSubscription(endpoint_id=endpoint_id, type=kind, event_id=place)
        for kind in kinds
        for place in places
    )
    session.flush()


def forget_old_messages(session: Session, *, before: datetime, waiting_before: datetime) -> int:
    """Delete from the logs what is over and old, and what has waited for very long."""
    is_over = and_(WebhookMessage.happened_at < before, WebhookMessage.state != "waiting")
    old = delete(WebhookMessage).where(or_(is_over, WebhookMessage.happened_at < waiting_before))
    return rowcount(session.execute(old))


def forget_former_secrets(session: Session) -> None:
    """Forget what endpoints were signed for with before: nobody can read it any more."""
    session.execute(update(WebhookEndpoint).values(former_secret=None, former_until=None))
