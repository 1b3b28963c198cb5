"""How an event's form gets into pages of other sites: what to paste, and which may show it."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from forms.embedding import REFUSALS, build_origin_form
from forms.organizer_fields import OrganizerForm
from services.embedding import OriginRefused, allow_origin, read_origin, withdraw_origin
from services.members import Member, Permission
from storage import organizations
from storage.models import Event

from ..embed_script import read_integrity, read_version
from ..framing import THEMES, read_theme
from ..headers import FRAMING
from ..site import get_site
from .access import bp, need_event, needs
from .event_headings import view_event


@bp.get("/events/<event>/embed", endpoint="show_embed")
@needs(Permission.EDIT_EVENTS)
def show_embed(member: Member, event: str) -> ResponseReturnValue:
    return _draw(member, event, build_origin_form(None))


@bp.post("/events/<event>/embed", endpoint="allow_origin")
@needs(Permission.MANAGE_ORGANIZATION)
def allow(member: Member, event: str) -> ResponseReturnValue:
    form, site = build_origin_form(request.form), get_site()
    if not form.validate():
        return _draw(member, event, form, status=422)
    try:
        origin = read_origin(form["origin"].data, allows_loopback=site.settings.is_demo)
        with site.database.write() as session:
            need_event(session, member, event)
            allow_origin(session, member, origin, now=site.read_clock())
    except OriginRefused as error:
        form.refuse("origin", str(REFUSALS[error.refusal]))
        return _draw(member, event, form, status=422)
    return redirect(f"/organizer/events/{event}/embed?done=allowed", code=303)


@bp.post("/events/<event>/embed/withdraw", endpoint="withdraw_origin")
@needs(Permission.MANAGE_ORGANIZATION)
def withdraw(member: Member, event: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        need_event(session, member, event)
        origin = request.form.get("origin", "")
        withdraw_origin(session, member, origin, now=site.read_clock())
    return redirect(f"/organizer/events/{event}/embed?done=withdrawn", code=303)


def _draw(
    member: Member, event: str, form: OrganizerForm, *, status: int = 200
) -> ResponseReturnValue:
    theme = read_theme(request.args)
    with get_site().database.read() as session:
        found = need_event(session, member, event)
        organization = organizations.need_organization(session, member.organization_id)
        page = render_template(
            "organizer/embed.html",
            event=view_event(found),
            here="embed",
            address=f"/organizer/events/{event}",
            origins=list(organization.embed_origins),
            rows=form.rows,
            errors=form.error_list,
            snippets=_write_snippets(found, theme),
            theme=theme,
            themes=["", *THEMES],
            done=request.args.get("done", ""),
        )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = FRAMING
    return response


def _write_snippets(event: Event, theme: str) -> dict[str, Any]:
    """Write what to paste, in the event's own language: it is read on other sites."""
    links = get_site().links
    with force_locale(event.default_locale):
        words, title = _("Register here"), _("Registration form")
    link = f'<a href="{links.event(event.slug)}">{words}</a>'
    chosen = f' data-theme="{theme}"' if theme else ""
    # A page that says nothing of its colours is light.
    query = f"lang={event.default_locale}&amp;theme={theme or THEMES[0]}"
    return {
        "script": (
            f'<script src="{links.base_url}/embed-{read_version()}.js"\n'
            f'  integrity="{read_integrity()}"\n'
            f'  crossorigin="anonymous" data-event="{event.slug}"{chosen} async></script>\n'
            f"<noscript>{link}</noscript>"
        ),
        "box": (
            f'<div data-uketsuke-event="{event.slug}"{chosen}>{link}</div>\n'
            f'<script src="{links.base_url}/embed.js" async></script>'
        ),
        "frame": (
            f'<iframe src="{links.event(event.slug)}/embed?{query}"\n  title="{title}" '
            'width="100%" height="1600" loading="lazy" style="border:0"></iframe>'
        ),
        "link": link,
    }
