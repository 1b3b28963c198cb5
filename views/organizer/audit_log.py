"""Who did and saw what in the organization, and the same as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from services import audit
from services.api_keys import KEY
from services.audit import COMMAND, NOBODY, Action, Break
from services.dates import HOME, YEARS, format_moment
from services.formulas import defuse
from services.members import Member, Permission
from services.spreadsheets import write_csv
from storage import api_keys
from storage import audit as entries
from storage.audit import AuditFilter
from storage.models import AuditEntry
from storage.session import Database

from ..locale import read_locale
from ..numbers import read_number
from ..site import get_site
from .access import bp, needs
from .audit_words import describe_facts, describe_object

PAGE = 100
ALL = AuditFilter()

ACTIONS = {
    Action.SIGNED_IN: lazy_gettext("Signed in"),
    Action.SIGN_IN_FAILED: lazy_gettext("Failed to sign in"),
    Action.SIGNED_OUT: lazy_gettext("Signed out"),
    Action.SESSION_ENDED: lazy_gettext("Ended a session"),
    Action.ACCESS_DENIED: lazy_gettext("Was refused a page"),
    Action.PASSWORD_CHANGED: lazy_gettext("Changed the password"),
    Action.PASSWORD_LINK_ASKED: lazy_gettext("Asked for a new password"),
    Action.SECOND_FACTOR_ADDED: lazy_gettext("Added a way to sign in"),
    Action.SECOND_FACTOR_REMOVED: lazy_gettext("Removed a way to sign in"),
    Action.RECOVERY_CODES_MADE: lazy_gettext("Made recovery codes"),
    Action.COMPANY_LINKED: lazy_gettext("Signed in with the company's account for the first time"),
    Action.ORGANIZATION_ADDED: lazy_gettext("Made the organization"),
    Action.MEMBER_INVITED: lazy_gettext("Invited a member"),
    Action.INVITATION_WITHDRAWN: lazy_gettext("Withdrew an invitation"),
    Action.MEMBER_JOINED: lazy_gettext("Joined"),
    Action.MEMBER_CHANGED: lazy_gettext("Changed a member"),
    Action.MEMBER_REMOVED: lazy_gettext("Removed a member"),
    Action.AUDIT_SEEN: lazy_gettext("Looked at the audit log"),
    Action.AUDIT_EXPORTED: lazy_gettext("Downloaded the audit log"),
    Action.SETTINGS_CHANGED: lazy_gettext("Changed settings"),
    Action.API_KEY_MADE: lazy_gettext("Made an API key"),
    Action.API_KEY_REVOKED: lazy_gettext("Revoked an API key"),
    Action.WEBHOOK_MADE: lazy_gettext("Set up a webhook"),
    Action.WEBHOOK_CHANGED: lazy_gettext("Changed a webhook"),
    Action.WEBHOOK_REMOVED: lazy_gettext("Removed a webhook"),
    Action.EVENT_SEEN: lazy_gettext("Looked at an event"),
    Action.EVENT_CHANGED: lazy_gettext("Changed an event"),
    Action.PEOPLE_LISTED: lazy_gettext("Looked at a list of people"),
    Action.PERSON_SEEN: lazy_gettext("Looked at a person"),
    Action.PERSON_CHANGED: lazy_gettext("Changed a person"),
    Action.PEOPLE_CHANGED: lazy_gettext("Changed several people"),
    Action.PEOPLE_IMPORTED: lazy_gettext("Imported people"),
    Action.PEOPLE_EXPORTED: lazy_gettext("Downloaded people"),
}
_WORDS = {str(action): words for action, words in ACTIONS.items()}


@bp.get("/settings/audit", endpoint="show_audit")
@needs(Permission.SEE_AUDIT)
def show_audit(member: Member) -> ResponseReturnValue:
    """Show a page of the log; looking at it is an entry itself."""
    site, locale = get_site(), read_locale()
    wanted, before = _read_filter(), read_number(request.args.get("before", ""))
    with site.database.read() as session:
        head = entries.get_head(session, member.organization_id)
        found = entries.list_entries(
            session, member.organization_id, wanted, before=before, limit=PAGE + 1
        )
        names = _list_names(session, {entry.actor for entry in found})
        actors = entries.list_organizers(session, member.organization_id)
    with site.database.write() as session:
        audit.record(session, member, Action.AUDIT_SEEN, now=site.read_clock())
    shown = found[:PAGE]
    query = {name: value for name, value in request.args.items() if name not in ("before", "lang")}
    return render_template(
        "organizer/audit.html",
        entries=[_view(entry, names, locale) for entry in shown],
        actions=[(str(action), label) for action, label in ACTIONS.items()],
        actors=actors,
        asked=query,
        query=query,
        before=shown[-1].number if len(found) > PAGE else None,
        broken=_find_break(found, head if before is None else None) if wanted == ALL else None,
        is_whole=wanted == ALL,
    )


def _list_names(session: Session, actors: set[str]) -> dict[str, str]:
    """Return how actors are called: organizers by their address, keys of the API by their name."""
    keys = {actor.removeprefix(KEY) for actor in actors if actor.startswith(KEY)}
    names = {
        f"{KEY}{key}": _("API key “%(name)s”", name=name)
        for key, name in api_keys.list_names(session, keys).items()
    }
    return names | entries.list_actors(session, actors)


@bp.get("/settings/audit.csv")
@needs(Permission.SEE_AUDIT, proof=True)
def export_audit(member: Member) -> ResponseReturnValue:
    """Stream the whole log, or what the filter shows, oldest first, with its hashes."""
    site = get_site()
    wanted = _read_filter()
    with site.database.write() as session:
        audit.record(session, member, Action.AUDIT_EXPORTED, now=site.read_clock())
    rows = _list_rows(site.database, member.organization_id, wanted)
    response = Response(write_csv(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _list_rows(database: Database, chain: int, wanted: AuditFilter) -> Iterator[list[str]]:
    """Yield the cells of a file; a slow reader of it holds no transaction."""
    yield _HEADINGS
    last = 0
    while True:
        with database.read() as session:
            chunk = entries.read_chunk(session, chain, wanted, after=last)
            rows = [_list_cells(entry) for entry in chunk]
            last = chunk[-1].number if chunk else last
        if not rows:
            return
        yield from rows


_HEADINGS = ["number", "at", "actor", "action", "object", "facts", "hash"]


def _find_break(found: list[AuditEntry], head: tuple[int, str] | None) -> Break | None:
    """Check a page of the unfiltered log, newest first: each entry against the one before it.

    Where it is the first page it has to end at `head`, which was read before it.
    """
    oldest_first = found[::-1]
    is_all = len(found) <= PAGE
    after = (0, audit.BEGINNING) if is_all else (oldest_first[0].number, oldest_first[0].hash)
    shown = oldest_first if is_all else oldest_first[1:]
    if head is not None:
        shown = [entry for entry in shown if entry.number <= head[0]]
    last = (shown[-1].number, shown[-1].hash) if shown else after
    return audit.find_break(shown, head or last, after=after)


def _list_cells(entry: AuditEntry) -> list[str]:
    facts = json.dumps(entry.facts, sort_keys=True, ensure_ascii=False)
    at = entry.at.isoformat(timespec="microseconds")
    cells = (str(entry.number), at, entry.actor, entry.action, entry.object, facts, entry.hash)
    return [defuse(cell) for cell in cells]


def _read_filter() -> AuditFilter:
    since = _read_day(request.args.get("since", ""))
    until = _read_day(request.args.get("until", ""))
    action = request.args.get("action", "")
    return AuditFilter(
        actor=_read_name("actor"),
        action=action if action in _WORDS else "",
        object=_read_name("object"),
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


def _read_name(name: str) -> str:
    """Return a filter's public id or kind; nothing else is in the log, nor may all be asked for."""
    asked = request.args.get(name, "")
    return asked if re.fullmatch(r"[\w:-]{1,80}", asked, re.ASCII) else ""


def _read_day(text: str) -> datetime | None:
    """Return when a day begins where organizers are; None for what is no day of our years."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time(), ZoneInfo(HOME)) if day.year in YEARS else None


def _view(entry: AuditEntry, names: dict[str, str], locale: str) -> dict[str, Any]:
    actors = {NOBODY: _("Nobody signed in"), COMMAND: _("Command line")}
    kind, public_id = describe_object(entry.object)
    return {
        "number": entry.number,
        "at": entry.at,
        "when": format_moment(entry.at, HOME, locale),
        "actor": actors.get(entry.actor) or names.get(entry.actor) or _("Deleted account"),
        "action": _WORDS.get(entry.action, entry.action),
        "object": entry.object,
        "kind": kind,
        "public_id": public_id,
        "facts": describe_facts(entry.facts),
    }
