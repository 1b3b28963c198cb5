"""An organization's page of coming events, by itself and within pages of others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from flask import Blueprint, abort, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from services.event_schema import Schema, describe_list
from services.organization_pages import ComingEvents, list_coming
from services.texts import LOCALES
from storage import public_pages
from storage.models import Organization

from .framing import enter_frame, get_frame, let_be_framed, open_frame, write_query, write_tags
from .kept_pages import fill, mark
from .locale import list_language_links, read_locale
from .site import get_site

_PLACE = re.compile(r"[A-Za-z0-9_-]{1,40}")

bp = Blueprint("organization_pages", __name__, url_prefix="/o/<slug>")
bp.after_request(let_be_framed)


@dataclass(frozen=True)
class OrganizationView:
    """What the page says of whose it is; `url` is absolute, in its language."""

    name: str
    address: str
    contact_email: str
    contact_url: str
    url: str
    neutral_url: str
    languages: tuple[tuple[str, str], ...]
    schema: Schema


@bp.get("")
def show_list(slug: str) -> ResponseReturnValue:
    return _show(slug, "")


@bp.get("/embed")
def show_framed_list(slug: str) -> ResponseReturnValue:
    enter_frame(slug)
    return _show(slug, "/embed")


def _show(slug: str, end: str) -> ResponseReturnValue:
    site, now = get_site(), get_site().read_clock()
    with site.database.read() as session:
        organization = public_pages.find_organization(session, slug) or abort(404)
        if organization.slug != slug:
            query = request.query_string.decode("latin-1")
            return redirect(f"/o/{organization.slug}{end}?{query}".rstrip("?"), code=301)
        g.default_locale = organization.default_locale
        frame = get_frame()
        if frame:
            open_frame(frame, organization.embed_origins)
        after = _read_place()
        listed = list_coming(session, organization, read_locale(), after=after, now=now)
    values = {"tags": write_tags()}
    if after:
        page = fill(_draw(organization, listed, after), values)
    else:
        key = (organization.id, organization.version, listed, read_locale(), get_frame())
        page = site.lists.fill((*key, slug), values, lambda: _draw(organization, listed))
    return make_response(page)


def _read_place() -> str:
    """Return after which event the list goes on; what names none begins it."""
    asked = request.args.get("after", "")
    return asked if _PLACE.fullmatch(asked) else ""


def _draw(organization: Organization, listed: ComingEvents, after: str = "") -> str:
    tags = mark("tags")
    return render_template(
        "organization/events.html",
        organization=_view(organization, listed),
        listed=listed,
        is_first=not after,
        next_page=write_query(after=listed.after) if listed.after else "",
        tags=tags,
        language_links=list_language_links(rest=f"&after={quote(after)}{tags}" if after else tags),
    )


def _view(organization: Organization, listed: ComingEvents) -> OrganizationView:
    base_url, locale = get_site().links.base_url, read_locale()
    address = f"{base_url}/o/{organization.slug}"
    name = organization.legal_name or organization.name
    return OrganizationView(
        name=name,
        address=organization.address,
        contact_email=organization.contact_email,
        contact_url=organization.contact_url,
        url=f"{address}?lang={locale}",
        neutral_url=address,
        languages=tuple((each, f"{address}?lang={each}") for each in LOCALES),
        schema=describe_list(listed.events, organizer=name, base_url=base_url, locale=locale),
    )
