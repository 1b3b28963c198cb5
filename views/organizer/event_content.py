"""An event's content: its texts, its time, who may come, how it looks."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from forms.event_content import ContentForm, build_content_form
from services import audit
from services.audit import Action
from services.branding import Brand, derive_brand
from services.event_content import (
    Difference,
    SlugTaken,
    change_content,
    list_differences,
    mark_version,
    read_picture,
)
from services.event_documents import EventDocument
from services.event_editing import DatesDecided, EventChangeRefused, MeetingTaken
from services.event_files import PLACES, Picture, describe_event
from services.event_views import list_date_views
from services.events import EventState
from services.images import MAX_BYTES, Flaw, ImageRefused
from services.members import Member, Permission
from services.picture_refs import PictureRef
from storage import events
from storage.models import Event

from ..bodies import takes_files
from ..locale import read_locale
from ..markdown import render_markdown
from ..site import get_site
from .access import bp, need_event, needs
from .event_headings import view_event
from .versions import carry_version

BODY_BYTES = 2 * MAX_BYTES + 512 * 1024
"""Two pictures and all texts."""


class _ChangedMeanwhile(Exception):
    """Somebody else has saved since the form was opened."""


@bp.get("/events/<event>/content", endpoint="show_content")
@needs(Permission.EDIT_EVENTS)
def show_content(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        stored = describe_event(session, found)
        form = _choose_form(stored).from_document(stored)
        return _draw(session, found, form, stored, done=request.args.get("done", ""))


@bp.post("/events/<event>/content", endpoint="change_content")
@needs(Permission.EDIT_EVENTS)
@takes_files(BODY_BYTES)
def change(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        found = need_event(session, member, event)
        stored = describe_event(session, found)
        form = _choose_form(stored)(_read_typed(found))
        is_valid = form.validate()
        if request.form.get("act") == "preview":
            return _draw(session, found, form, stored, is_preview=True)
        pictures, flaws = _read_pictures()
        if flaws or not is_valid:
            return _draw(session, found, form, stored, flaws=flaws, status=422)
    try:
        done = _save(member, event, form, pictures)
    except _ChangedMeanwhile:
        return _show_both(member, event, form)
    except SlugTaken:
        form.slug.errors = [_("Another event has this address. Choose another one")]
    except MeetingTaken:
        form.starts_at.errors = [_("Another event leads to its meeting at Zoom until then")]
    except DatesDecided:
        words = _("Which dates people come to cannot change: somebody has registered")
        form.date_choice.errors = [words]
    except EventChangeRefused:
        form.slug.errors = [_("This cannot be changed any more")]
    else:
        return redirect(f"/organizer/events/{event}/content?done={done}", code=303)
    with site.database.read() as session:
        found = need_event(session, member, event)
        return _draw(session, found, form, describe_event(session, found), status=422)


def _save(member: Member, event: str, form: ContentForm, pictures: dict[str, Picture]) -> str:
    """Store the content and say what the page tells of it: `moved` where people get a mail."""
    site = get_site()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        # Not before: whoever registers while this waits is told of another time too.
        now = site.read_clock()
        stored = describe_event(session, found)
        wanted = _place_pictures(form, stored, pictures)
        if mark_version(found, stored) != request.form.get("version"):
            if wanted == stored:
                return "saved"  # It was stored already, by a try whose answer was lost.
            raise _ChangedMeanwhile
        names = {difference.name for difference in list_differences(wanted, stored)}
        change_content(session, found, wanted, pictures=pictures, now=now)
        facts: dict[str, audit.Fact] = {"fields": ",".join(sorted({*names, *pictures}))}
        audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)
        return "moved" if found.moved_at == now and not found.dates else "saved"


def _show_both(member: Member, event: str, form: ContentForm) -> ResponseReturnValue:
    """Show what was typed beside what somebody else has saved meanwhile; nothing is stored."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        stored = describe_event(session, found)
        differences = list(list_differences(form.to_document(stored), stored))
        return _draw(session, found, form, stored, differences=differences, status=409)


