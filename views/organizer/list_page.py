"""The organization's page of coming events: its address, and how other pages show it."""

from __future__ import annotations

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from forms.organization import build_list_page_form
from forms.organizer_fields import OrganizerForm
from services import audit
from services.audit import Action
from services.members import Member, Permission
from services.organization_pages import (
    SlugTaken,
    change_slug,
    count_coming,
    suggest_slug,
)
from services.organizations import ChangedMeanwhile, need_version
from storage import organizations
from storage.models import Organization

from ..embed_script import read_integrity, read_version
from ..site import get_site
from .access import bp, needs, read_organization
from .versions import carry_version

URL = "/organizer/settings/list"


@bp.get("/settings/list", endpoint="show_list_page")
@needs(Permission.MANAGE_ORGANIZATION)
def show(member: Member) -> ResponseReturnValue:
    organization = read_organization(member)
    return _draw(build_list_page_form(None, slug=organization.slug or ""), organization)


@bp.post("/settings/list", endpoint="save_list_page")
@needs(Permission.MANAGE_ORGANIZATION)
def save(member: Member) -> ResponseReturnValue:
    form = build_list_page_form(request.form)
    if not form.validate():
        return _draw(form, read_organization(member), status=422)
    try:
        _store(member, form["slug"].data)
    except ChangedMeanwhile:
        return _draw(form, read_organization(member), status=409)
    except (SlugTaken, IntegrityError):
        form.refuse("slug", _("Another organization has this address. Choose another one"))
    else:
        return redirect(f"{URL}?done=1", code=303)
    return _draw(form, read_organization(member), status=422)


def _store(member: Member, slug: str) -> None:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        organization = organizations.lock_organization(session, member.organization_id)
        if slug == (organization.slug or ""):
            return  # It was stored already, by a try whose answer was lost.
        organization = need_version(
            session, member.organization_id, request.form.get("version", "")
        )
        change_slug(session, organization, slug, now=now)
        facts = {"part": "list", "changed": "slug"}
        audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)


def _draw(
    form: OrganizerForm, organization: Organization, *, status: int = 200
) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        listed = count_coming(session, organization, now=site.read_clock())
    slug, base_url = organization.slug, site.links.base_url
    page = render_template(
        "organizer/list_page.html",
        row=form.rows_by_name["slug"],
        errors=form.error_list,
        version=carry_version(organization.version, status=status),
        alert=_("Somebody else has changed the organization meanwhile. Nothing was saved yet.")
        if status == 409
        else "",
        theirs=slug if status == 409 else None,
        suggested="" if slug else suggest_slug(organization.name),
        address=f"{base_url}/o/{slug}",
        slug=slug,
        snippets=_write_snippets(f"{base_url}/o/{slug}"),
        listed=listed,
        can_be_framed=bool(organization.embed_origins),
    )
    return page, status


def _write_snippets(address: str) -> list[tuple[str, str, str, str]]:
    """Return an id, a label, a line of help and the markup for each way into another page."""
    title, (base_url, _slash, slug) = _("Events"), address.rpartition("/o/")
    named = f'data-organization="{slug}" data-title="{title}"'
    script = (
        f'<script src="{base_url}/embed-{read_version()}.js"\n'
        f'  integrity="{read_integrity()}"\n'
        f'  crossorigin="anonymous" {named} async></script>\n'
        f'<noscript><a href="{address}">{title}</a></noscript>'
    )
    style = "border:0;width:100%;height:600px"
    frame = (
        f'<iframe src="{address}/embed" title="{title}" style="{style}" loading="lazy"></iframe>'
    )
    link = f'<a href="{address}">{title}</a>'
    box = (
        f'<div data-uketsuke-organization="{slug}" data-title="{title}">{link}</div>\n'
        f'<script src="{base_url}/embed.js" async></script>'
    )
    return [
        ("script", _("Script"), _("The list is always as high as what stands in it."), script),
        (
            "box",
            _("Where tags are removed"),
            _("The link inside is shown until the list is there."),
            box,
        ),
        ("frame", _("Frame"), _("Works in most site builders; you choose how high it is."), frame),
        ("link", _("Link"), _("Where nothing else is allowed."), link),
    ]
