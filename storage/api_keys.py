"""Reading and writing the keys of the API; organizers' functions take their organization."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, bindparam, or_, select, update
from sqlalchemy.orm import Session

from .models import ApiKey, Organization, Organizer
from .session import Database
from .statements import Statement, table_of

_KEY = table_of(ApiKey).c
_BY_HASH = Statement(
    lambda _: select(
        *(_KEY.id, _KEY.public_id, _KEY.organization_id, _KEY.scopes),
        *(_KEY.expires_at, _KEY.last_used_at),
    ).where(_KEY.hash == bindparam("wanted"), _KEY.revoked_at.is_(None))
)


class FoundKey(NamedTuple):
    """What is read of a key for each request that it comes with."""

    id: int
    public_id: str
    organization_id: int
    scopes: list[str]
    expires_at: datetime
    last_used_at: datetime | None


def find_key(database: Database, hash_: str) -> FoundKey | None:
    """Read a key that was not revoked, by itself."""
    row = database.fetch(_BY_HASH, {"wanted": hash_})
    return None if row is None else FoundKey(*row)


def note_use(session: Session, key_id: int, *, now: datetime) -> None:
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))


def add_key(session: Session, key: ApiKey) -> None:
    session.add(key)
    session.flush()


def list_keys(session: Session, organization_id: int) -> list[tuple[ApiKey, str]]:
    """List an organization's keys, the newest first, each with the name of who has made it."""
    rows = session.execute(
        select(ApiKey, Organizer.name, Organizer.email)
        .outerjoin(Organizer, Organizer.public_id == ApiKey.created_by)
        .where(ApiKey.organization_id == organization_id)
        .order_by(ApiKey.id.desc())
    )
    return [(key, name or email or "") for key, name, email in rows]


def list_all_keys(session: Session) -> list[tuple[ApiKey, str]]:
    """List the keys of all organizations, the newest first, each with its organization's name."""
    rows = session.execute(
        select(ApiKey, Organization.name)
        .join(Organization, Organization.id == ApiKey.organization_id)
        .order_by(ApiKey.id.desc())
    )
    return [(key, name) for key, name in rows]


def find_to_revoke(session: Session, public_id: str, hash_: str) -> ApiKey | None:
    """Return a key of any organization by its public id or its hash, for whoever runs the site."""
    is_it = or_(ApiKey.public_id == public_id, ApiKey.hash == hash_)
    return session.scalar(select(ApiKey).where(is_it).with_for_update())


def lock_key(session: Session, organization_id: int, public_id: str) -> ApiKey | None:
    """Return a key of an organization, so that nobody else changes it meanwhile."""
    return session.scalar(
        select(ApiKey)
        .where(ApiKey.organization_id == organization_id, ApiKey.public_id == public_id)
        .with_for_update()
    )


def lock_keys_of(
    session: Session, organization_id: int, created_by: str, *, now: datetime
) -> list[ApiKey]:
    """Lock and list the working keys that somebody made."""
    working = _select_keys_of(organization_id, created_by, now)
    return list(session.scalars(working.with_for_update()))


def list_names_of(
    session: Session, organization_id: int, created_by: str, *, now: datetime
) -> list[str]:
    """List the names of the working keys that somebody made."""
    working = _select_keys_of(organization_id, created_by, now)
    return [key.name for key in session.scalars(working)]


def _select_keys_of(organization_id: int, created_by: str, now: datetime) -> Select[ApiKey]:
    of = (ApiKey.organization_id == organization_id, ApiKey.created_by == created_by)
    works = (ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
    return select(ApiKey).where(*of, *works).order_by(ApiKey.id)


def list_names(session: Session, public_ids: Collection[str]) -> dict[str, str]:
    """Return the names of keys by public id, revoked ones included."""
    rows = session.execute(
        select(ApiKey.public_id, ApiKey.name).where(ApiKey.public_id.in_(public_ids))
    )
    return {public_id: name for public_id, name in rows}
