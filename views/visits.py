"""Counting what happens at the forms.

A page's script says that it was seen, and that somebody began to fill it in; what was wrong in a
form is known here. Nothing tells one visitor from another: no cookie, no address, no number.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from services.dates import load_zone
from services.events import EventState
from services.funnels import ERROR, FAILED
from services.sources import name_origin, pick_origin, read_source
from storage.events import EventHead
from storage.visits import Visit

from .event_pages import load_event
from .site import get_site

bp = Blueprint("visits", __name__)


@bp.post("/e/<slug>/seen/<any(view, start):what>")
def count_visit(slug: str, what: str) -> ResponseReturnValue:
    """Count one, unless the browser asks not to, or another site has sent it; answer nothing."""
    if not _is_unwanted() and _may_count():
        now = get_site().read_clock()
        page = load_event(slug, now, at_a_glance=True)
        if page.state is EventState.OPEN:
            _count(page.event, what, (), now)
    return Response(status=204)


def count_mistakes(event: EventHead, fields: Iterable[str], now: datetime) -> None:
    """Count a form that came back, and the fields that were wrong in it: not what was typed."""
    if _may_count():
        _count(event, FAILED, (f"{ERROR}{field}" for field in fields), now)


def _count(event: EventHead, what: str, others: Iterable[str], now: datetime) -> None:
    """Count what happened by its origin, and others without it."""
    day, source = now.astimezone(load_zone(event.timezone)).date(), read_source(request.args)
    visits = [Visit(event.id, day, name_origin(source), what)]
    visits += [Visit(event.id, day, "", name) for name in others]
    get_site().visits.add(visits, pick_origin(source))


def _is_unwanted() -> bool:
    headers = request.headers
    asks_not_to = headers.get("Sec-GPC") == "1" or headers.get("DNT") == "1"
    return asks_not_to or headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"


def _may_count() -> bool:
    return get_site().networks.may_count(request.remote_addr)
