"""The personal page: see, change, cancel, come back, download the data."""

from __future__ import annotations

from datetime import datetime

from flask import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from services import registration_changes, registration_edits
from services.answer_texts import list_answer_texts
from services.answers import keep_unasked, read_answers
from services.chosen_dates import with_dates
from services.consents import change_consent
from services.event_dates import takes_choice
from services.events import read_definition
from services.form_history import read_answered_form
from services.joining import prove_address
from services.personal_data import collect_personal_data
from services.questions import answers_from_json
from services.registration_edits import ChangedOften
from services.registrations import ChangeRefused, DatesClosed, Outcome, RegistrationNotOpen
from services.submissions import FormChanged, check_form
from services.texts import write_full_name
from services.tokens import Purpose
from storage import submissions
from storage.models import SubmissionRow

from .calendar_links import answer_ics, make_entries
from .event_pages import draw_event_of
from .limits import count_against_network
from .locale import read_locale
from .person_forms import (
    Refusal,
    explain,
    fill_edit_form,
    fill_return_form,
    find_change,
    make_details,
    read_edit_form,
    read_return_form,
    say_full,
)
from .person_views import (
    can_change,
    can_return,
    get_join_url,
    has_left,
    is_ahead,
    list_answers,
    list_news_boxes,
    view_person,
)
from .places import name_place
from .retries import repeatable
from .site import get_site
from .tokens import Opened, open_token

bp = Blueprint("personal", __name__)


