"""Keeping the index of registrations while nobody looks at it."""

from __future__ import annotations

from services.registration_index import list_events_behind, read_changes
from storage.index_writing import store_intake
from storage.session import Database

MOST_BATCHES = 200
"""In one look: a hundred thousand registrations, which an upgrade may bring at once."""


def index_registrations(database: Database, *, most_batches: int = MOST_BATCHES) -> None:
    """Take in what was registered and changed, in transactions that keep nobody waiting."""
    batches = 0
    with database.read() as session:
        behind = list_events_behind(session)
    for event_id in behind:
        while batches < most_batches:
            batches += 1
            with database.read() as session:
                changes = read_changes(session, event_id)
            with database.write() as session:
                if not store_intake(session, changes):
                    break
