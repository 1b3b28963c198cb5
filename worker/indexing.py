"""Keeping the index of registrations while nobody looks at it."""

from __future__ import annotations

from services.registration_index import catch_up, list_events_behind
from storage.session import Database

MOST_BATCHES = 200
"""In one look: a hundred thousand registrations, which an upgrade may bring at once."""


def index_registrations(database: Database) -> None:
    """Take in what was registered and changed, in transactions that keep nobody waiting."""
    batches = 0
    with database.read() as session:
        behind = list_events_behind(session)
    for event_id in behind:
        while batches < MOST_BATCHES:
            batches += 1
            with database.write() as session:
                if not catch_up(session, event_id):
                    break
