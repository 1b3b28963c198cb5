"""Reading and writing organizations and their Zoom connections."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from .jobs import CLOCK_TOLERANCE
from .models import Event, Membership, Organization, ZoomConnection
from .statements import rowcount


def need_organization(session: Session, organization_id: int) -> Organization:
    """Return an organization that a row names: they are not deleted."""
    return session.get_one(Organization, organization_id)


def lock_organization(session: Session, organization_id: int) -> Organization:
    """Return an organization whose texts or settings are about to change."""
    return session.get_one(
        Organization, organization_id, with_for_update={"key_share": True}, populate_existing=True
    )


def get_first_organization(session: Session) -> Organization | None:
    return session.scalar(select(Organization).order_by(Organization.id).limit(1))


def list_organizations(session: Session) -> list[tuple[Organization, int, int]]:
    """List all organizations of the installation with how many members and events they have."""
    members = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.organization_id == Organization.id)
        .scalar_subquery()
    )
    events = (
        select(func.count())
        .select_from(Event)
        .where(Event.organization_id == Organization.id)
        .scalar_subquery()
    )
    rows = session.execute(select(Organization, members, events).order_by(Organization.id))
    return [(row[0], row[1], row[2]) for row in rows]


def add_organization(session: Session, *, name: str = "", now: datetime) -> Organization:
    organization = Organization(name=name, created_at=now)
    session.add(organization)
    session.flush()
    return organization


def need_connection(session: Session, connection_id: int) -> ZoomConnection:
    """Return a connection that a row names: they are not deleted while events use them."""
    return session.get_one(ZoomConnection, connection_id)


def get_first_connection(session: Session, organization_id: int) -> ZoomConnection | None:
    return session.scalar(
        select(ZoomConnection)
        .where(ZoomConnection.organization_id == organization_id)
        .order_by(ZoomConnection.id)
        .limit(1)
    )


def list_connections(session: Session) -> list[ZoomConnection]:
    return list(session.scalars(select(ZoomConnection).order_by(ZoomConnection.id)))


def has_stored_secret(session: Session) -> bool:
    """Tell whether any organization has pasted credentials of its own."""
    statement = select(ZoomConnection.id).where(ZoomConnection.client_secret.is_not(None)).limit(1)
    return session.scalar(statement) is not None


def lock_first_connection(session: Session, organization_id: int) -> ZoomConnection | None:
    """Return the connection whose credentials are about to change."""
    connection = get_first_connection(session, organization_id)
    if connection is None:
        return None
    return session.get_one(
        ZoomConnection,
        connection.id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def add_connection(
    session: Session, organization_id: int, *, account_id: str, now: datetime
) -> ZoomConnection:
    connection = ZoomConnection(
        organization_id=organization_id, account_id=account_id, created_at=now
    )
    session.add(connection)
    session.flush()
    return connection


def read_token(session: Session, connection_id: int) -> str | None:
    """Return the decrypted token document of a connection, or None."""
    token = session.scalar(select(ZoomConnection.token).where(ZoomConnection.id == connection_id))
    if token is None:
        return None
    document: str = session.info["cipher"].decrypt(token)
    return document


def write_token(session: Session, connection_id: int, document: str) -> None:
    session.execute(
        update(ZoomConnection)
        .where(ZoomConnection.id == connection_id)
        .values(token=session.info["cipher"].encrypt(document))
    )


def forget_tokens(session: Session) -> None:
    """Forget the tokens of all connections: nobody can read them any more."""
    session.execute(update(ZoomConnection).values(token=None))


def take_token_lease(
    session: Session, connection_id: int, *, until: datetime, now: datetime
) -> bool:
    """Take the lease on asking for a new token; False while somebody else holds it.

    A lease longer than any comes from a clock that has been set back since.
    """
    lease = ZoomConnection.token_lease_until
    changed = session.execute(
        update(ZoomConnection)
        .where(
            ZoomConnection.id == connection_id,
            or_(lease.is_(None), lease <= now, lease > until + CLOCK_TOLERANCE),
        )
        .values(token_lease_until=until)
    )
    return rowcount(changed) == 1


def drop_token_lease(session: Session, connection_id: int, *, until: datetime) -> None:
    """End the lease that lasts until then, but no later one."""
    session.execute(
        update(ZoomConnection)
        .where(ZoomConnection.id == connection_id, ZoomConnection.token_lease_until == until)
        .values(token_lease_until=None)
    )