@bp.get("/r/<token>")
def show_person(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open(session, token)
        done = request.args.get("done", "")
        return _render(
            "registration", session, token, opened, now, done=done, alert=_get_alerts().get(done)
        )


@bp.get("/r/<token>/edit")
def show_details(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open_ahead(session, token, now)
        form = fill_edit_form(session, opened, now)
        return _render("edit", session, token, opened, now, form=form)


@bp.post("/r/<token>/edit")
@repeatable
def change_details(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open_ahead(session, token, now)
        form = read_edit_form(session, opened, now)
        alert = find_change(form)
        if not form.validate() or alert:
            return _render("edit", session, token, opened, now, status=422, form=form, alert=alert)
    try:
        with get_site().database.write() as session:
            count_against_network(session, now)
            opened = _open_changeable(session, token, now)
            check_form(opened.event, form.definition.version_id)
            registration_edits.edit_details(
                session,
                opened.event,
                opened.person,
                family_name=form.family_name.data,
                given_name=form.given_name.data,
                answers=form.answers,
                form_version_id=form.definition.version_id,
                now=now,
            )
            _prove(opened, now)
    except (DatesClosed, ChangedOften, FormChanged) as refusal:
        return _give_back(token, "edit", refusal, now)
    return _go_back(token, "saved")


@bp.get("/r/<token>/cancel")
def ask_before_cancelling(token: str) -> ResponseReturnValue:
    """Show a page with a button: link checkers follow every link, and must not act by it."""
    now = get_site().read_clock()
    with get_site().database.read() as session:
        return _render("cancel", session, token, _open(session, token), now)


@bp.get("/r/<token>/again")
def ask_before_registering_again(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open(session, token)
        if not takes_choice(opened.event):
            return _render("again", session, token, opened, now)
        if not can_return(session, opened, now):
            return _go_back(token, "refused")
        filled = fill_return_form(session, opened, now)
        return _render("return", session, token, opened, now, **filled.view(opened))


@bp.post("/r/<token>/cancel")
@repeatable
def cancel(token: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    with get_site().database.write() as session:
        count_against_network(session, now)
        opened = _open(session, token)
        if not is_ahead(opened, now):
            return _go_back(token, "refused")
        _prove_first(session, opened, now)
        registration_changes.cancel(session, opened.event, opened.person, actor="person", now=now)
    return _go_back(token, "cancel")


@bp.post("/r/<token>/again")
@repeatable
def register_again(token: str) -> ResponseReturnValue:
    now, sent = get_site().read_clock(), None
    with get_site().database.read() as session:
        opened = _open(session, token)
        if has_left(opened) and takes_choice(opened.event):
            if not request.form:
                # A page of an older version was still open, which asks for nothing.
                return redirect(f"/r/{token}/again?lang={read_locale()}", code=303)
            sent = read_return_form(session, opened, now)
            alert = find_change(sent.form)
            if not sent.form.validate() or alert:
                view = sent.view(opened) | {"alert": alert}
                return _render("return", session, token, opened, now, status=422, **view)
    try:
        with get_site().database.write() as session:
            count_against_network(session, now)
            opened = _open(session, token)
            _prove_first(session, opened, now)
            registration_changes.register_again(
                session,
                opened.event,
                opened.person,
                details=make_details(session, opened, sent) if sent else None,
                now=now,
            )
    except (DatesClosed, ChangedOften, FormChanged) as refusal:
        return _give_back(token, "return", refusal, now) if sent else _go_back(token, "full")
    except (ChangeRefused, RegistrationNotOpen):
        return _go_back(token, "refused")
    return _go_back(token, "again")


@bp.get("/r/<token>/answers/<public_id>")
def show_proposal(token: str, public_id: str) -> ResponseReturnValue:
    """Compare what was sent again with what stands."""
    now = get_site().read_clock()
    with get_site().database.read() as session:
        opened = _open_ahead(session, token, now)
        proposed = _compare(session, opened, _load_repeat(session, opened, public_id))
        return _render("answers", session, token, opened, now, proposed=proposed)


@bp.post("/r/<token>/answers/<public_id>")
@repeatable
def use_proposal(token: str, public_id: str) -> ResponseReturnValue:
    now = get_site().read_clock()
    try:
        with get_site().database.write() as session:
            count_against_network(session, now)
            opened = _open_changeable(session, token, now)
            repeat = _load_repeat(session, opened, public_id, may_be_used=True)
            if repeat.outcome == Outcome.REPEAT:
                registration_edits.use_submission(
                    session, opened.event, opened.person, repeat, now=now
                )
            _prove(opened, now)
    except DatesClosed:
        return _go_back(token, "full")
    return _go_back(token, "saved")


@bp.post("/r/<token>/news")
@repeatable
def change_news(token: str) -> ResponseReturnValue:
    now, ticked = get_site().read_clock(), request.form.getlist("news")
    with get_site().database.write() as session:
        count_against_network(session, now)
        opened = _open(session, token)
        for box in list_news_boxes(session, opened):
            is_given = box.question.id in ticked
            if is_given != box.is_given:
                change_consent(
                    session,
                    opened.person,
                    box.question,
                    form_version_id=box.form_version_id,
                    label=box.label,
                    locale=read_locale(),
                    is_given=is_given,
                    now=now,
                )
        _prove(opened, now)
    return _go_back(token, "news")


@bp.get("/r/<token>/data.json")
def download_data(token: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        opened = _open(session, token)
        answer = jsonify(collect_personal_data(session, opened.event, opened.person))
    answer.headers["Content-Disposition"] = 'attachment; filename="registration.json"'
    return answer


@bp.get("/r/<token>/invite.ics")
def download_calendar(token: str) -> ResponseReturnValue:
    with get_site().database.read() as session:
        opened = _open(session, token)
        url = get_join_url(opened)
        return answer_ics(make_entries(session, opened.event, opened.person, join_url=url))


def _give_back(token: str, name: str, refusal: Refusal, now: datetime) -> Response:
    """Draw a form again, with why what was typed cannot be stored."""
    with get_site().database.read() as session:
        opened = _open(session, token)
        if name == "edit":
            form, view = read_edit_form(session, opened, now), {}
        else:
            sent = read_return_form(session, opened, now)
            form, view = sent.form, sent.view(opened)
        form.validate()
        view |= {"form": form, "alert": explain(refusal, opened)}
        status = 422 if isinstance(refusal, FormChanged) else 409
        return _render(name, session, token, opened, now, status=status, **view)


def _render(
    name: str,
    session: Session,
    token: str,
    opened: Opened,
    now: datetime,
    *,
    status: int = 200,
    **extra: object,
) -> Response:
    locale = read_locale()
    return make_response(
        render_template(
            f"personal/{name}.html",
            event=draw_event_of(session, opened.event, opened.person, now),
            person=view_person(session, token, opened, now),
            action=f"{request.path}?lang={locale}",
            back_url=f"/r/{token}?lang={locale}",
            **extra,
        ),
        status,
    )


def _compare(session: Session, opened: Opened, repeat: SubmissionRow) -> list[tuple[str, str, str]]:
    """Return (label, new text, present text) of names and answers."""
    locale, person, event = read_locale(), opened.person, opened.event
    answers = keep_unasked(
        read_definition(session, repeat.form_version_id),
        answers_from_json(repeat.answers),
        read_answers(session, person),
    )
    form = read_answered_form(session, event, repeat.form_version_id, answers)
    new = dict(list_answer_texts(with_dates(event, form), answers, locale, name_place))
    present = dict(list_answers(session, opened))
    labels = list(dict.fromkeys([*new, *present]))
    return [
        (
            _("Name"),
            write_full_name(repeat.family_name, repeat.given_name, repeat.locale),
            write_full_name(person.family_name, person.given_name, person.locale),
        ),
        *((label, new.get(label, ""), present.get(label, "")) for label in labels),
    ]


def _prove(opened: Opened, now: datetime) -> None:
    if opened.came_by_mail:
        prove_address(opened.person, now=now)


def _prove_first(session: Session, opened: Opened, now: datetime) -> None:
    if opened.came_by_mail:
        registration_changes.prove_first(session, opened.event, opened.person, now=now)


def _get_alerts() -> dict[str, str]:
    return {
        "saved": _("Your changes are saved."),
        "news": _("Your email settings are saved."),
        "cancel": _("Your registration is cancelled."),
        "again": _("We have received your registration again."),
        "full": say_full(),
        "fixed": _("Your details cannot be changed now. Nothing was changed."),
        "refused": _("We cannot do that at the moment. Please ask the organizer."),
    }


def _go_back(token: str, done: str) -> BaseResponse:
    return redirect(f"/r/{token}?lang={read_locale()}&done={done}", code=303)


def _open(session: Session, token: str) -> Opened:
    return open_token(session, token, Purpose.PERSONAL_MAIL, Purpose.PERSONAL_SCREEN)


def _open_ahead(session: Session, token: str, now: datetime) -> Opened:
    """Open a registration that can be changed, or lead to its page, which says how it stands."""
    opened = _open(session, token)
    if not can_change(opened, now):
        abort(_go_back(token, "fixed"))
    return opened


def _open_changeable(session: Session, token: str, now: datetime) -> Opened:
    """As `_open_ahead`, and let nobody else change it meanwhile."""
    opened = _open_ahead(session, token, now)
    version = opened.person.link_version
    registration_edits.lock_to_edit(session, opened.event, opened.person.id)
    # Somebody may have been faster.
    if opened.person.link_version != version:
        abort(404)
    if not can_change(opened, now):
        abort(_go_back(token, "fixed"))
    return opened


def _load_repeat(
    session: Session, opened: Opened, public_id: str, *, may_be_used: bool = False
) -> SubmissionRow:
    """Load what was sent again for this person; only the mail's reader may take it over."""
    repeat = submissions.get_submission_by_public_id(session, public_id)
    if repeat is None or repeat.registration_id != opened.person.id:
        abort(404)
    is_used = repeat.outcome == Outcome.USED and _stands(session, opened, repeat)
    is_open = repeat.outcome == Outcome.REPEAT or (may_be_used and is_used)
    if not is_open or not opened.came_by_mail:
        abort(404)
    return repeat


def _stands(session: Session, opened: Opened, repeat: SubmissionRow) -> bool:
    """Tell whether what was sent again is what the registration says now."""
    return all(new == present for _label, new, present in _compare(session, opened, repeat))
