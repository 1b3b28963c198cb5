"""Who the organization is: what pages, mails and notices of all its events name."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.organization import NO_POLICY, build_organization_form
from forms.organizer_fields import OrganizerForm
from services import audit
from services.audit import Action
from services.event_editing import change_organization
from services.members import Member, Permission
from services.organizations import ChangedMeanwhile, need_version
from storage.models import Organization

from ..site import get_site
from .access import bp, needs, read_organization
from .versions import carry_version

URL = "/organizer/settings/organization"
_CHOICES = ("timezone", "default_locale", "link_policy")


@bp.get("/settings/organization")
@needs(Permission.MANAGE_ORGANIZATION)
def show_organization(member: Member) -> ResponseReturnValue:
    organization = read_organization(member)
    return _draw(build_organization_form(None, **_list_values(organization)), organization)


@bp.post("/settings/organization")
@needs(Permission.MANAGE_ORGANIZATION)
def save_organization(member: Member) -> ResponseReturnValue:
    form = build_organization_form(request.form)
    if not form.validate():
        return _draw(form, read_organization(member), status=422)
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            organization = need_version(
                session, member.organization_id, request.form.get("version", "")
            )
            changed = change_organization(session, organization, _read_values(form), now=now)
            facts = {"part": "organization", "changed": ",".join(changed)}
            audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)
    except ChangedMeanwhile:
        return _draw(form, read_organization(member), status=409)
    return redirect(f"{URL}?done=1", code=303)


def _list_values(organization: Organization) -> dict[str, str]:
    names = ("name", "legal_name", "address", "representative", "contact_email", "contact_url")
    values = {name: getattr(organization, name) for name in (*names, *_CHOICES)}
    return values | {"link_policy": organization.link_policy or NO_POLICY}


def _read_values(form: OrganizerForm) -> dict[str, Any]:
    values = {field.name: field.data for field in form}
    values |= {name: values[name][0] for name in _CHOICES}
    if values["link_policy"] == NO_POLICY:
        values["link_policy"] = None
    return values


def _draw(
    form: OrganizerForm, organization: Organization, *, status: int = 200
) -> ResponseReturnValue:
    """Draw the form; with status 409 beside what somebody else has stored meanwhile."""
    stored = _list_values(organization)
    typed = {row.name: row.value for row in form.rows}
    page = render_template(
        "organizer/organization.html",
        rows=form.rows,
        errors=form.error_list,
        version=carry_version(organization.version, status=status),
        alert=_("Somebody else has changed the organization meanwhile. Nothing was saved yet.")
        if status == 409
        else "",
        theirs=[
            (row.label, stored[row.name])
            for row in form.rows
            if status == 409 and stored[row.name] != typed[row.name]
        ],
    )
    return page, status
