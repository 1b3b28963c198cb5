"""Registering somebody: as the form does, with the form's own rules and answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Response, g, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from forms.json_members import Members
from forms.registration_json import read_registration
from services.api_keys import Caller, Scope
from services.api_requests import Asked, KeyReused, begin_request, end_request, find_answer
from services.events import EventState, LinkPolicy
from services.fault_points import fault_point
from services.mails import name_mailbox
from services.newcomers import register_alone
from services.receipts import read_receipt_state
from services.registrations import DatesClosed, RegistrationNotOpen, may_see_receipt, register
from services.sources import KEY, SOURCE_NAMES, read_source
from services.submissions import FormChanged, Submission, Surface, check_form
from services.texts import LOCALES
from storage import events, submissions
from storage.arrivals import Expected
from storage.models.base import new_public_id

from ..even_time import wait_until_even
from ..event_pages import EventPage, load_event
from ..form_classes import get_form_class
from ..locale import read_locale
from ..retries import repeatable
from ..site import get_site
from .access import Problem, answer_json, bp, count_request, needs, read_query
from .bodies import read_object, refuse

LONGEST_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True)
class _Kept:
    """What was stored; `receipt` is empty for who may not see it: the answer is a full event's."""

    receipt: str
    is_replayed: bool


@bp.post("/events/<slug>/registrations", endpoint="register")
@needs(Scope.REGISTRATIONS_WRITE)
@repeatable
def register_person(caller: Caller, slug: str) -> ResponseReturnValue:
    began_at = time.monotonic()
    read_query()
    now = get_site().read_clock()
    idempotency_key = _read_idempotency_key()
    body = Members(read_object())
    page = load_event(slug, now, at_a_glance=True)
    if page.event.organization_id != caller.organization_id:
        raise Problem(404)
    language = _read_language(body)
    sent = f"{request.path}\n{language}\n".encode() + request.get_data()
    asked = Asked(caller, idempotency_key, sent) if idempotency_key else None
    try:
        kept = _find_kept(asked)
        if kept is None:
            with force_locale(language):
                submission = _read_submission(caller, page, body, language)
            kept = _keep(caller, page, submission, asked, now)
        if not kept.receipt:
            raise _say_not_open(EventState.FULL)
    finally:
        wait_until_even(page.policy, began_at)
    return _answer(caller, kept, now)


def _read_idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not key.isascii() or not key.isprintable() or len(key) > LONGEST_IDEMPOTENCY_KEY:
        detail = f"Idempotency-Key has to be ASCII, {LONGEST_IDEMPOTENCY_KEY} characters at most."
        raise Problem(400, "idempotency-key-refused", detail)
    return key


def _read_language(body: Members) -> str:
    language = body.take_text("language", read_locale())
    if language not in LOCALES:
        body.refuse("language", "invalid", _("Choose one of: %(all)s", all=", ".join(LOCALES)))
        return read_locale()
    return language


def _read_submission(caller: Caller, page: EventPage, body: Members, language: str) -> Submission:
    """Turn a body into a submission, or answer with everything that is wrong with it."""
    form_class = get_form_class(page, language)
    current = form_class.definition.number
    version = body.take_number("form_version")
    if version is not None and version != current:
        raise _say_changed(page)
    source = {**_read_tags(body.take_members("source")), KEY: caller.public_id}
    form = read_registration(form_class, body)
    if form.is_too_young:
        detail = f"The event is for people of {page.event.least_age} and older."
        raise Problem(409, "too-young", detail)
    if body.faults:
        refuse(body.faults)
    return form.to_submission(nonce=_make_nonce(), surface=Surface.API, source=source)


def _say_changed(page: EventPage) -> Problem:
    detail = "The form has changed: what the person agreed to is not what it says now."
    url = f"{get_site().settings.site_url}/api/v1/events/{page.event.slug}/form"
    current = get_form_class(page).definition.number
    return Problem(409, "form-changed", detail, members={"form_version": current, "form": url})


