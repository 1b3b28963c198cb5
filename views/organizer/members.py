"""Who belongs to the organization, and who is invited."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from forms.accounts import build_member_form
from forms.organizer_fields import OrganizerForm
from services import memberships
from services.access_links import LinkPurpose
from services.addresses import email_key
from services.dates import HOME, format_moment
from services.limits import RateLimitReached
from services.members import Member, Permission, Role, may_grant
from services.memberships import (
    AlreadyMember,
    ChangedMeanwhile,
    LastOwner,
    MembershipRefused,
    RoleNotYours,
)
from services.sign_in_limits import count_invitation
from services.texts import localize
from storage import access_links, api_keys, events, members
from storage.members import MemberRow
from storage.models import Event

from ..locale import read_locale
from ..site import get_site
from .access import bp, needs
from .versions import carry_version

MEMBERS = "/organizer/settings/members"

ROLES = {
    Role.OWNER: lazy_gettext("Owner: everything, members and settings too"),
    Role.EDITOR: lazy_gettext("Editor: makes and changes events, sees people"),
    Role.APPROVER: lazy_gettext("Approver: sees people, approves, denies and changes them"),
    Role.EXPORTER: lazy_gettext("Exporter: sees people and downloads their data"),
    Role.VIEWER: lazy_gettext("Viewer: sees people and numbers"),
}
_REFUSALS: dict[type[MembershipRefused], tuple[str, Any]] = {
    RoleNotYours: ("role", lazy_gettext("You cannot give or take a role beyond your own")),
    LastOwner: (
        "role",
        lazy_gettext("An organization needs an owner: make somebody else one first"),
    ),
    AlreadyMember: ("email", lazy_gettext("This person is a member already")),
}
_DONE = {
    "invited": lazy_gettext("The invitation is on its way."),
    "withdrawn": lazy_gettext("The invitation was withdrawn."),
    "changed": lazy_gettext("The member was changed. Their sessions were ended."),
    "removed": lazy_gettext("The member was removed. Their sessions were ended."),
}


@bp.get("/settings/members", endpoint="list_members")
@needs(Permission.MANAGE_MEMBERS)
def list_members(member: Member) -> ResponseReturnValue:
    site, locale = get_site(), read_locale()
    with site.database.read() as session:
        rows = members.list_members(session, member.organization_id)
        links = access_links.list_live_links(
            session, member.organization_id, LinkPurpose.MEMBER, now=site.read_clock()
        )
    return render_template(
        "organizer/members.html",
        done=_DONE.get(request.args.get("done", ""), ""),
        members=[_view(row, locale) for row in rows],
        invitations=[
            {
                "public_id": link.public_id,
                "email": link.email,
                "role": name_role(link.role),
                "until": format_moment(link.expires_at, HOME, locale),
            }
            for link in links
        ],
    )


@bp.get("/settings/members/invite")
@needs(Permission.MANAGE_MEMBERS, proof=True)
def show_invitation(member: Member) -> ResponseReturnValue:
    with get_site().database.read() as session:
        form, _ids = _build_form(session, member, sent=False)
    return _draw(form)


@bp.post("/settings/members/invite")
@needs(Permission.MANAGE_MEMBERS, proof=True)
def invite(member: Member) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        form, ids = _build_form(session, member, sent=True)
    if not form.validate() or not _has_events(form):
        return _draw(form), 422
    try:
        with site.database.write() as session:
            _count(session, member, form["email"].data)
            memberships.invite(
                session,
                member,
                email=form["email"].data,
                role=Role(form["role"].data[0]),
                event_ids=_read_events(form, ids),
                locale=read_locale(),
                now=site.read_clock(),
            )
    except MembershipRefused as error:
        form.refuse(*_explain(error))
        return _draw(form), 422
    except RateLimitReached:
        message = _(
            "Many invitations have gone out today: fifty from an organization, three to an address."
            " Try again later"
        )
        form.refuse("email", message)
        return _draw(form), 429
    return redirect(f"{MEMBERS}?done=invited", code=303)


@bp.post("/settings/invitations/<invitation>/withdraw")
@needs(Permission.MANAGE_MEMBERS, proof=True)
def withdraw(member: Member, invitation: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        if not memberships.withdraw(session, member, invitation, now=site.read_clock()):
            abort(404)
    return redirect(f"{MEMBERS}?done=withdrawn", code=303)


@bp.get("/settings/members/<membership>")
@needs(Permission.MANAGE_MEMBERS, proof=True)
def show_member(member: Member, membership: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        row = _need_member(session, member, membership)
        form, _ids = _build_form(session, member, sent=False, row=row)
    return _draw(form, row)


@bp.post("/settings/members/<membership>")
@needs(Permission.MANAGE_MEMBERS, proof=True)
def change_member(member: Member, membership: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        row = _need_member(session, member, membership)
        form, ids = _build_form(session, member, sent=True, row=row)
    if not form.validate() or not _has_events(form):
        return _draw(form, row), 422
    try:
        with site.database.write() as session:
            row = _lock_member(session, member, membership)
            memberships.change(
                session,
                member,
                row,
                role=Role(form["role"].data[0]),
                event_ids=_read_events(form, ids),
                version=request.form.get("version", ""),
                now=site.read_clock(),
            )
    except ChangedMeanwhile:
        return _draw(form, row, is_changed=True), 409
    except MembershipRefused as error:
        form.refuse(*_explain(error))
        return _draw(form, row), 422
    return redirect(f"{MEMBERS}?done=changed", code=303)


@bp.post("/settings/members/<membership>/remove")
@needs(Permission.MANAGE_MEMBERS, proof=True)
def remove_member(member: Member, membership: str) -> ResponseReturnValue:
    site = get_site()
    try:
        with site.database.write() as session:
            row = _lock_member(session, member, membership)
            memberships.remove(session, member, row, now=site.read_clock())
    except MembershipRefused as error:
        with site.database.read() as session:
            row = _need_member(session, member, membership)
            form, _ids = _build_form(session, member, sent=False, row=row)
        form.refuse(*_explain(error))
        return _draw(form, row), 422
    return redirect(f"{MEMBERS}?done=removed", code=303)


def _count(session: Session, member: Member, email: str) -> None:
    site = get_site()
    if site.settings.rate_limits:
        count_invitation(
            session,
            site.keys,
            organization_id=member.organization_id,
            email_key=email_key(email),
            now=site.read_clock(),
        )


def _need_member(session: Session, member: Member, public_id: str) -> MemberRow:
    row = members.get_member(session, member.organization_id, public_id)
    if row is None:
        abort(404)
    return row


def _lock_member(session: Session, member: Member, public_id: str) -> MemberRow:
    row = members.lock_member(session, member.organization_id, public_id)
    if row is None:
        abort(404)
    return row


def _build_form(
    session: Session, member: Member, *, sent: bool, row: MemberRow | None = None
) -> tuple[OrganizerForm, dict[str, int]]:
    """Return the form, and the ids of the events that it offers by their public ids."""
    # All of them: a box that is not on the page would be taken away by saving it.
    offered = events.list_events_of_organization(session, member.organization_id)[::-1]
    data = {"scope": "all"}
    if row is not None:
        chosen = [event.public_id for event in offered if event.id in (row.event_ids or ())]
        scope = "all" if row.event_ids is None else "some"
        data = {"role": row.membership.role, "scope": scope, "events": ",".join(chosen)}
    form = build_member_form(
        request.form if sent else None,
        roles=[(str(role), str(label)) for role, label in _list_roles(member)],
        events=[(event.public_id, _title(event)) for event in offered],
        asks_email=row is None,
        chosen=data,
    )
    return form, {event.public_id: event.id for event in offered}


def _list_roles(member: Member) -> list[tuple[Role, Any]]:
    return [(role, label) for role, label in ROLES.items() if may_grant(member.role, role)]


def _title(event: Event) -> str:
    return localize(event.title, read_locale()) or event.slug


def _has_events(form: OrganizerForm) -> bool:
    if form["scope"].data == ("some",) and not form["events"].data:
        form.refuse("events", _("Choose at least one event"))
        return False
    return True


def _read_events(form: OrganizerForm, ids: dict[str, int]) -> frozenset[int] | None:
    if form["scope"].data == ("all",):
        return None
    return frozenset(ids[public_id] for public_id in form["events"].data)


def _explain(error: MembershipRefused) -> tuple[str, str]:
    name, message = _REFUSALS[type(error)]
    return name, str(message)


def name_role(role: str) -> str:
    return str(ROLES[Role(role)]).replace("：", ":").partition(":")[0]


def _view(row: MemberRow, locale: str) -> dict[str, Any]:
    return {
        "public_id": row.membership.public_id,
        "name": row.organizer.name or row.organizer.email,
        "email": row.organizer.email,
        "role": name_role(row.membership.role),
        "events": None if row.event_ids is None else len(row.event_ids),
        "since": format_moment(row.membership.created_at, HOME, locale),
    }


def _draw(form: OrganizerForm, row: MemberRow | None = None, *, is_changed: bool = False) -> str:
    return render_template(
        "organizer/member.html",
        rows=form.rows,
        errors=form.error_list,
        row=row,
        version=carry_version(
            memberships.write_version(row) if row else "", status=409 if is_changed else 200
        ),
        is_changed=is_changed,
        now_role=name_role(row.membership.role) if row else "",
        key_names=_list_key_names(row) if row else (),
        now_events=len(row.event_ids) if row and row.event_ids is not None else None,
    )


def _list_key_names(row: MemberRow) -> list[str]:
    site, chain, maker = get_site(), row.membership.organization_id, row.organizer.public_id
    with site.database.read() as session:
        return api_keys.list_names_of(session, chain, maker, now=site.read_clock())
