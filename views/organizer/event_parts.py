"""An event's speakers, programme and materials: three lists, each entry on a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.event_parts import EntryForm, build_entry_form
from services import audit
from services.audit import Action
from services.event_content import change_content, read_picture, replace_list
from services.event_documents import EventDocument
from services.event_files import Picture, describe_event, get_portrait
from services.event_parts import (
    MOST_ENTRIES,
    NEW,
    PARTS,
    AnyEntry,
    EntryChanged,
    NoRoom,
    Speaker,
    check_entry_id,
    drop_entry,
    find_entry,
    get_name,
    mark_entry,
    shift_entry,
    store_entry,
)
from services.images import MAX_BYTES, ImageRefused
from services.members import Member, Permission
from services.picture_refs import PictureRef
from services.texts import localize
from storage import events
from storage.models import Event

from ..bodies import takes_files
from ..locale import read_locale
from ..site import get_site
from .access import bp, need_event, needs
from .event_content import describe_flaw
from .event_headings import view_event

BODY_BYTES = MAX_BYTES + 128 * 1024
_STEPS = {"up": -1, "down": 1}


@bp.get("/events/<event>/content/lists", endpoint="show_parts")
@needs(Permission.EDIT_EVENTS)
def show_parts(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        document = describe_event(session, found)
        return render_template(
            "organizer/parts.html",
            event=view_event(found),
            here="content",
            parts={name: _list_rows(getattr(document, name)) for name in PARTS},
            most=MOST_ENTRIES,
            done=request.args.get("done", ""),
        )


@bp.post("/events/<event>/content/lists", endpoint="move_entry")
@needs(Permission.EDIT_EVENTS)
def move(member: Member, event: str) -> ResponseReturnValue:
    """Move one entry up or down; one that is gone moves nothing."""
    steps = _STEPS.get(request.form.get("act", ""), 0)
    part, entry_id = request.form.get("part", ""), request.form.get("entry", "")
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        if part in PARTS and steps:
            document = describe_event(session, found)
            entries = getattr(document, part)
            moved = shift_entry(entries, entry_id, steps)
            if moved != entries:
                _store(session, member, found, replace_list(document, part, moved), part, now=now)
    place = f"#{part}-{entry_id}" if part in PARTS and check_entry_id(entry_id) else ""
    return redirect(f"/organizer/events/{event}/content/lists{place}", code=303)


@bp.get("/events/<event>/content/<part>/<entry>", endpoint="show_entry")
@needs(Permission.EDIT_EVENTS)
def show_entry(member: Member, event: str, part: str, entry: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = _need_event(session, member, event, part, entry)
        stored = _find(session, found, part, entry)
        if stored is None and entry != NEW:
            return _lead_back(event)
        return _draw(session, found, _build(session, found, part, stored), stored)


@bp.post("/events/<event>/content/<part>/<entry>", endpoint="save_entry")
@needs(Permission.EDIT_EVENTS)
@takes_files(BODY_BYTES)
def save_entry(member: Member, event: str, part: str, entry: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = _need_event(session, member, event, part, entry)
        stored = _find(session, found, part, entry)
        form = _build(session, found, part, stored, is_sent=True)
        is_removal = request.form.get("act") == "remove"
        if is_removal and stored is None:
            return _lead_back(event, "removed")
        picture, flaw = _read_picture(part)
        if not is_removal and (not form.validate() or flaw):
            return _draw(session, found, form, stored, flaw=flaw, status=422)
    try:
        if is_removal:
            _remove(member, event, part, entry)
        else:
            _save(member, event, form, entry, picture)
    except EntryChanged:
        return _show_both(member, event, form, entry)
    except NoRoom:
        return _show_full(member, event, form)
    return _lead_back(event, "removed" if is_removal else "saved")


def _need_event(session: Session, member: Member, event: str, part: str, entry: str) -> Event:
    """Return the event, or answer 404 also where an address can name no entry."""
    found = need_event(session, member, event)
    return found if part in PARTS and check_entry_id(entry) else abort(404)


def _save(
    member: Member, event: str, form: EntryForm, entry_id: str, picture: Picture | None
) -> None:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        document = describe_event(session, found)
        entries: Sequence[AnyEntry] = getattr(document, form.part)
        stored = find_entry(entries, entry_id)
        is_as_seen = _mark(session, found, stored) == request.form.get("seen")
        wanted = form.to_entry(entry_id, _choose_ref(stored, picture))
        saved = store_entry(entries, wanted, is_as_seen=is_as_seen)
        if saved == tuple(entries):
            return
        place = saved[-1].id if entry_id == NEW else entry_id
        pictures = {f"speakers.{place}": picture} if picture else {}
        changed = replace_list(document, form.part, saved)
        _store(session, member, found, changed, form.part, pictures=pictures, now=now)


def _remove(member: Member, event: str, part: str, entry_id: str) -> None:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        found = events.lock_event(session, need_event(session, member, event).id)
        stored = _find(session, found, part, entry_id)
        if stored is None:
            return
        if _mark(session, found, stored) != request.form.get("seen"):
            raise EntryChanged
        document = describe_event(session, found)
        changed = replace_list(document, part, drop_entry(getattr(document, part), entry_id))
        _store(session, member, found, changed, part, now=now)


def _store(
    session: Session,
    member: Member,
    event: Event,
    document: EventDocument,
    part: str,
    *,
    pictures: dict[str, Picture] | None = None,
    now: datetime,
) -> None:
    change_content(session, event, document, pictures=pictures or {}, now=now)
    name = f"event:{event.public_id}"
    audit.record(session, member, Action.EVENT_CHANGED, name, facts={"fields": part}, now=now)


def _show_both(member: Member, event: str, form: EntryForm, entry_id: str) -> ResponseReturnValue:
    """Show what was typed beside what somebody else has stored meanwhile; nothing is stored."""
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        stored = _find(session, found, form.part, entry_id)
        if stored is None:
            alert = _("Somebody else has removed this entry meanwhile. Saving brings it back.")
            return _draw(session, found, form, None, alert=alert, status=409)
        alert = _("Somebody else has changed this entry meanwhile")
        theirs = _build(session, found, form.part, stored).rows_by_name
        differences = [
            (row.label, _say(row), _say(theirs[row.name]))
            for row in form.rows
            if row.values != theirs[row.name].values
        ]
        return _draw(session, found, form, stored, alert=alert, differences=differences, status=409)


def _show_full(member: Member, event: str, form: EntryForm) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found, alert = need_event(session, member, event), _("There is no room for more entries.")
        return _draw(session, found, form, None, alert=alert, status=422)


def _draw(
    session: Session,
    event: Event,
    form: EntryForm,
    stored: AnyEntry | None,
    *,
    flaw: str = "",
    alert: str = "",
    differences: Sequence[tuple[str, str, str]] = (),
    status: int = 200,
) -> ResponseReturnValue:
    seen = _mark(session, event, stored)
    page = render_template(
        "organizer/part_entry.html",
        event=view_event(event),
        here="content",
        part=form.part,
        name=_name(stored) if stored else "",
        rows=form.rows_by_name,
        errors=[*form.error_list, *([("picture", flaw)] if flaw else [])],
        flaw=flaw,
        picture=_find_portrait(session, event, stored),
        # Drawn again for a mistake it stays what was seen: that says nothing of others.
        seen=request.form.get("seen", seen) if status == 422 else seen,
        alert=alert,
        differences=differences,
        address=request.path,
    )
    return page, status


def _build(
    session: Session, event: Event, part: str, stored: AnyEntry | None, *, is_sent: bool = False
) -> EntryForm:
    speakers = describe_event(session, event).speakers
    formdata = request.form if is_sent else None
    return build_entry_form(part, stored, speakers, locale=read_locale(), formdata=formdata)


def _find(session: Session, event: Event, part: str, entry_id: str) -> AnyEntry | None:
    entries: Sequence[AnyEntry] = getattr(describe_event(session, event), part)
    return find_entry(entries, entry_id)


def _mark(session: Session, event: Event, entry: AnyEntry | None) -> str:
    return mark_entry(entry, _find_portrait(session, event, entry)) if entry else ""


def _find_portrait(session: Session, event: Event, entry: AnyEntry | None) -> str:
    """Return the address of a speaker's picture."""
    if not isinstance(entry, Speaker):
        return ""
    row = next(row for row in event.speakers if row["id"] == entry.id)
    asset = get_portrait(session, row)
    return f"/assets/{asset.name}" if asset else ""


