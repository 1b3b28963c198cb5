"""Links of their own for channels and people: made, renamed, put away, with what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.invitation_links import build_link_form
from forms.organizer_fields import OrganizerForm
from services import audit
from services.audit import Action
from services.funnels import count_links
from services.invitation_links import (
    TAG_NAMES,
    LinkKind,
    add_link,
    clean_tags,
    ensure_link_of,
    list_shown,
    name_link,
)
from services.members import Member, Permission
from services.sources import REF
from storage import invitation_links, registration_index, registrations
from storage.models import Event, InvitationLink

from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event
from .people_filters import refresh_index
from .person import need_person
from .versions import carry_version


@bp.get("/events/<event>/inviting/new", endpoint="show_new_invitation_link")
@needs(Permission.EDIT_EVENTS)
def show_new(member: Member, event: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        return _draw_new(found, _build_form(asks_kind=True))


@bp.post("/events/<event>/inviting/new", endpoint="make_invitation_link")
@needs(Permission.EDIT_EVENTS)
def make(member: Member, event: str) -> ResponseReturnValue:
    site, form = get_site(), _build_form(asks_kind=True, is_sent=True)
    if not form.validate():
        with site.database.read() as session:
            return _draw_new(need_event(session, member, event), form), 422
    now = site.read_clock()
    with site.database.write() as session:
        found = need_event(session, member, event)
        [kind], name, tags = form["kind"].data, form["name"].data, _read_tags(form)
        link = add_link(session, found, LinkKind(kind), name=name, tags=tags, now=now)
        code = link.code
        _record(session, member, event)
    return redirect(f"{_address(event, code)}?done=made", code=303)


@bp.get("/events/<event>/inviting/<link>", endpoint="show_invitation_link")
@needs(Permission.SEE_EVENTS)
def show(member: Member, event: str, link: str) -> ResponseReturnValue:
    refresh_index(member, event)
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        return _draw(session, found, _need_link(session, found, link))


@bp.post("/events/<event>/inviting/<link>", endpoint="change_invitation_link")
@needs(Permission.EDIT_EVENTS)
def change(member: Member, event: str, link: str) -> ResponseReturnValue:
    """Rename a link, put it away or bring it back; its code stays."""
    site, form = get_site(), _build_form(asks_kind=False, is_sent=True)
    act = request.form.get("act", "save")
    status = 200 if act != "save" or form.validate() else 422
    now = site.read_clock()
    if status == 200:
        with site.database.write() as session:
            found = need_event(session, member, event)
            row = invitation_links.lock_link(session, _need_link(session, found, link))
            is_named = row.kind != LinkKind.PERSON
            if act == "save" and is_named and str(row.version) != request.form.get("version"):
                status = 409
            else:
                _apply(row, act, form, now)
                _record(session, member, event)
    if status != 200:
        with site.database.read() as session:
            found = need_event(session, member, event)
            return _draw(session, found, _need_link(session, found, link), form, status=status)
    return redirect(f"{_address(event, link)}?done=saved", code=303)


@bp.post("/events/<event>/people/<person>/link", endpoint="make_persons_link")
@needs(Permission.EDIT_EVENTS)
def make_of_person(member: Member, event: str, person: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        found = need_event(session, member, event)
        row = need_person(session, found, person)
        code = ensure_link_of(session, found, row, now=site.read_clock()).code
        _record(session, member, event)
    return redirect(_address(event, code), code=303)


def _apply(link: InvitationLink, act: str, form: OrganizerForm, now: datetime) -> None:
    if act in ("archive", "restore"):
        link.archived_at = now if act == "archive" else None
    elif act == "save" and link.kind != LinkKind.PERSON:
        link.name, link.tags = form["name"].data, clean_tags(_read_tags(form))
        link.version += 1
    else:
        abort(422)


def list_links(session: Session, event: Event) -> list[dict[str, Any]]:
    """List an event's links with what came of them; a registered person's once anything did."""
    totals = registration_index.list_totals(session, event.id)
    named = list_shown(session, event.id, totals.get(f"source:{REF}", {}).keys())
    steps = count_links(session, event, [one.link.code for one in named], totals)
    return [
        {
            "code": one.link.code,
            "name": one.name,
            "kind": words.LINK_KIND[one.link.kind],
            "steps": steps[one.link.code],
            "is_archived": one.link.archived_at is not None,
        }
        for one in named
    ]


def write_link(event: Event, code: str) -> str:
    """Return the address that a link of an event stands for."""
    return f"{get_site().links.event(event.slug)}?{REF}={code}"


def _draw_new(event: Event, form: OrganizerForm) -> str:
    return render_template(
        "organizer/new_link.html",
        event=view_event(event),
        here="inviting",
        rows=form.rows,
        errors=form.error_list,
    )


def _draw(
    session: Session,
    event: Event,
    link: InvitationLink,
    form: OrganizerForm | None = None,
    *,
    status: int = 200,
) -> tuple[str, int]:
    totals = registration_index.list_totals(session, event.id)
    person = (
        registrations.get_registration(session, link.registration_id)
        if link.registration_id
        else None
    )
    stored = {"name": link.name, **link.tags}
    form = form or _build_form(asks_kind=False, chosen=stored)
    page = render_template(
        "organizer/link.html",
        event=view_event(event),
        here="inviting",
        code=link.code,
        name=name_link(link, person),
        kind=words.LINK_KIND[link.kind],
        person=person.public_id if person else "",
        is_archived=link.archived_at is not None,
        tags=[(words.SOURCE[name], link.tags[name]) for name in TAG_NAMES if name in link.tags],
        url=write_link(event, link.code),
        steps=count_links(session, event, [link.code], totals)[link.code],
        rows=form.rows,
        errors=form.error_list,
        is_changed=status == 409,
        version=carry_version(link.version, status=status),
        done=request.args.get("done", ""),
    )
    return page, status


def _build_form(
    *, asks_kind: bool, is_sent: bool = False, chosen: Mapping[str, str] | None = None
) -> OrganizerForm:
    formdata = request.form if is_sent else None
    return build_link_form(formdata, asks_kind=asks_kind, chosen=chosen or {})


def _read_tags(form: OrganizerForm) -> dict[str, str]:
    return {name: form[name].data for name in TAG_NAMES}


def _need_link(session: Session, event: Event, code: str) -> InvitationLink:
    return invitation_links.get_link(session, event.id, code) or abort(404)


def _address(event: str, code: str) -> str:
    return f"/organizer/events/{event}/inviting/{code}"


def _record(session: Session, member: Member, event: str) -> None:
    facts: dict[str, audit.Fact] = {"change": "link"}
    now = get_site().read_clock()
    audit.record(session, member, Action.EVENT_CHANGED, f"event:{event}", facts=facts, now=now)
