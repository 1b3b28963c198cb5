"""Reading and writing what we know of registrations at Zoom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, insert, select, update
from sqlalchemy.orm import Session

from .models import IndexMark, Registration, ZoomRegistrant
from .statements import Statement, table_of

NEW = {
    "delivery": "waiting",
    "problem": "",
    "sends_answers": True,
    "missed_looks": 0,
    "adds_that_day": 0,
    "changes_that_day": 0,
}
"""What the row of somebody begins with whom Zoom has not been told of."""

_UNKNOWN_TO_ZOOM = {
    "problem": "",
    "zoom_status": None,
    "registrant_id": None,
    "join_url": None,
    "occurrence_ids": None,
    "is_new_to_zoom": None,
    "first_attempt_at": None,
    "attempt_started_at": None,
    "attempt_ended_at": None,
    "missed_looks": 0,
    "last_missed_at": None,
    "sends_answers": True,
}

_INSERT_ONCE = Statement(
    lambda insert: insert(table_of(ZoomRegistrant)).on_conflict_do_nothing(
        index_elements=[ZoomRegistrant.registration_id]
    )
)


def get_zoom_registrant(session: Session, registration_id: int) -> ZoomRegistrant | None:
    return session.get(ZoomRegistrant, registration_id)


def ensure_zoom_registrant(
    session: Session, registration_id: int, event_id: int, *, now: datetime
) -> None:
    """Make the row that the worker keeps; one that exists stays as it is."""
    about = {"registration_id": registration_id, "event_id": event_id, "updated_at": now}
    _INSERT_ONCE.change(session, NEW | about)


def start_anew(session: Session, event_id: int, *, now: datetime) -> Sequence[int]:
    """Have everybody of an event be as new to Zoom, and return who is to be told to it, by id.

    What counts for the day stays counted, and so do dates that somebody waits for.
    """
    of_event = ZoomRegistrant.event_id == event_id
    coming = select(Registration.id).where(
        Registration.event_id == event_id, Registration.status == "approved"
    )
    is_coming = ZoomRegistrant.registration_id.in_(coming)
    session.execute(
        update(ZoomRegistrant)
        .where(of_event)
        .values(
            delivery=case((is_coming, "waiting"), else_="withdrawn"),
            updated_at=now,
            **_UNKNOWN_TO_ZOOM,
        )
        .execution_options(synchronize_session=False)
    )
    everybody = select(ZoomRegistrant.registration_id).where(of_event)
    session.execute(insert(IndexMark).from_select(["registration_id"], everybody))
    waiting = everybody.where(ZoomRegistrant.delivery == "waiting")
    return session.scalars(waiting.order_by(ZoomRegistrant.registration_id)).all()


def list_by_ids(
    session: Session, registration_ids: Sequence[int]
) -> list[tuple[ZoomRegistrant, Registration]]:
    rows = session.execute(
        select(ZoomRegistrant, Registration)
        .join(Registration, Registration.id == ZoomRegistrant.registration_id)
        .where(ZoomRegistrant.registration_id.in_(registration_ids))
        .order_by(ZoomRegistrant.registration_id)
    )
    return [(registrant, registration) for registrant, registration in rows]


def lock_by_ids(
    session: Session, registration_ids: Sequence[int]
) -> list[tuple[ZoomRegistrant, Registration]]:
    """Lock registrations in the order of their ids, then read what we know of them at Zoom."""
    session.execute(
        select(Registration.id)
        .where(Registration.id.in_(registration_ids))
        .order_by(Registration.id)
        # As `lock_registration`: a stronger lock would wait in a circle with a walk.
        .with_for_update(key_share=True)
    ).all()
    return list_by_ids(session, registration_ids)


def list_unknown(session: Session, event_id: int, *, after: int = 0, limit: int) -> Sequence[int]:
    """List the registrations whose last add has an unknown outcome, by id from one on."""
    return _list_ids(
        session,
        ZoomRegistrant.event_id == event_id,
        ZoomRegistrant.attempt_started_at.is_not(None),
        ZoomRegistrant.registration_id > after,
        limit=limit,
    )


def list_unread(session: Session, event_id: int, *, after: int = 0, limit: int) -> Sequence[int]:
    """List the registrations of which Zoom has told a link and nothing else, by id from one on."""
    return _list_ids(
        session,
        ZoomRegistrant.event_id == event_id,
        ZoomRegistrant.registrant_id.is_not(None),
        ZoomRegistrant.is_new_to_zoom.is_(None),
        ZoomRegistrant.join_url.is_not(None),
        ZoomRegistrant.registration_id > after,
        limit=limit,
    )


def list_awaited_dates(session: Session, event_id: int) -> list[list[str]]:
    """List the dates of each whom Zoom has not taken for all that they want."""
    rows = session.execute(
        select(ZoomRegistrant.occurrence_ids, ZoomRegistrant.refused_dates).where(
            ZoomRegistrant.event_id == event_id,
            ZoomRegistrant.delivery.in_(("waiting", "refused")),
        )
    )
    return [refused or wanted or [] for wanted, refused in rows]


def _list_ids(session: Session, *where: ColumnElement[bool], limit: int) -> Sequence[int]:
    found = select(ZoomRegistrant.registration_id).where(*where)
    return session.scalars(found.order_by(ZoomRegistrant.registration_id).limit(limit)).all()


def has_doubts(session: Session, event_id: int) -> bool:
    """Tell whether a walk through the event's registrants would tell anything new."""
    return bool(list_unknown(session, event_id, limit=1) or list_unread(session, event_id, limit=1))


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
