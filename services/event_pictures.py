"""What an event's row keeps of the pictures and lists of a document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import events
from storage.models import Asset, Event

from .event_documents import EventDocument
from .event_files import (
    PLACES,
    Picture,
    choose_picture,
    choose_portrait,
    make_rows,
    name_portrait_place,
)
from .images import EncodedImage


def list_shown(
    session: Session,
    event: Event,
    document: EventDocument,
    pictures: Mapping[str, Picture],
    *,
    now: datetime,
) -> dict[str, Any]:
    """Return the columns of an event for what a document shows, and store new pictures.

    Raises:
        DocumentError: a file that the document names was not there.
    """
    values: dict[str, Any] = {}
    for place in PLACES:
        ref = getattr(document, place)
        chosen = choose_picture(session, event, place, ref, pictures.get(place))
        asset = _keep(session, event, chosen, now)
        values[f"{place}_id"] = asset.id if asset else None
        values[f"{place}_alt"] = dict(ref.alt) if ref else {}
    portraits = {}
    for speaker in document.speakers:
        picture = pictures.get(name_portrait_place(speaker))
        asset = _keep(session, event, choose_portrait(session, event, speaker, picture), now)
        if asset is not None:
            portraits[speaker.id] = asset.name
    return values | make_rows(document, portraits)


def _keep(
    session: Session, event: Event, picture: Asset | EncodedImage | None, now: datetime
) -> Asset | None:
    if not isinstance(picture, EncodedImage):
        return picture
    return events.ensure_asset(
        session,
        event.organization_id,
        name=picture.name,
        media_type=picture.media_type,
        size=(picture.width, picture.height),
        content=picture.content,
        now=now,
    )
