"""The registration page: show the form, take what is sent, lead to the receipt."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from forms.registration import RegistrationForm
from services.events import EventState, LinkPolicy, count_seats, get_state, read_definition
from services.fault_points import fault_point
from services.form_tokens import FormToken, FormTokenError
from services.limits import Limit, RateLimitReached
from services.newcomers import register_alone
from services.proofs_of_work import is_proof_wanted
from services.questions import FormDefinition
from services.registrations import (
    DatesClosed,
    RegistrationNotOpen,
    may_see_receipt,
    register,
)
from services.sources import read_source
from services.submission_limits import FLOOD, Load
from services.submissions import FormChanged, Submission, check_form
from services.texts import localize
from storage import events, submissions
from storage.models import SubmissionRow

from .errors import RETRY_AFTER_SECONDS
from .even_time import wait_until_even
from .event_pages import EventPage, draw_page, load_event, show_state
from .form_classes import get_form_class
from .framing import get_frame, read_surface, receipt_url, write_query, write_tags
from .headers import SeeOther
from .kept_pages import mark
from .limits import SubmissionLimits, WeighingFailed
from .locale import list_language_links, read_locale
from .proofs import Proof, ask_by_mail, ask_for_proof, read_proof
from .retries import is_worth_another_try, repeatable
from .sharing import share
from .site import get_site
from .visits import count_mistakes

bp = Blueprint("registration", __name__)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Setback:
    """Why a good submission was not stored, for now."""

    status: int
    retry_after_seconds: int
    alert: str


@bp.get("/e/<slug>")
def show_form(slug: str) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    page = load_event(slug, now, at_a_glance=True)
    if page.state is not EventState.OPEN:
        with site.database.read() as session:
            return show_state(session, page, now)
    token = _issue_token(page, now)
    # Programs that send people here add names of their own, which change nothing.
    if request.args and not request.args.keys().isdisjoint(get_form_class(page).list_prefillable()):
        form = get_form_class(page)(prefill=request.args)
        with site.database.read() as session:
            return _draw(session, page, form, token, now=now)
    frame = get_frame()
    key = (
        *(page.event.id, page.event.version, page.policy, page.closed),
        *(page.seats.few_left, page.seats.are_all_taken, read_locale(), frame),
    )
    values = {"token": token, "tags": write_tags()}
    pages = site.framed_forms if frame else site.forms
    return pages.fill(key, values, lambda: _draw_for_all(page, now))


@bp.post("/e/<slug>")
@repeatable
def submit_form(slug: str) -> ResponseReturnValue:
    began_at, site = time.monotonic(), get_site()
    now = site.read_clock()
    page = load_event(slug, now, at_a_glance=True)
    form = get_form_class(page)(request.form)
    if form.is_too_young:
        return _turn_away(page, now)
    is_valid = form.validate()
    alert, token = _check_token(page, form, now)
    if alert is not None or not is_valid or token is None:
        with site.database.read() as session:
            if page.state is not EventState.OPEN:
                return show_state(session, page, now)
            if not is_valid:
                count_mistakes(page.event, form.wrong_fields, now)
            fresh = _issue_token(page, now)
            return _draw(session, page, form, fresh, alert=alert, status=422, now=now)
    submission = form.to_submission(
        nonce=token.nonce,
        surface=token.surface,
        source=read_source(request.args),
    )
    answer = _register(page, form, submission, now)
    wait_until_even(page.policy, began_at)
    return answer


@bp.get("/e/<slug>/notice")
def show_notice(slug: str) -> ResponseReturnValue:
    site, now, locale = get_site(), get_site().read_clock(), read_locale()
    page = load_event(slug, now)
    with site.database.read() as session:
        definition = _choose_version(session, page, request.args.get("version"))
        notices = [
            (localize(question.label, locale), localize(question.whole_notice, locale))
            for question in definition.list_consents()
            if localize(question.whole_notice, locale)
        ]
        return render_template(
            "registration/notice.html",
            event=draw_page(session, page, now),
            version=definition.number,
            notices=notices,
        )


def _register(
    page: EventPage, form: RegistrationForm, submission: Submission, now: datetime
) -> ResponseReturnValue:
    site = get_site()
    proof = read_proof(page, submission, now)
    try:
        row = _keep(page, submission, proof, now)
        fault_point("after_commit")
    except DatesClosed:
        # Somebody was faster at a date: the same form is sent again.
        return _draw_anew(page, now, status=409, token=form.form_token.data)
    except FormChanged:
        return _draw_anew(page, now, status=422, alert=_say_changed())
    except RegistrationNotOpen as refusal:
        fresh = load_event(page.event.slug, now)
        with site.database.read() as session:
            return show_state(session, fresh, now, state=refusal.state)
    except RateLimitReached as error:
        if error.limit is not Limit.ADDRESS and not proof.has_worked:
            action = write_query() + write_tags()
            return ask_for_proof(
                page, submission, proof, action=action, load=FLOOD, limit=error, now=now
            )
        alert = _("Many people register from your network now. Please send again in a minute.")
        if error.limit is Limit.ADDRESS:
            alert = _("This address was sent many times. Please send again in a few minutes.")
        setback = _Setback(429, error.retry_after_seconds, alert)
        return _ask_to_send_again(page, form, setback, now)
    except SQLAlchemyError as error:
        if is_worth_another_try(error):
            raise
        log.exception("the registration was not stored")
        alert = _("We cannot save it right now. Please send again - your answers are still here.")
        return _ask_to_send_again(page, form, _Setback(503, RETRY_AFTER_SECONDS, alert), now)
    if isinstance(row, Load):
        action = write_query() + write_tags()
        return ask_for_proof(page, submission, proof, action=action, load=row, now=now)
    if not may_see_receipt(row, submission):
        fresh = load_event(page.event.slug, now)
        with site.database.read() as session:
            return show_state(session, fresh, now)
    token = site.links.receipt_token(row)
    receipt = submissions.compose_receipt(row, page.event)
    # Elsewhere a known address must not take longer to be shown than an unknown one.
    if receipt is not None and page.policy is LinkPolicy.SHOW:
        site.first_looks.keep(token, receipt)
    return SeeOther(receipt_url(token))


def _draw_anew(
    page: EventPage, now: datetime, *, status: int, token: str = "", alert: str | None = None
) -> ResponseReturnValue:
    """Give the form as it is by now, as it was filled in; with a fresh token, or the same."""
    fresh = load_event(page.event.slug, now)
    form = get_form_class(fresh)(request.form)
    form.validate()
    with get_site().database.read() as session:
        if fresh.state is not EventState.OPEN:
            return show_state(session, fresh, now)
        token = token or _issue_token(fresh, now)
        return _draw(session, fresh, form, token, alert=alert, status=status, now=now)


def _say_changed() -> str:
    return _("The form has changed since you opened it. Please check your answers.")


def _turn_away(page: EventPage, now: datetime) -> ResponseReturnValue:
    """Tell who is too young whom to ask; nothing of what they typed is stored, nor drawn again."""
    with get_site().database.read() as session:
        event, age = draw_page(session, page, now), page.event.least_age
        html = render_template("registration/too_young.html", event=event, least_age=age)
    return make_response(html, 409)


def _keep(
    page: EventPage, submission: Submission, proof: Proof, now: datetime
) -> SubmissionRow | Load:
    """Store it and count it; where nobody can say how much came, it is stored nevertheless."""
    try:
        return _store(page, submission, proof, now, is_counted=True)
    except WeighingFailed:
        log.exception("how much came is not known: a form is taken without being counted")
    return _store(page, submission, proof, now, is_counted=False)


def _store(
    page: EventPage, submission: Submission, proof: Proof, now: datetime, *, is_counted: bool
) -> SubmissionRow | Load:
    """Store what was sent and count it; where a proof is missing, only count and say how much."""
    limits = SubmissionLimits(
        page.event, submission, has_worked=proof.has_worked, is_counted=is_counted, now=now
    )
    # Where seats have no end, a form looks the same whoever has registered.
    is_shown, before_commit = page.event.capacity is not None, partial(fault_point, "before_commit")
    database = get_site().database
    with database.write(is_shown=is_shown, is_brief=True, before_commit=before_commit) as session:
        row: SubmissionRow | Load | None = None
        # Whoever has worked was asked to, so that nothing was calm.
        if not (is_proof_wanted(page.event.bot_check, Load()) or proof.has_worked):
            row = register_alone(session, page.event, submission, limits.expect_calm, now=now)
        if row is None:
            row = _weigh_and_store(session, page, submission, proof, limits, now)
    limits.count()
    return row


def _weigh_and_store(
    session: Session,
    page: EventPage,
    submission: Submission,
    proof: Proof,
    limits: SubmissionLimits,
    now: datetime,
) -> SubmissionRow | Load:
    # Who has only not seen the answer is asked for nothing, and refused nothing, the second time.
    find_stored = partial(
        submissions.find_registered, session, page.event.id, submission.nonce, submission.digest
    )
    try:
        weighed = limits.weigh(session)
    except RateLimitReached:
        if (stored := find_stored()) is not None:
            return stored
        raise
    if weighed is None:
        abort(404)
    event, load = weighed.event, weighed.load
    # The page may have been read a moment ago, and another process has published since.
    check_form(event, submission.form_version_id)
    policy = LinkPolicy(event.link_policy)
    # Who cannot be registered anyway need not work for it.
    state = get_state(event, count_seats(event, event.seats_taken), now)
    is_asked = state is EventState.OPEN and is_proof_wanted(event.bot_check, load)
    if proof.has_worked or not is_asked:
        asked_at, mailed = proof.asked_at, weighed.mailed
        return register(
            session, event, submission, policy=policy, mailed=mailed, sent_at=asked_at, now=now
        )
    limits.spare_address()
    if proof.is_by_mail:
        return ask_by_mail(session, event, submission, now=now)
    return find_stored() or load


def _check_token(
    page: EventPage, form: RegistrationForm, now: datetime
) -> tuple[str | None, FormToken | None]:
    """Return what to tell the person, or the token that may be used."""
    site = get_site()
    try:
        token = site.form_tokens.read(form.form_token.data, page.event.public_id, now=now)
        if token.surface is not read_surface():
            raise FormTokenError
    except FormTokenError:
        return _("This page was open too long. Send again - your answers are still here."), None
    if token.form_version_id != page.form_version_id:
        return _say_changed(), None
    is_quick = token.age_seconds(now) < site.settings.form_min_seconds
    if is_quick and not form.error_list:
        return _("That was very quick. Please send again - your answers are still here."), None
    return None, token


def _issue_token(page: EventPage, now: datetime) -> str:
    return get_site().form_tokens.issue(
        page.event.public_id, page.form_version_id, read_surface(), now=now
    )


def _draw_for_all(page: EventPage, now: datetime) -> str:
    """Draw an empty form with marks in the places of its token and of the address's tags."""
    form, tags = get_form_class(page)(), mark("tags")
    links = list_language_links(rest=tags)
    with get_site().database.read() as session:
        return _render(session, page, form, mark("token"), tags=tags, language_links=links, now=now)


