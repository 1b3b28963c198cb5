"""Webhooks: which other systems are told of registrations, and what they are told."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from forms.organizer_fields import OrganizerForm
from forms.webhooks import ALL, CHOSEN, build_webhook_form
from services import audit
from services import webhooks as endpoints
from services.audit import Action
from services.happenings import Happening
from services.members import Member, Permission
from services.texts import localize
from services.webhooks import MOST_ENDPOINTS, OFFERED, Payload, Wish
from storage import events, webhooks
from storage.models import WebhookEndpoint

from ..locale import read_locale
from ..site import get_site
from .access import bp, needs
from .versions import carry_version
from .webhook_words import KINDS, PAYLOADS, describe_state

URL = "/organizer/settings/webhooks"


def need_endpoint(session: Session, member: Member, public_id: str) -> WebhookEndpoint:
    """Return an endpoint of the member's organization; any other is answered with 404."""
    endpoint = webhooks.get_endpoint(session, member.organization_id, public_id)
    if endpoint is None:
        abort(404)
    return endpoint


def lock_endpoint(session: Session, member: Member, public_id: str) -> WebhookEndpoint:
    """As `need_endpoint`, for a change."""
    endpoint = need_endpoint(session, member, public_id)
    locked = webhooks.lock_endpoint(session, endpoint.id)
    if locked is None:
        abort(404)
    return locked


@bp.get("/settings/webhooks", endpoint="list_webhooks")
@needs(Permission.MANAGE_ORGANIZATION)
def list_all(member: Member) -> ResponseReturnValue:
    with get_site().database.read() as session:
        found = webhooks.list_endpoints(session, member.organization_id)
        session.expunge_all()
    return render_template(
        "organizer/webhooks.html",
        endpoints=[(endpoint, *describe_state(endpoint)) for endpoint in found],
        is_full=len(found) >= MOST_ENDPOINTS,
    )


@bp.get("/settings/webhooks/new", endpoint="show_new_webhook")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def show_new(member: Member) -> ResponseReturnValue:
    with get_site().database.read() as session:
        offered = _list_events(session, member)
    ticked = {"kinds": ",".join(OFFERED), "payload": Payload.THIN, "places": ALL}
    return _draw(_build_form(offered, sent=False, **ticked))


@bp.post("/settings/webhooks/new", endpoint="make_webhook")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def make(member: Member) -> ResponseReturnValue:
    """Answer with the secret itself: it is shown once."""
    site = get_site()
    with site.database.read() as session:
        offered = _list_events(session, member)
    form = _build_form(offered, sent=True)
    if not form.validate() or not _check(form):
        return _draw(form, status=422)
    wish = _read_wish(form, offered)
    with site.database.write() as session:
        if len(webhooks.list_endpoints(session, member.organization_id)) >= MOST_ENDPOINTS:
            return redirect(URL, code=303)
        endpoint, secret = endpoints.add_endpoint(
            session, member.organization_id, wish, now=site.read_clock()
        )
        record_change(
            session, member, endpoint, Action.WEBHOOK_MADE, {"payload": str(wish.payload)}
        )
    return show_secret(wish.name, endpoint.public_id, secret, _("The webhook is set up."))


