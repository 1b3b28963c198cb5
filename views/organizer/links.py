"""Links that work once: the first owner's, an invitation, a new password, the demo's entrance.

Opening one shows a form or a button and changes nothing: mail scanners open every link.
"""

from __future__ import annotations

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.accounts import build_join_form, build_new_password_form
from forms.organizer_fields import OrganizerForm
from services import accounts, passwords, sign_in
from services.access_links import LinkPurpose, find_link
from services.accounts import LinkUsed
from services.members import Role
from storage import identity_providers, organizations, organizers
from storage.models import AccessLink, Organization

from ..locale import read_locale
from ..site import get_site
from .access import SIGN_IN, bp
from .entering import end_former_session, read_device, take_in


@bp.get("/enter/<token>")
def show_link(token: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        link = _need_link(session, token)
        return _draw(session, token, link, _build_form(session, link, is_sent=False))


@bp.post("/enter/<token>")
def use_link(token: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        link = _need_link(session, token)
        company, is_closed = _find_company(session, link)
        if is_closed:
            return redirect(f"{SIGN_IN}/{company}", code=303)
        form = _build_form(session, link, is_sent=True)
        if form is not None and not form.validate():
            return _draw(session, token, link, form), 422
    # Hashing takes long, and holds up nobody here.
    password_hash = passwords.hash_password(form["password"].data) if form else ""
    try:
        if link.purpose == LinkPurpose.PASSWORD:
            return _set_password(link, password_hash)
        return _enter(link, form, password_hash)
    except LinkUsed:
        abort(404)


def _need_link(session: Session, token: str) -> AccessLink:
    site = get_site()
    link = find_link(session, site.signer, token, now=site.read_clock())
    if link is None:
        abort(404)
    return link


def _build_form(session: Session, link: AccessLink, *, is_sent: bool) -> OrganizerForm | None:
    """Return what a link asks for; None where a button is enough."""
    sent = request.form if is_sent else None
    if link.purpose == LinkPurpose.ENTER:
        return None
    if link.purpose == LinkPurpose.PASSWORD:
        assert link.organizer_id is not None, "password links belong to an account"
        organizer = organizers.get_organizer(session, link.organizer_id)
        assert organizer is not None, "links end with their account"
        return build_new_password_form(sent, known=(organizer.email, organizer.name))
    if accounts.has_account(session, link):
        return None
    return build_join_form(
        sent, email=link.email, asks_organization=not _need_organization(session, link).name
    )


def _find_company(session: Session, link: AccessLink) -> tuple[str, bool]:
    """Return the organization whose company account opens it too, and whether nothing else does."""
    if link.purpose != LinkPurpose.MEMBER or link.organization_id is None:
        return "", False
    provider = identity_providers.get_provider(session, link.organization_id)
    if provider is None:
        return "", False
    is_owner = link.role == Role.OWNER and link.event_ids is None
    is_closed = not provider.allows_passwords and not is_owner
    return _need_organization(session, link).public_id, is_closed


def _set_password(link: AccessLink, password_hash: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        accounts.set_password_by_link(session, link, password_hash, now=site.read_clock())
    return redirect(f"{SIGN_IN}?done=password", code=303)


def _enter(link: AccessLink, form: OrganizerForm | None, password_hash: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    if link.purpose == LinkPurpose.ENTER:
        with site.database.write() as session:
            end_former_session(session)
            token = sign_in.enter_by_link(session, site.keys, link, device=read_device(), now=now)
            organizer = organizers.get_organizer(session, link.organizer_id or 0)
        if token is None or organizer is None:
            raise LinkUsed
        take_in(organizer, token)
        return redirect("/organizer", code=303)
    with site.database.write() as session:
        organizer = accounts.join(
            session,
            link,
            email=_read(form, "email"),
            name=_read(form, "name"),
            organization_name=_read(form, "organization"),
            password_hash=password_hash,
            locale=read_locale(),
            now=now,
        )
        if organizer is None:
            return redirect(f"{SIGN_IN}?done=joined", code=303)
        end_former_session(session)
        token = sign_in.begin_session(
            session, site.keys, organizer, by="link", device=read_device(), now=now
        )
    assert token is not None, "they are a member now"
    take_in(organizer, token)
    return redirect("/organizer", code=303)


def _read(form: OrganizerForm | None, name: str) -> str:
    return str(form[name].data) if form is not None and name in form else ""


def _need_organization(session: Session, link: AccessLink) -> Organization:
    assert link.organization_id is not None, "invitations belong to an organization"
    return organizations.need_organization(session, link.organization_id)


def _draw(session: Session, token: str, link: AccessLink, form: OrganizerForm | None) -> str:
    organization = ""
    if link.organization_id is not None:
        organization = _need_organization(session, link).name
    titles = {
        LinkPurpose.OWNER: _("Set up Uketsuke"),
        LinkPurpose.MEMBER: _("Join %(organization)s", organization=organization or "Uketsuke"),
        LinkPurpose.PASSWORD: _("Choose a new password"),
        LinkPurpose.ENTER: _("Sign in"),
    }
    buttons = {
        LinkPurpose.OWNER: _("Create the account"),
        LinkPurpose.MEMBER: _("Join"),
        LinkPurpose.PASSWORD: _("Save the password"),
        LinkPurpose.ENTER: _("Sign in"),
    }
    purpose = LinkPurpose(link.purpose)
    company, is_closed = _find_company(session, link)
    return render_template(
        "organizer/enter.html",
        token=token,
        purpose=purpose,
        title=titles[purpose],
        button=buttons[purpose],
        email=link.email,
        company=company,
        is_closed=is_closed,
        rows=form.rows if form else [],
        errors=form.error_list if form else [],
    )
