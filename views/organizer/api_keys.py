"""The keys with which programs use the organization's API."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from forms.api_keys import build_key_form
from forms.organizer_fields import OrganizerForm
from services.api_keys import LIVES_DAYS, KeyState, Scope, issue_key, read_state, revoke_key
from services.dates import HOME, format_moment
from services.members import Member, Permission
from storage import api_keys
from storage.models import ApiKey

from ..locale import read_locale
from ..site import get_site
from .access import bp, needs

URL = "/organizer/settings/api-keys"

SCOPES = {
    Scope.EVENTS_READ: lazy_gettext("See events and their forms, drafts too"),
    Scope.REGISTRATIONS_WRITE: lazy_gettext(
        "Register people; change, approve, deny, cancel and reinstate"
    ),
    Scope.REGISTRATIONS_READ: lazy_gettext("Read who is registered, with answers and consents"),
    Scope.SENSITIVE_READ: lazy_gettext("Read sensitive answers too"),
    Scope.REGISTRATIONS_ERASE: lazy_gettext("Erase people for good"),
    Scope.REGISTRATIONS_EXPORT: lazy_gettext("Download everybody of an event"),
}
_STATES = {
    KeyState.WORKS: (lazy_gettext("Works"), "success"),
    KeyState.SOON: (lazy_gettext("Ends soon"), "warning"),
    KeyState.EXPIRED: (lazy_gettext("Expired"), ""),
    KeyState.REVOKED: (lazy_gettext("Revoked"), ""),
}


@bp.get("/settings/api-keys", endpoint="list_api_keys")
@needs(Permission.MANAGE_ORGANIZATION)
def list_keys(member: Member) -> ResponseReturnValue:
    with get_site().database.read() as session:
        keys = [_view(*row) for row in api_keys.list_keys(session, member.organization_id)]
    return render_template("organizer/api_keys.html", keys=keys)


@bp.get("/settings/api-keys/new", endpoint="show_new_api_key")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def show_new(member: Member) -> ResponseReturnValue:
    return _draw(_build_form(sent=False))


@bp.post("/settings/api-keys/new", endpoint="make_api_key")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def make(member: Member) -> ResponseReturnValue:
    """Answer with the key itself: it is shown once, and kept nowhere."""
    form = _build_form(sent=True)
    if not form.validate():
        return _draw(form), 422
    site = get_site()
    with site.database.write() as session:
        key = issue_key(
            session,
            member,
            name=form["name"].data,
            scopes=[Scope(scope) for scope in form["scopes"].data],
            days=int(form["days"].data[0]),
            now=site.read_clock(),
        )
    return render_template(
        "organizer/api_key_made.html",
        key=key,
        name=form["name"].data,
        command=f'curl -H "Authorization: Bearer {key}" {site.settings.site_url}/api/v1/events',
    )


@bp.post("/settings/api-keys/<api_key>/revoke", endpoint="revoke_api_key")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def revoke(member: Member, api_key: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        if not revoke_key(session, member, api_key, now=site.read_clock()):
            abort(404)
    return redirect(f"{URL}?done=revoked", code=303)


def _build_form(*, sent: bool) -> OrganizerForm:
    lives = [(str(days), ngettext("%(num)d day", "%(num)d days", days)) for days in LIVES_DAYS]
    scopes = [(str(scope), f"{words} ({scope})") for scope, words in SCOPES.items()]
    return build_key_form(request.form if sent else None, scopes=scopes, lives=lives)


def _view(key: ApiKey, author: str) -> dict[str, Any]:
    locale = read_locale()
    state = read_state(key, get_site().read_clock())
    words, kind = _STATES[state]
    used_at = key.last_used_at
    return {
        "public_id": key.public_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "author": author or _("Deleted account"),
        "created": format_moment(key.created_at, HOME, locale),
        "ends": format_moment(key.expires_at, HOME, locale),
        "used": format_moment(used_at, HOME, locale) if used_at else _("Never"),
        "state": words,
        "kind": kind,
        "is_open": state in (KeyState.WORKS, KeyState.SOON),
    }


def _draw(form: OrganizerForm) -> str:
    return render_template("organizer/api_key_new.html", rows=form.rows, errors=form.error_list)