def _render(
    session: Session,
    page: EventPage,
    form: RegistrationForm,
    token: str,
    *,
    tags: str,
    now: datetime,
    **others: Any,
) -> str:
    event = draw_page(session, page, now)
    return render_template(
        "registration/form.html",
        event=event,
        sharing=share(event),
        form=form,
        form_token=token,
        action=write_query() + tags,
        # Who sees the form again has been counted.
        seen=None if request.method == "POST" else f"/e/{page.event.slug}/seen/",
        **others,
    )


def _draw(
    session: Session,
    page: EventPage,
    form: RegistrationForm,
    token: str,
    *,
    alert: str | None = None,
    status: int = 200,
    now: datetime,
) -> Response:
    html = _render(session, page, form, token, tags=write_tags(), alert=alert, now=now)
    return make_response(html, status)


def _ask_to_send_again(
    page: EventPage, form: RegistrationForm, setback: _Setback, now: datetime
) -> Response:
    """Give the form back as it was filled in, with its token: what was stored stays one."""
    with get_site().database.read() as session:
        token = form.form_token.data
        response = _draw(
            session, page, form, token, alert=setback.alert, status=setback.status, now=now
        )
    response.headers["Retry-After"] = str(setback.retry_after_seconds)
    return response


def _choose_version(session: Session, page: EventPage, asked: str | None) -> FormDefinition:
    if asked is None:
        return read_definition(session, page.form_version_id)
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    row = events.get_form_version_by_number(session, page.event.id, number)
    if row is None:
        abort(404)
    return read_definition(session, row.id)
