"""Making another organization in this installation."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.accounts import LONGEST_ORGANIZATION, build_name_form
from forms.organizer_fields import OrganizerForm
from services.members import Member, Permission
from services.organizations import add_owned_organization

from ..site import get_site
from .access import bp, needs

NEXT = "/organizer/settings?done=organization"


@bp.get("/organizations/new")
@needs(Permission.ADD_ORGANIZATIONS, proof=True)
def show_new_organization(member: Member) -> ResponseReturnValue:
    return _draw(_build_form(sent=False))


@bp.post("/organizations/new")
@needs(Permission.ADD_ORGANIZATIONS, proof=True)
def make_organization(member: Member) -> ResponseReturnValue:
    form = _build_form(sent=True)
    if not form.validate():
        return _draw(form), 422
    site = get_site()
    with site.database.write() as session:
        add_owned_organization(session, member, form["name"].data, now=site.read_clock())
    return redirect(NEXT, code=303)


def _build_form(*, sent: bool) -> OrganizerForm:
    return build_name_form(
        request.form if sent else None,
        _("Name of the organization"),
        _("Enter the name of the organization"),
        longest=LONGEST_ORGANIZATION,
        name="",
    )


def _draw(form: OrganizerForm) -> str:
    return render_template(
        "organizer/new_organization.html", rows=form.rows, errors=form.error_list
    )
