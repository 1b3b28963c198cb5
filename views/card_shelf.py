"""Pictures of events that were drawn, kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from threading import BoundedSemaphore, Lock

from sqlalchemy.orm import Session

from services.card_fonts import find_font
from services.sharing_cards import Card, draw_card
from storage import events

from .kept_pages import Kept

MOST_CARDS = 400
"""Of some 30 KB each, or 80 where there is a photograph: a list's events in both languages."""

WAITED_SECONDS = 1.0
MOST_AT_IT = 2
"""Who draws, and one that waits for the same picture, or for its turn."""


class Cards:
    """Pictures that were drawn, by their names, which come from all that they show.

    One is drawn at a time, and only once however many ask: drawing keeps a core busy for a while.
    Most requests do not wait for it either, as their threads serve registrations too.
    """

    def __init__(self) -> None:
        self._kept: Kept[bytes] = Kept(MOST_CARDS)
        self._places = BoundedSemaphore(MOST_AT_IT)
        self._drawing = Lock()

    def find(self, name: str) -> bytes | None:
        return self._kept.find(name)

    def draw(self, card: Card, pictures: Mapping[str, bytes], font: str) -> bytes | None:
        """Return a card, or None if others are being drawn, so that it is not worth waiting."""
        if not self._places.acquire(blocking=False):
            return None
        try:
            if not self._drawing.acquire(timeout=WAITED_SECONDS):
                return None
            try:
                return self._kept.get(
                    card.name, lambda: draw_card(card, find_font(font), **pictures)
                )
            finally:
                self._drawing.release()
        finally:
            self._places.release()


def read_pictures(session: Session, card: Card) -> dict[str, bytes]:
    """Read the pictures that a card has on it, by their places."""
    pictures = {}
    for place, name in (("logo", card.logo), ("header", card.header)):
        asset = events.get_asset(session, name) if name else None
        if asset is not None:
            pictures[place] = asset.content
    return pictures
