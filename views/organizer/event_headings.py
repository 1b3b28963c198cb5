"""What stands at the top of each page about one event."""

from __future__ import annotations

from typing import Any

from services.texts import localize
from storage.models import Event

from ..locale import read_locale


def view_event(event: Event) -> dict[str, Any]:
    locale = read_locale()
    return {
        "public_id": event.public_id,
        "slug": event.slug,
        "title": localize(event.title, locale) or event.slug,
        "is_draft": event.status == "draft",
    }