def _make_nonce() -> str:
    """Return the same nonce if the view runs again: its first COMMIT may have come through."""
    if "api_nonce" not in g:
        g.api_nonce = new_public_id()
    return str(g.api_nonce)


def _read_tags(source: Members) -> dict[str, str]:
    source.refuse_unknown(*SOURCE_NAMES)
    return read_source({name: source.take_text(name) for name in SOURCE_NAMES})


def _find_kept(asked: Asked | None) -> _Kept | None:
    """Return what this request stored if it came before."""
    if asked is None:
        return None
    with get_site().database.read() as session, _telling_of_reuse():
        receipt = find_answer(session, asked)
    return None if receipt is None else _Kept(receipt, is_replayed=True)


def _keep(
    caller: Caller, page: EventPage, submission: Submission, asked: Asked | None, now: datetime
) -> _Kept:
    database, before_commit = get_site().database, partial(fault_point, "before_commit")
    try:
        with (
            database.write(is_brief=True, before_commit=before_commit) as session,
            _telling_of_reuse(),
        ):
            count_request(session, caller)
            earlier = begin_request(session, asked, now=now) if asked else None
            if earlier is not None:
                return _Kept(earlier, is_replayed=True)
            row = register_alone(
                session, page.event, submission, partial(_expect, page, submission, now), now=now
            )
            if row is None:
                event = events.get_head(session, page.event.slug)
                if event is None:
                    raise Problem(404)
                check_form(event, submission.form_version_id)
                policy = LinkPolicy(event.link_policy)
                # None of the mailbox's mails counts: it is a known program that asks for one.
                row = register(session, event, submission, policy=policy, mailed=0, now=now)
            receipt = row.public_id if may_see_receipt(row, submission) else ""
            if asked:
                end_request(session, asked, receipt)
    except FormChanged:
        raise _say_changed(load_event(page.event.slug, now)) from None
    except DatesClosed:
        raise Problem(409, "dates-closed", "A date that was chosen takes nobody now.") from None
    except RegistrationNotOpen as refusal:
        raise _say_not_open(refusal.state) from None
    fault_point("after_commit")
    return _Kept(receipt, is_replayed=False)


def _expect(page: EventPage, submission: Submission, now: datetime) -> Expected:
    return Expected(page.event, name_mailbox(submission.email_key, now=now), {})


@contextmanager
def _telling_of_reuse() -> Iterator[None]:
    try:
        yield
    except KeyReused:
        detail = "This Idempotency-Key came with another request before."
        raise Problem(422, "idempotency-key-reused", detail) from None


def _say_not_open(state: EventState) -> Problem:
    detail = f"The event takes nobody now: {state}."
    return Problem(409, "not-open", detail, members={"state": str(state)})


def _answer(caller: Caller, kept: _Kept, now: datetime) -> Response:
    """Say what the receipt says: no more than whoever typed the address may know."""
    site = get_site()
    with site.database.read() as session:
        found = submissions.get_receipt(session, kept.receipt)
        if found is None:
            raise Problem(404)
        submission, person = found.submission, found.registration
        policy = LinkPolicy(found.event.link_policy)
        state = read_receipt_state(session, found, policy=policy, now=now)
        value: dict[str, Any] = {
            "number": submission.number,
            "receipt": site.links.receipt(submission),
            "state": str(state.shown),
            "link": state.link,
            "join_url": None,
            "waitlist_position": state.waitlist_position,
        }
        if state.link == "button" and person is not None:
            value["link"] = "shown"
            value["join_url"] = site.links.join_from_screen(submission, person)
        if person is not None and caller.may(Scope.REGISTRATIONS_READ):
            value["registration"] = person.public_id
    headers = {"Idempotent-Replayed": "true"} if kept.is_replayed else {}
    return answer_json(value, 201, headers)
