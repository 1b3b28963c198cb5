"""Changing what an event says, by several people: the second is told what the first has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import events, organizations
from storage.models import Event, ZoomConnection

from .event_documents import EventDocument, check_slug, write_document
from .event_editing import EventChangeRefused, rename_event, save_event
from .event_files import PLACES, Picture, describe_event, list_speakers
from .event_parts import AnyEntry, name_known
from .events import EventState
from .form_drafts import read_edited_form
from .images import encode_header, encode_logo, encode_portrait
from .picture_refs import PictureRef
from .tables import DocumentError

_ENCODE = {"logo": encode_logo, "header": encode_header, "portrait": encode_portrait}
_OF_ITS_OWN = (
    *("slug", "kind", "zoom_id", "starts_at", "duration_minutes", "timezone"),
    *("title", "default_locale"),
)
_TEXTS = ("title", "lead", "description", "fee", "cohost")


class SlugTaken(EventChangeRefused):
    """Another event has that address."""


@dataclass(frozen=True)
class Difference:
    """One thing that two versions of an event say differently; `locale` is that of a text."""

    name: str
    locale: str
    mine: object
    theirs: object


def mark_version(event: Event, document: EventDocument) -> str:
    """Return a digest by which two versions of an event's content are told apart.

    The event's own version number does not do: it also rises when the event fills up, or when the
    organization is renamed. Lists with pages of their own are left out, so that editing them does
    not disturb whoever edits here.
    """
    # Named even where a file leaves it out: a form from before it was asked is told of it.
    pictures = f"{event.logo_id} {event.header_id} {event.is_listed}"
    document = replace(document, speakers=(), programme=(), materials=())
    return hashlib.sha256(f"{pictures}\n{write_document(document)}".encode()).hexdigest()[:20]


def list_differences(mine: EventDocument, theirs: EventDocument) -> Iterator[Difference]:
    """Compare two versions of one event, thing by thing."""
    for name in (part.name for part in fields(EventDocument)):
        left, right = getattr(mine, name), getattr(theirs, name)
        if left == right:
            continue
        if name not in _TEXTS:
            yield Difference(name, "", left, right)
            continue
        for locale in sorted({*left, *right}):
            if left.get(locale, "") != right.get(locale, ""):
                yield Difference(name, locale, left.get(locale, ""), right.get(locale, ""))


def change_content(
    session: Session,
    event: Event,
    document: EventDocument,
    *,
    pictures: Mapping[str, Picture],
    now: datetime,
) -> Event:
    """Make an event what a document says; its questions and its organization stay.

    Side effects: seats for those who wait if there are more, and what `save_event` does.

    Raises:
        EventChangeRefused: as `save_event`, or its address is another's.
    """
    if document.slug != event.slug:
        former = event.slug
        _rename(session, event, document.slug, now)
        document = _rename_pictures(document, former)
    connection = organizations.need_connection(session, event.connection_id)
    return save_event(session, document, pictures=pictures, connection=connection, now=now)


def replace_list(
    document: EventDocument, part: str, entries: tuple[AnyEntry, ...]
) -> EventDocument:
    """Give a document other speakers, another programme or other materials.

    The programme names no speaker who is not there, perhaps any more.
    """
    changes: dict[str, Any] = {part: entries}
    changed = replace(document, **changes)
    return replace(changed, programme=name_known(changed.programme, changed.speakers))


def read_picture(place: str, content: bytes) -> Picture:
    """Draw an uploaded picture anew, as it is shown at a place: `portrait` is a speaker's.

    Raises:
        ImageRefused: it cannot be used.
    """
    return Picture(content, _ENCODE[place](content))


def duplicate_event(
    session: Session,
    event: Event,
    draft: EventDocument,
    connection: ZoomConnection,
    *,
    now: datetime,
) -> Event:
    """Make the event of a draft with the texts, the form and the looks of another one.

    Raises:
        MeetingTaken: another event leads to the draft's meeting.
    """
    document = replace(
        describe_event(session, event),
        **{name: getattr(draft, name) for name in _OF_ITS_OWN},
        opens_at=None,
        closes_at=None,
        logo=None,
        header=None,
        speakers=tuple(replace(speaker, picture=None) for speaker in list_speakers(event)),
        questions=read_edited_form(session, event).questions,
    )
    copy = save_event(session, document, pictures={}, connection=connection, now=now)
    for name in ("logo_id", "header_id", "logo_alt", "header_alt", "speakers"):
        setattr(copy, name, getattr(event, name))
    return copy


def _rename(session: Session, event: Event, slug: str, now: datetime) -> None:
    if event.status != EventState.DRAFT:
        raise EventChangeRefused("Only a draft's address can change: people have the link.")
    if not check_slug(slug):
        raise DocumentError("slug may have small letters, digits and single hyphens alone")
    if events.get_event_by_slug(session, slug) is not None:
        raise SlugTaken(f"There is an event {slug} already.")
    rename_event(session, event, slug, now=now)


def _rename_pictures(document: EventDocument, former: str) -> EventDocument:
    """Name the stored pictures as they are called under the event's new address."""
    changes: dict[str, Any] = {}
    for place in PLACES:
        ref: PictureRef | None = getattr(document, place)
        if ref is not None:
            changes[place] = _rename_ref(ref, former, document.slug)
    changes["speakers"] = tuple(
        replace(speaker, picture=_rename_ref(speaker.picture, former, document.slug))
        if speaker.picture
        else speaker
        for speaker in document.speakers
    )
    return replace(document, **changes)


def _rename_ref(ref: PictureRef, former: str, slug: str) -> PictureRef:
    return replace(ref, file=ref.file.replace(former, slug, 1))
