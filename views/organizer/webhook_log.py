"""One webhook: how it fares, its secret, what it was told, and sending it once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from services import webhooks as endpoints
from services.audit import Action
from services.dates import HOME, format_moment
from services.members import Member, Permission
from services.webhook_letters import write_id
from services.webhooks import EndpointState, MessageState, Reason
from storage import events, webhook_messages, webhooks
from storage.models import WebhookEndpoint, WebhookMessage

from ..locale import read_locale
from ..numbers import read_number
from ..site import get_site
from .access import bp, needs
from .webhook_words import PAYLOADS, STATES, describe_answer, describe_state, name_kind
from .webhooks import URL, lock_endpoint, need_endpoint, record_change, show_secret

PAGE = 50


@bp.get("/settings/webhooks/<webhook>", endpoint="show_webhook")
@needs(Permission.MANAGE_ORGANIZATION)
def show(member: Member, webhook: str) -> ResponseReturnValue:
    return _draw(member, webhook)


@bp.post("/settings/webhooks/<webhook>/secret", endpoint="change_webhook_secret")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def change_secret(member: Member, webhook: str) -> ResponseReturnValue:
    """Answer with the secret itself: it is shown once, so a second press makes no other."""
    site = get_site()
    with site.database.write() as session:
        endpoint = lock_endpoint(session, member, webhook)
        name, is_seen = endpoint.name, str(endpoint.version) == request.form.get("version", "")
        if is_seen:
            secret = endpoints.rotate_secret(session, endpoint, now=site.read_clock())
            record_change(session, member, endpoint, Action.WEBHOOK_CHANGED, {"secret": True})
    if not is_seen:
        return _draw(member, webhook, is_changed=True), 409
    message = _("The secret is made. For 24 hours messages are signed with the former one too.")
    return show_secret(name, webhook, secret, message)


@bp.post("/settings/webhooks/<webhook>/test", endpoint="test_webhook")
@needs(Permission.MANAGE_ORGANIZATION)
def send_test(member: Member, webhook: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        endpoint = lock_endpoint(session, member, webhook)
        if endpoint.state != EndpointState.ACTIVE:
            return _lead_back(webhook)
        endpoints.send_test(session, endpoint, now=site.read_clock())
    return _lead_back(webhook, "test")


@bp.post("/settings/webhooks/<webhook>/pause", endpoint="pause_webhook")
@needs(Permission.MANAGE_ORGANIZATION)
def pause(member: Member, webhook: str) -> ResponseReturnValue:
    site = get_site()
    with site.database.write() as session:
        endpoint = lock_endpoint(session, member, webhook)
        if endpoint.state == EndpointState.ACTIVE:
            endpoints.pause(endpoint, reason=Reason.BY_HAND, now=site.read_clock())
            record_change(session, member, endpoint, Action.WEBHOOK_CHANGED, {"change": "paused"})
    return _lead_back(webhook, "paused")


@bp.post("/settings/webhooks/<webhook>/resume", endpoint="resume_webhook")
@needs(Permission.MANAGE_ORGANIZATION)
def resume(member: Member, webhook: str) -> ResponseReturnValue:
    """Send again, or try at once what waits for its next try."""
    with _changing(member, webhook, "resumed") as (session, endpoint, now):
        endpoints.resume(session, endpoint, now=now)
    return _lead_back(webhook, "resumed")


@bp.post("/settings/webhooks/<webhook>/replay", endpoint="replay_failed_messages")
@needs(Permission.MANAGE_ORGANIZATION)
def replay_failed(member: Member, webhook: str) -> ResponseReturnValue:
    with _changing(member, webhook, "replayed") as (session, endpoint, now):
        endpoints.replay_failed(session, endpoint, now=now)
    return _lead_back(webhook, "replayed")


@bp.post(
    "/settings/webhooks/<webhook>/messages/<webhook_message>/replay", endpoint="replay_message"
)
@needs(Permission.MANAGE_ORGANIZATION)
def replay(member: Member, webhook: str, webhook_message: str) -> ResponseReturnValue:
    with _changing(member, webhook, "replayed") as (session, endpoint, now):
        message = webhook_messages.get_message(session, endpoint.id, webhook_message)
        if message is None:
            abort(404)
        endpoints.replay(session, message, now=now)
    return _lead_back(webhook, "replayed")


@bp.post("/settings/webhooks/<webhook>/remove", endpoint="remove_webhook")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def remove(member: Member, webhook: str) -> ResponseReturnValue:
    with get_site().database.write() as session:
        endpoint = lock_endpoint(session, member, webhook)
        endpoints.remove_endpoint(session, endpoint)
        record_change(session, member, endpoint, Action.WEBHOOK_REMOVED, {})
    return redirect(f"{URL}?done=removed", code=303)


@contextmanager
def _changing(
    member: Member, webhook: str, change: str
) -> Iterator[tuple[Session, WebhookEndpoint, datetime]]:
    """Hold a webhook, as of now, and note at the end what was done with it."""
    site = get_site()
    with site.database.write() as session:
        endpoint = lock_endpoint(session, member, webhook)
        yield session, endpoint, site.read_clock()
        record_change(session, member, endpoint, Action.WEBHOOK_CHANGED, {"change": change})


def _lead_back(webhook: str, done: str = "") -> ResponseReturnValue:
    query = f"?done={done}" if done else ""
    return redirect(f"{URL}/{webhook}{query}", code=303)


def _draw(member: Member, webhook: str, *, is_changed: bool = False) -> str:
    asked = request.args.get("state", "")
    state = asked if asked in set(MessageState) else ""
    before = read_number(request.args.get("before", ""))
    with get_site().database.read() as session:
        endpoint = need_endpoint(session, member, webhook)
        found = webhook_messages.list_messages(
            session, endpoint.id, state=state, before=before, limit=PAGE + 1
        )
        counts = webhook_messages.count_by_state(session, endpoint.id)
        shown = [_view(session, message) for message in found[:PAGE]]
        wanted = {one.type for one in webhooks.list_subscriptions(session, endpoint.id)}
        is_put_aside = webhook_messages.is_put_aside(session, endpoint.id)
        session.expunge_all()
    words, kind = describe_state(endpoint)
    return render_template(
        "organizer/webhook.html",
        endpoint=endpoint,
        is_changed=is_changed,
        url=f"{URL}/{webhook}",
        state=words,
        state_kind=kind,
        kinds=[name_kind(one) for one in endpoints.OFFERED if one in wanted],
        payload=PAYLOADS[endpoints.Payload(endpoint.payload)],
        times=_write_times(endpoint),
        messages=shown,
        counts=counts,
        asked=state,
        is_put_aside=is_put_aside,
        states=_list_tabs(webhook, counts, state),
        before=found[PAGE - 1].id if len(found) > PAGE else None,
    )


def _view(session: Session, message: WebhookMessage) -> dict[str, Any]:
    words, kind = STATES[MessageState(message.state)]
    is_waiting = message.state == MessageState.WAITING
    event = events.need_event(session, message.event_id) if message.event_id else None
    return {
        "happening": message.happening,
        "number": write_id(message),
        "kind": name_kind(message.type),
        "at": message.happened_at,
        "when": _write(message.happened_at),
        "state": words,
        "state_kind": kind,
        "attempts": message.attempts,
        "answer": describe_answer(message),
        "next": _write(message.next_at) if is_waiting and message.attempts else "",
        "is_waiting": is_waiting,
        "person": f"/organizer/events/{event.public_id}/people/{message.person}" if event else "",
    }


def _write_times(endpoint: WebhookEndpoint) -> dict[str, str]:
    moments = {"failing": endpoint.failing_since, "former": endpoint.former_until}
    now = get_site().read_clock()
    if endpoint.former_until is not None and endpoint.former_until <= now:
        moments["former"] = None
    return {name: _write(moment) for name, moment in moments.items() if moment is not None}


def _write(moment: Any) -> str:
    return format_moment(moment, HOME, read_locale())


def _list_tabs(
    webhook: str, counts: dict[str, int], state: str
) -> list[tuple[object, int, str, bool]]:
    url = f"{URL}/{webhook}"
    chosen: list[tuple[object, int, str, bool]] = [
        (words, counts.get(name, 0), f"{url}?state={name}", state == name)
        for name, (words, _badge) in STATES.items()
        if counts.get(name) or state == name
    ]
    everything = (_("All"), sum(counts.values()), url, not state)
    return [everything, *chosen] if len(chosen) > 1 or state else []