def _draw(
    session: Session,
    event: Event,
    form: ContentForm,
    stored: EventDocument,
    *,
    done: str = "",
    is_preview: bool = False,
    flaws: dict[str, str] | None = None,
    differences: list[Difference] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    rows = form.rows_by_name
    errors = form.error_list + [(place, words) for place, words in (flaws or {}).items()]
    page = render_template(
        "organizer/content.html",
        event=view_event(event),
        here="content",
        form=form,
        rows=rows,
        version=carry_version(mark_version(event, stored), status=status),
        errors=[] if is_preview else errors,
        flaws=flaws or {},
        done=done,
        dates=list_date_views(event, read_locale(), get_site().read_clock()),
        is_new=request.args.get("new") == "1",
        is_draft=event.status == EventState.DRAFT,
        preview=_preview(form) if is_preview else None,
        brand=_view_brand(rows["brand_color"].value),
        pictures={place: _view_picture(session, event, place) for place in PLACES},
        differences=[_view_difference(difference, rows) for difference in differences or []],
    )
    return page, status


def _choose_form(stored: EventDocument) -> type[ContentForm]:
    return build_content_form(read_locale(), stored.timezone or "UTC")


def _read_typed(event: Event) -> MultiDict[str, str]:
    """Return what was sent; a published event's address is not to be changed."""
    typed = MultiDict(request.form)
    if event.status != EventState.DRAFT:
        typed["slug"] = event.slug
    return typed


def _read_pictures() -> tuple[dict[str, Picture], dict[str, str]]:
    """Draw what was uploaded anew, and say what is wrong with the rest."""
    pictures: dict[str, Picture] = {}
    flaws: dict[str, str] = {}
    for place in PLACES:
        file = request.files.get(place)
        if file is None or not file.filename:
            continue
        try:
            pictures[place] = read_picture(place, file.read(MAX_BYTES + 1))
        except ImageRefused as error:
            flaws[place] = describe_flaw(error.flaw)
    return pictures, flaws


def _place_pictures(
    form: ContentForm, stored: EventDocument, pictures: dict[str, Picture]
) -> EventDocument:
    """Return what was typed with the pictures that came, and without those that are to go."""
    changes: dict[str, Any] = {}
    for place in PLACES:
        if place in pictures:
            changes[place] = PictureRef(f"uploaded-{place}", form.read_text(f"{place}_alt"))
        elif request.form.get(f"remove_{place}") == "yes":
            changes[place] = None
    return replace(form.to_document(stored), **changes)


def describe_flaw(flaw: Flaw) -> str:
    """Say what is wrong with an uploaded image."""
    return {
        Flaw.TOO_BIG: _("The image is larger than 2 MB. Make it smaller"),
        Flaw.NO_PICTURE: _("Choose an image in the format PNG, JPEG or WebP"),
        Flaw.DAMAGED: _("The image is damaged and cannot be read. Choose another one"),
        Flaw.TOO_MANY_PIXELS: _("The image has too many pixels. Make it smaller"),
    }[flaw]


def _preview(form: ContentForm) -> list[dict[str, Any]]:
    names = {"ja": _("Japanese"), "en": _("English")}
    return [
        {
            "locale": locale,
            "language": names[locale],
            "title": form[f"title_{locale}"].data,
            "lead": form[f"lead_{locale}"].data,
            "text": render_markdown(form[f"description_{locale}"].data),
        }
        for locale in names
        if form[f"title_{locale}"].data or form[f"description_{locale}"].data
    ]


def _view_brand(color: str) -> list[dict[str, Any]]:
    """Return each colour that pages would use, with its contrast and the least that is needed."""
    try:
        brand: Brand = derive_brand(color)
    except ValueError:
        return []
    labels = {
        "text_on_fill": (_("Text on buttons"), 4.5),
        "link_light": (_("Links on a light page"), 4.5),
        "link_dark": (_("Links on a dark page"), 4.5),
        "border_light": (_("Borders on a light page"), 3),
        "border_dark": (_("Borders on a dark page"), 3),
    }
    colors = asdict(brand)
    return [
        {
            "label": label,
            "color": colors[name],
            "behind": _get_ground(name, brand),
            "ratio": f"{int(brand.ratios[name] * 10) / 10:.1f}",
            "needed": needed,
            "is_changed": name in brand.changed,
        }
        for name, (label, needed) in labels.items()
    ]


def _get_ground(name: str, brand: Brand) -> str:
    if name == "text_on_fill":
        return brand.fill
    return "#ffffff" if name.endswith("light") else "#16181d"


def _view_picture(session: Session, event: Event, place: str) -> dict[str, Any] | None:
    asset_id = getattr(event, f"{place}_id")
    asset = events.get_asset_by_id(session, asset_id) if asset_id else None
    if asset is None:
        return None
    return {"url": f"/assets/{asset.name}", "width": asset.width, "height": asset.height}


def _view_difference(difference: Difference, rows: Any) -> tuple[str, str, str]:
    name = f"{difference.name}_{difference.locale}" if difference.locale else difference.name
    label = rows[name].label if name in rows else difference.name
    return label, _say(difference.mine), _say(difference.theirs)


def _say(value: object) -> str:
    if isinstance(value, PictureRef):
        return _("an image")
    if value in (None, "", False):
        return _("nothing")
    return _("yes") if value is True else str(value)
