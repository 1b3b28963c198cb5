"""Reading and writing what we know of registrations at Zoom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from .models import Registration, ZoomRegistrant
from .statements import Statement, table_of

_INSERT_ONCE = Statement(
    lambda insert: insert(table_of(ZoomRegistrant)).on_conflict_do_nothing(
        index_elements=[ZoomRegistrant.registration_id]
    )
)


def get_zoom_registrant(session: Session, registration_id: int) -> ZoomRegistrant | None:
    return session.get(ZoomRegistrant, registration_id)


def ensure_zoom_registrant(session: Session, registration: Registration, *, now: datetime) -> None:
    """Make the row that the worker keeps; one that exists stays as it is."""
    _INSERT_ONCE.change(
        session,
        {
            "registration_id": registration.id,
            "event_id": registration.event_id,
            "delivery": "waiting",
            "problem": "",
            "sends_answers": True,
            "missed_looks": 0,
            "updated_at": now,
        },
    )


def list_unknown(session: Session, event_id: int) -> list[tuple[ZoomRegistrant, Registration]]:
    """List the registrants whose last add has an unknown outcome."""
    rows = session.execute(
        select(ZoomRegistrant, Registration)
        .join(Registration, Registration.id == ZoomRegistrant.registration_id)
        .where(
            ZoomRegistrant.event_id == event_id,
            ZoomRegistrant.attempt_started_at.is_not(None),
        )
        .order_by(ZoomRegistrant.registration_id)
    )
    return [(registrant, registration) for registrant, registration in rows]


def has_unknown(session: Session, event_id: int) -> bool:
    statement = select(
        exists().where(
            ZoomRegistrant.event_id == event_id,
            ZoomRegistrant.attempt_started_at.is_not(None),
        )
    )
    return bool(session.scalar(statement))


def list_with_link(session: Session, event_id: int) -> list[ZoomRegistrant]:
    return list(
        session.scalars(
            select(ZoomRegistrant).where(
                ZoomRegistrant.event_id == event_id, ZoomRegistrant.join_url.is_not(None)
            )
        )
    )


def read_join_url(session: Session, registrant: ZoomRegistrant | None) -> str | None:
    """Return the decrypted join URL, or None while there is none."""
    if registrant is None or registrant.join_url is None:
        return None
    url: str = session.info["cipher"].decrypt(registrant.join_url)
    return url


def write_join_url(session: Session, registrant: ZoomRegistrant, url: str | None) -> None:
    registrant.join_url = None if url is None else session.info["cipher"].encrypt(url)
