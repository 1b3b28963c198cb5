"""Who may open a page of the dashboard: every view of it is declared with `needs`.

The browser keeps one cookie, random and for the whole site, that `/organizer` alone reads. Signed
in, its hash is a row of `organizer_session`; before that it only ties forms to the browser.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import chain
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, abort, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services import audit, browsers, csrf
from services.audit import Action
from services.members import OF_THE_ACCOUNT, Member, Permission
from storage import event_lists, organizations, organizers
from storage.models import Event, Organization, Organizer

from ..site import get_site
from .cookies import BROWSER, give_cookie, read_cookie, set_cookies
from .kept import Reason, find_page, has_content, keep

bp = Blueprint("organizer", __name__, url_prefix="/organizer")

SIGN_IN = "/organizer/sign-in"
PROVE = "/organizer/prove"
ORGANIZATIONS = "/organizer/account#organizations-heading"
NEEDED = "needed_permission"
"""The attribute of a view that names the permission it was declared with."""

View = Callable[..., ResponseReturnValue]


def needs(
    permission: Permission, *, proof: bool = False, is_polled: bool = False
) -> Callable[[View], View]:
    """Declare what a view needs: it is called with `member`, who has that right.

    Whoever is not signed in is led to do so and back; whoever lacks the right gets 403, whatever
    was asked for, and the log an entry. What belongs to others is the view's to answer with 404,
    which `need_event` and the storage functions that take `organization_id` make easy. A form of
    another organization than the one they are in by now is given back (409).

    Args:
        proof: ask again who it is where that was last shown more than ten minutes ago.
        is_polled: an open page asks by itself, which is no sign that somebody is there.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def answer(**arguments: Any) -> ResponseReturnValue:
            member = find_member(is_there=not is_polled)
            if member is None:
                return _send_to(SIGN_IN, Reason.SIGN_IN)
            if permission not in OF_THE_ACCOUNT and _is_of_another_organization(member):
                return _give_back(member)
            if not member.may(permission):
                _record_denial(member, permission)
                abort(403)
            if proof and not browsers.is_proven(member, get_site().read_clock()):
                return _send_to(PROVE, Reason.PROVE)
            return view(member=member, **arguments)

        setattr(answer, NEEDED, permission)
        return answer

    return declare


def find_member(*, is_there: bool = True) -> Member | None:
    """Return who is signed in with this browser; it is read once for each request.

    Side effects: it is noted when somebody was there, as sessions end that nobody uses.
    """
    if "member" not in g:
        g.member = _read_member(is_there=is_there)
        if g.member is not None:
            g.known_locale = g.member.locale
    return g.member


def need_event(session: Session, member: Member, public_id: str) -> Event:
    """Return an event that the member may see; any other is answered with 404."""
    event = event_lists.get_event(
        session, member.organization_id, public_id, event_ids=member.event_ids
    )
    if event is None:
        abort(404)
    return event


def need_organizer(session: Session, member: Member) -> Organizer:
    """Return the row of the member's own account."""
    organizer = organizers.get_organizer(session, member.organizer_id)
    if organizer is None:
        abort(404)
    return organizer


def read_organization(member: Member) -> Organization:
    """Return the row of the member's organization, as it is now."""
    with get_site().database.read() as session:
        organization = organizations.need_organization(session, member.organization_id)
        session.expunge_all()
    return organization


def make_form_token(organization: str | None = None) -> str:
    """Return the hidden field of a form that changes something. Side effects: the cookie.

    It says which organization's page it is: the present one's, or that of a form that is kept.
    """
    if not read_cookie(BROWSER):
        give_cookie(BROWSER, browsers.new_token())
    member: Member | None = g.get("member")
    if organization is None:
        organization = member.organization_public_id if member else ""
    return csrf.make_csrf_token(get_site().keys, read_cookie(BROWSER), organization)


def read_next() -> str:
    """Return where to go after signing in: a path of the dashboard, and nothing else."""
    wanted = request.values.get("next", "")
    is_path = wanted.startswith("/organizer") and urlsplit(wanted).netloc == ""
    is_plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if is_path and is_plain and "//" not in wanted else "/organizer"


@bp.context_processor
def _add_member() -> dict[str, Member | None]:
    return {"member": g.get("member")}


@bp.before_request
def _check_origin() -> ResponseReturnValue | None:
    """Refuse what another site has a browser send: by what the browser says, and by the token.

    The token changes with the session. What a page of ours sends with a former one, as the browser
    says itself, is not done, but given back to be sent once more.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(400)
    origin = request.headers.get("Origin")
    if origin not in (None, "null") and origin.partition("://")[2] != request.host:
        abort(400)
    token = request.form.get("csrf_token", "")
    cookie = read_cookie(BROWSER)
    if cookie and csrf.is_csrf_token(get_site().keys, cookie, token):
        return None
    is_ours = origin not in (None, "null") or request.headers.get("Sec-Fetch-Site") == "same-origin"
    is_for_members = hasattr(current_app.view_functions.get(request.endpoint or ""), NEEDED)
    if not (is_ours and is_for_members and has_content()):
        abort(400)
    return keep(Reason.STALE, "", 400)


@bp.before_request
def _check_values() -> None:
    """Answer 400 to what no control of a page sends; PostgreSQL would refuse to compare it."""
    names = (file.filename or "" for file in request.files.values())
    if any("\0" in value for value in chain(request.form.values(), names)):
        abort(400)


bp.after_request(set_cookies)


def _read_member(*, is_there: bool) -> Member | None:
    token = read_cookie(BROWSER)
    if not token:
        return None
    site = get_site()
    now = site.read_clock()
    with site.database.read() as session:
        member = browsers.find_member(session, site.keys, token, now=now)
    if is_there and member is not None and now - member.seen_at > browsers.NOTED_EVERY:
        with site.database.write() as session:
            organizers.note_seen(session, member.session_id, now=now)
    return member


def _send_to(page: str, reason: Reason) -> ResponseReturnValue:
    """Send the browser to a page that comes first, and back; a sent form is kept meanwhile."""
    way = f"{page}?{urlencode({'next': find_page()})}"
    if request.method == "POST" and has_content():
        return keep(reason, way, 403)
    return redirect(way, code=303)


def _is_of_another_organization(member: Member) -> bool:
    """Tell whether what was sent stood on a page of another organization than the present one.

    Somebody has gone to another one in a second tab meanwhile.
    """
    return _read_form_organization() not in ("", member.organization_public_id)


def _read_form_organization() -> str:
    return csrf.read_organization(request.form.get("csrf_token", ""))


def _give_back(member: Member) -> ResponseReturnValue:
    """Keep a form of another organization, with both names; of one that is closed to them none."""
    wanted = _read_form_organization()
    with get_site().database.read() as session:
        found = browsers.list_open(session, member.organizer_id, confined_to=member.confined_to)
        names = [row.name for _, row in found if row.public_id == wanted]
    both = (names[0] if names else None, member.organization_name)
    return keep(Reason.ORGANIZATION, ORGANIZATIONS if names else "", 409, organizations=both)


def _record_denial(member: Member, permission: Permission) -> None:
    site = get_site()
    with site.database.write() as session:
        audit.record(
            session,
            member,
            Action.ACCESS_DENIED,
            facts={"needed": str(permission)},
            now=site.read_clock(),
        )
