"""Keeping the index of registrations up to date while nobody looks at it."""

from __future__ import annotations

from services.registration_index import AT_ONCE, list_events_behind, read_changes
from storage.index_writing import forget, mark_all, store_intake
from storage.session import Database

MOST_BATCHES = 200
"""In one look: a hundred thousand registrations, which an upgrade may bring at once."""


def index_registrations(database: Database, *, most_batches: int = MOST_BATCHES) -> None:
    """Take in what was registered and changed, in transactions that keep nobody waiting."""
    batches = 0
    with database.read() as session:
        behind = list_events_behind(session)
    for event_id in behind:
        batches += index_event(database, event_id, most_batches=most_batches - batches)


def index_event(database: Database, event_id: int, *, most_batches: int | None = None) -> int:
    """Take in what is new and changed of one event; return in how many batches."""
    batches = 0
    while most_batches is None or batches < most_batches:
        batches += 1
        with database.read() as session:
            changes = read_changes(session, event_id)
        with database.write() as session:
            if not store_intake(session, changes):
                break
    return batches


def index_anew(database: Database, event_id: int, *, from_nothing: bool = False) -> None:
    """Have an event's index say what is stored, whatever was written past it.

    Args:
        from_nothing: drop it first, for one that is damaged; people are missing until it is whole.
    """
    if from_nothing:
        with database.write() as session:
            forget(session, event_id)
    last: int | None = 0
    while last is not None:
        with database.write() as session:
            last = mark_all(session, event_id, after=last, limit=AT_ONCE)
        index_event(database, event_id)
