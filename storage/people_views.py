"""Which columns each organizer sees of an event's people."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from .models import PeopleView
from .statements import insert_for


def read_columns(session: Session, organizer_id: int, event_id: int) -> list[str] | None:
    """Return the names of the columns in order, or None if nobody has chosen any."""
    view = session.get(PeopleView, (organizer_id, event_id))
    return None if view is None else view.columns


def keep_columns(
    session: Session, organizer_id: int, event_id: int, columns: Sequence[str]
) -> None:
    statement = insert_for(session)(PeopleView).values(
        organizer_id=organizer_id, event_id=event_id, columns=list(columns)
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[PeopleView.organizer_id, PeopleView.event_id],
            set_={"columns": statement.excluded.columns},
        )
    )
