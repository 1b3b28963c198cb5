"""Events to files and back: the document and the pictures beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

from sqlalchemy.orm import Session

from storage import events, organizations
from storage.models import Asset, Event, Organization
from zoom_client import Kind

from .default_notice import Operator, write_notice, write_summary
from .event_documents import EventDocument, OrganizationTexts, PictureRef, write_document
from .events import read_current_form
from .images import EncodedImage, ImageRefused, encode_header, encode_logo
from .organizations import make_operator
from .questions import ConsentKind, Question
from .tables import DocumentError

PLACES = ("logo", "header")
"""Where an event shows a picture; also the keys of the file."""

_ENCODE = {"logo": encode_logo, "header": encode_header}


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
        if part.name not in ("kind", "logo", "header", "organization", "questions")
    }
    return EventDocument(
        **values,
        kind=Kind(event.kind),
        logo=_make_ref(session, event, "logo"),
        header=_make_ref(session, event, "header"),
    )


def list_pictures(session: Session, event: Event) -> dict[str, bytes]:
    """Return the pictures of an event by the names that its file gives them."""
    assets = ((place, _get_asset(session, event, place)) for place in PLACES)
    return {_name_file(event, place, asset): asset.content for place, asset in assets if asset}


def read_pictures(
    document: EventDocument, read_file: Callable[[str], bytes | None]
) -> dict[str, Picture]:
    """Read and draw anew the pictures that a document names, by place.

    `read_file` returns None for a file that is not there; whether that matters is seen on saving.

    Raises:
        DocumentError: a file is no picture that can be used.
    """
    pictures = {}
    for place in PLACES:
        ref: PictureRef | None = getattr(document, place)
        source = read_file(ref.file) if ref else None
        if source is None:
            continue
        try:
            pictures[place] = Picture(source, _ENCODE[place](source))
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
    if picture is None:
        if asset is None or ref.file != _name_file(event, place, asset):
            raise DocumentError(f"{place}.file names {ref.file}, which is not there")
        return asset
    # Drawing the same picture again would lose some of it each time.
    return asset if asset and asset.content == picture.source else picture.encoded


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


def _drop_default_notice(question: Question, operator: Operator) -> Question:
    if question.consent is not ConsentKind.PRIVACY:
        return question
    has_own_notice = question.notice != write_notice(operator)
    has_own_summary = question.notice_summary != write_summary(operator)
    return replace(
        question,
        notice=question.notice if has_own_notice else {},
        notice_summary=question.notice_summary if has_own_summary else {},
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
