"""Events to files and back: the document and the pictures beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy.orm import Session

from storage import events, organizations
from storage.models import Asset, Event, Organization
from zoom_client import Kind

from .default_notice import Operator, write_notice, write_summary
from .event_documents import EventDocument, OrganizationTexts, write_document
from .event_parts import (
    PARTS,
    Speaker,
    entry_to_row,
    item_from_row,
    material_from_row,
    speaker_from_row,
)
from .events import read_current_form
from .images import EncodedImage, ImageRefused, encode_header, encode_logo, encode_portrait
from .organizations import make_operator
from .picture_refs import PictureRef
from .questions import ConsentKind, Question
from .tables import DocumentError

PLACES = ("logo", "header")
"""Where an event shows a picture; also the keys of the file."""

_ENCODE = {"logo": encode_logo, "header": encode_header}
_NOT_COPIED = ("kind", "logo", "header", "organization", "questions", *PARTS)


@dataclass(frozen=True)
class Picture:
    """A picture from a file: as it was read, and as it would be served."""

    source: bytes
    encoded: EncodedImage


def export_event(session: Session, event: Event) -> str:
    """Write everything about an event as TOML; `list_pictures` has the files it names.

    A privacy notice that is the one every event starts with is left out: it follows the
    organization's address when the file is read again.
    """
    organization = organizations.need_organization(session, event.organization_id)
    operator = make_operator(organization)
    questions = read_current_form(session, event).questions
    document = replace(
        describe_event(session, event),
        organization=_copy_texts(organization),
        questions=tuple(_drop_default_notice(q, operator) for q in questions),
    )
    return write_document(document)


def describe_event(session: Session, event: Event) -> EventDocument:
    """Return an event as a document without its organization and its questions."""
    values = {
        part.name: getattr(event, part.name)
        for part in fields(EventDocument)
        if part.name not in _NOT_COPIED
    }
    return EventDocument(
        **values,
        kind=Kind(event.kind),
        logo=_make_ref(session, event, "logo"),
        header=_make_ref(session, event, "header"),
        speakers=list_speakers(event),
        programme=tuple(map(item_from_row, event.programme)),
        materials=tuple(map(material_from_row, event.materials)),
    )


def list_speakers(event: Event) -> tuple[Speaker, ...]:
    return tuple(speaker_from_row(row, _name_portrait(event.slug, row)) for row in event.speakers)


def list_pictures(session: Session, event: Event) -> dict[str, bytes]:
    """Return the pictures of an event by the names that its file gives them."""
    assets = ((place, _get_asset(session, event, place)) for place in PLACES)
    pictures = {_name_file(event, place, asset): asset.content for place, asset in assets if asset}
    for row in event.speakers:
        asset = get_portrait(session, row)
        if asset is not None:
            pictures[_name_portrait(event.slug, row)] = asset.content
    return pictures


def get_portrait(session: Session, row: Mapping[str, Any]) -> Asset | None:
    """Return the picture of a speaker, as the event's row has them."""
    return events.get_asset(session, row["picture"]["asset"]) if row["picture"] else None


def name_portrait_place(speaker: Speaker) -> str:
    """Return the key of a speaker's picture among the pictures of an event."""
    return f"speakers.{speaker.id}"


def read_pictures(
    document: EventDocument, read_file: Callable[[str], bytes | None]
) -> dict[str, Picture]:
    """Read and draw anew the pictures that a document names, by place.

    `read_file` returns None for a file that is not there; whether that matters is seen on saving.

    Raises:
        DocumentError: a file is no picture that can be used.
    """
    pictures = {}
    for place, ref in _list_refs(document):
        source = read_file(ref.file)
        if source is None:
            continue
        try:
            encode = _ENCODE.get(place, encode_portrait)
            pictures[place] = Picture(source, encode(source))
        except ImageRefused as error:
            raise DocumentError(f"{place}.file: {error}") from error
    return pictures