def _read_picture(part: str) -> tuple[Picture | None, str]:
    """Draw what was uploaded anew, or say what is wrong with it."""
    file = request.files.get("picture")
    if part != "speakers" or file is None or not file.filename:
        return None, ""
    try:
        return read_picture("portrait", file.read(MAX_BYTES + 1)), ""
    except ImageRefused as error:
        return None, describe_flaw(error.flaw)


def _choose_ref(stored: AnyEntry | None, picture: Picture | None) -> PictureRef | None:
    if picture is not None:
        return PictureRef("uploaded")
    if request.form.get("remove_picture") == "yes" or not isinstance(stored, Speaker):
        return None
    return stored.picture


def _name(entry: AnyEntry) -> str:
    return localize(get_name(entry), read_locale())


def _list_rows(entries: Sequence[AnyEntry]) -> list[dict[str, Any]]:
    locale = read_locale()
    return [
        {
            "id": entry.id,
            "name": _name(entry),
            "about": localize(getattr(entry, "role", getattr(entry, "time", {})), locale)
            or getattr(entry, "url", ""),
            "is_first": number == 0,
            "is_last": number == len(entries) - 1,
        }
        for number, entry in enumerate(entries)
    ]


def _say(row: Any) -> str:
    labels = {option.value: option.label for option in row.choices}
    return _(", ").join(labels.get(value, value) for value in row.values if value) or _("nothing")


def _lead_back(event: str, done: str = "") -> ResponseReturnValue:
    query = f"?done={done}" if done else ""
    return redirect(f"/organizer/events/{event}/content/lists{query}", code=303)
