"""The dashboard's navigation; members see only the entries that are open to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, request, url_for
from flask_babel import lazy_gettext

from services.members import Permission


@dataclass(frozen=True)
class Way:
    """One entry; `below` is where its other pages lie, if not below its own, `rank` its place."""

    endpoint: str
    label: Any
    needed: Permission
    description: Any = ""
    below: str = ""
    rank: int = 5

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_here(self) -> bool:
        """Whether this page is the entry's, or lies below it."""
        return request.path == self.url or request.path.startswith(f"{self.below or self.url}/")


SETTINGS_PAGE = "organizer.show_settings"
"""Shown to who may set anything."""

MAIN = (
    Way(
        "organizer.list_events",
        lazy_gettext("Events"),
        Permission.SEE_EVENTS,
        below="/organizer/events",
    ),
    Way(SETTINGS_PAGE, lazy_gettext("Settings"), Permission.SEE_EVENTS),
    Way("organizer.show_account", lazy_gettext("Account"), Permission.SIGNED_IN),
)

SETTINGS: list[Way] = []
"""What the settings page lists; a module adds its own."""


def list_navigation(ways: tuple[Way, ...] | list[Way] = MAIN) -> list[Way]:
    """Return the entries that the member of this request may open."""
    member = g.get("member")
    known = sorted(ways, key=lambda way: way.rank)
    permitted = [way for way in known if member is not None and member.may(way.needed)]
    return [way for way in permitted if way.endpoint != SETTINGS_PAGE or list_navigation(SETTINGS)]