def choose_picture(
    session: Session, event: Event, place: str, ref: PictureRef | None, picture: Picture | None
) -> Asset | EncodedImage | None:
    """Return what an event shows at a place; the stored picture stays if the file is its export.

    Raises:
        DocumentError: the file that the document names was not there.
    """
    if ref is None:
        return None
    asset = _get_asset(session, event, place)
    name = _name_file(event, place, asset) if asset else ""
    return _choose(place, ref, picture, asset, name)


def choose_portrait(
    session: Session, event: Event, speaker: Speaker, picture: Picture | None
) -> Asset | EncodedImage | None:
    """As `choose_picture`, of the picture of one speaker."""
    if speaker.picture is None:
        return None
    row = next((row for row in event.speakers if row["id"] == speaker.id), None)
    asset = get_portrait(session, row) if row else None
    name = _name_portrait(event.slug, row) if row and asset else ""
    return _choose(name_portrait_place(speaker), speaker.picture, picture, asset, name)


def make_rows(document: EventDocument, portraits: Mapping[str, str]) -> dict[str, Any]:
    """Return what an event's row keeps of the lists of a document; `portraits` names assets."""
    return {
        name: [
            entry_to_row(entry, portraits.get(entry.id, "")) for entry in getattr(document, name)
        ]
        for name in PARTS
    }


def fill_in_notices(questions: tuple[Question, ...], operator: Operator) -> tuple[Question, ...]:
    """Give each privacy consent without a notice the one that every event starts with."""
    return tuple(
        replace(
            question,
            notice=question.notice or write_notice(operator),
            notice_summary=question.notice_summary or write_summary(operator),
        )
        if question.consent is ConsentKind.PRIVACY
        else question
        for question in questions
    )


def _list_refs(document: EventDocument) -> Iterator[tuple[str, PictureRef]]:
    for place in PLACES:
        ref: PictureRef | None = getattr(document, place)
        if ref is not None:
            yield place, ref
    for speaker in document.speakers:
        if speaker.picture is not None:
            yield name_portrait_place(speaker), speaker.picture


def _choose(
    place: str, ref: PictureRef, picture: Picture | None, asset: Asset | None, name: str
) -> Asset | EncodedImage:
    """Take a new picture, or the stored one where the document names it."""
    if picture is None:
        if asset is None or ref.file != name:
            raise DocumentError(f"{place}.file names {ref.file}, which is not there")
        return asset
    # Drawing the same picture again would lose some of it each time.
    return asset if asset and asset.content == picture.source else picture.encoded


def _drop_default_notice(question: Question, operator: Operator) -> Question:
    if question.consent is not ConsentKind.PRIVACY:
        return question
    has_own_notice = question.notice != write_notice(operator)
    has_own_summary = question.notice_summary != write_summary(operator)
    return replace(
        question,
        notice=question.notice if has_own_notice else {},
        notice_summary=question.notice_summary if has_own_summary else {},
        attendance={},
    )


def _copy_texts(organization: Organization) -> OrganizationTexts | None:
    texts = OrganizationTexts(
        **{part.name: getattr(organization, part.name) for part in fields(OrganizationTexts)}
    )
    return texts if texts.name else None


def _make_ref(session: Session, event: Event, place: str) -> PictureRef | None:
    asset = _get_asset(session, event, place)
    alt: Mapping[str, str] = getattr(event, f"{place}_alt")
    return PictureRef(_name_file(event, place, asset), alt) if asset else None


def _get_asset(session: Session, event: Event, place: str) -> Asset | None:
    asset_id: int | None = getattr(event, f"{place}_id")
    return events.get_asset_by_id(session, asset_id) if asset_id else None


def _name_file(event: Event, place: str, asset: Asset) -> str:
    return f"{event.slug}-{place}.{asset.media_type.removeprefix('image/')}"


def _name_portrait(slug: str, row: Mapping[str, Any]) -> str:
    return f"{slug}-{row['id']}.webp"