@bp.get("/settings/webhooks/<webhook>/edit", endpoint="show_webhook_form")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def show_form(member: Member, webhook: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        endpoint = need_endpoint(session, member, webhook)
        stored = _read_values(session, endpoint)
        form = _build_form(_list_events(session, member), sent=False, **stored)
        return _draw(form, endpoint)


@bp.post("/settings/webhooks/<webhook>/edit", endpoint="save_webhook")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def save(member: Member, webhook: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.read() as session:
        endpoint = need_endpoint(session, member, webhook)
        offered = _list_events(session, member)
        session.expunge_all()
    form = _build_form(offered, sent=True)
    if not form.validate() or not _check(form):
        return _draw(form, endpoint, status=422)
    wish = _read_wish(form, offered)
    with site.database.write() as session:
        endpoint = lock_endpoint(session, member, webhook)
        is_seen = str(endpoint.version) == request.form.get("version", "")
        if is_seen:
            secret = endpoints.change_endpoint(session, endpoint, wish, now=site.read_clock())
            facts = {"payload": str(wish.payload), "secret": secret is not None}
            record_change(session, member, endpoint, Action.WEBHOOK_CHANGED, facts)
    if not is_seen:
        return _draw(form, endpoint, status=409)
    if secret is None:
        return redirect(f"{URL}/{webhook}?done=saved", code=303)
    message = _("Saved. Another address has another secret; the former one signs no more.")
    return show_secret(wish.name, webhook, secret, message)


def record_change(
    session: Session,
    member: Member,
    endpoint: WebhookEndpoint,
    action: Action,
    facts: dict[str, Any],
) -> None:
    object_, now = f"webhook:{endpoint.public_id}", get_site().read_clock()
    audit.record(session, member, action, object_, facts=facts, now=now)


def _list_events(session: Session, member: Member) -> dict[str, tuple[int, str]]:
    """Return the organization's events by public id, the latest first."""
    found = events.list_events_of_organization(session, member.organization_id)
    locale = read_locale()
    return {
        event.public_id: (event.id, localize(event.title, locale) or event.slug)
        for event in reversed(found)
    }


def _build_form(offered: dict[str, tuple[int, str]], *, sent: bool, **stored: Any) -> OrganizerForm:
    return build_webhook_form(
        request.form if sent else None,
        payloads=[(str(payload), str(words)) for payload, words in PAYLOADS.items()],
        kinds=[(str(kind), f"{words} ({kind})") for kind, words in KINDS.items()],
        events=[(public_id, title) for public_id, (_id, title) in offered.items()],
        stored=stored,
    )


def _check(form: OrganizerForm) -> bool:
    """Find what only the site knows to be wrong."""
    rules = get_site().webhooks.rules
    if not rules.is_safe(form["url"].data):
        form.refuse("url", _explain_address(form["url"].data))
    if form["places"].data == (CHOSEN,) and not form["events"].data:
        form.refuse("events", _("Tick the events, or choose all"))
    return not form.error_list


def _explain_address(url: str) -> str:
    if not url.isascii():
        return _("Write a name in other letters as xn--…, and the rest percent-encoded")
    ports = get_site().webhooks.rules.ports or ()
    if set(ports) == {443}:
        return _("Enter an address that begins with https:// and has no other port")
    return _(
        "Enter an address that begins with https://, at one of the ports %(ports)s",
        ports=", ".join(map(str, sorted(ports))),
    )


def _read_wish(form: OrganizerForm, offered: dict[str, tuple[int, str]]) -> Wish:
    is_for_all = form["places"].data != (CHOSEN,)
    return Wish(
        name=form["name"].data,
        url=form["url"].data,
        payload=Payload(form["payload"].data[0]),
        kinds=tuple(Happening(kind) for kind in form["kinds"].data),
        event_ids=None if is_for_all else tuple(offered[one][0] for one in form["events"].data),
    )


def _read_values(session: Session, endpoint: WebhookEndpoint) -> dict[str, Any]:
    wanted = webhooks.list_subscriptions(session, endpoint.id)
    ids = {one.event_id for one in wanted} - {None}
    found = [events.need_event(session, event_id) for event_id in ids if event_id is not None]
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "kinds": ",".join({one.type for one in wanted}),
        "payload": endpoint.payload,
        "places": CHOSEN if ids else ALL,
        "events": ",".join(event.public_id for event in found),
    }


def show_secret(name: str, public_id: str, secret: str, message: str) -> str:
    """Make the page with a secret, the only one that ever shows it."""
    return render_template(
        "organizer/webhook_secret.html",
        name=name,
        url=f"{URL}/{public_id}",
        secret=secret,
        message=message,
    )


def _draw(
    form: OrganizerForm, endpoint: WebhookEndpoint | None = None, *, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "organizer/webhook_form.html",
        rows=form.rows,
        errors=form.error_list,
        endpoint=endpoint,
        version=carry_version(endpoint.version, status=status) if endpoint else "",
        alert=_("Somebody else has changed the webhook meanwhile. Check it and save again.")
        if status == 409
        else "",
    )
    return page, status
