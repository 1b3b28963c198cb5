"""Connecting an organization to its Zoom account, and looking whether that works."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.organizer_fields import OrganizerForm
from forms.zoom_connection import build_zoom_connection_form
from services import audit
from services.audit import Action, Fact
from services.members import Member, Permission
from services.organizations import ChangedMeanwhile, need_version
from services.zoom_connections import AccountInUse, connect, is_from_environment, open_secret
from services.zoom_preflight import MOST_USERS, look_at_account
from storage import organizations
from storage.models import ZoomConnection
from zoom_client import AuthenticationFailed, Credentials, Kind, Plan, ZoomError

from ..site import get_site
from .access import bp, needs
from .asking_zoom import ask_zoom
from .versions import carry_version

URL = "/organizer/settings/zoom"


@dataclass(frozen=True)
class _State:
    """What is stored now; `secret` is None where there is none that could be used."""

    connection: ZoomConnection | None
    secret: str | None
    version: int
    is_given: bool

    def knows(self, account_id: str, client_id: str) -> bool:
        """Tell whether the stored secret is for this account and app."""
        stored = self.connection
        return (
            self.secret is not None
            and stored is not None
            and (stored.account_id, stored.client_id) == (account_id, client_id)
        )


@bp.get("/settings/zoom")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def show_zoom(member: Member) -> ResponseReturnValue:
    state = _read_state(member)
    stored = state.connection
    is_stored = stored is not None and bool(stored.client_id)
    form = build_zoom_connection_form(
        is_stored=state.secret is not None,
        account_id=stored.account_id if stored and is_stored else "",
        client_id=stored.client_id if stored and is_stored else "",
        plan=(stored.plan if stored else "") or get_site().settings.zoom_plan,
    )
    return _draw(form, state)


@bp.post("/settings/zoom")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def connect_zoom(member: Member) -> ResponseReturnValue:
    site, state = get_site(), _read_state(member)
    form = build_zoom_connection_form(request.form, is_stored=state.secret is not None)
    if not form.validate():
        return _draw(form, state, status=422)
    credentials = _read_credentials(form, state)
    if credentials is None:
        form.refuse(
            "client_secret",
            _(
                "Paste the secret of this account and client ID: the stored one is for the former"
                " ones alone"
            ),
        )
        return _draw(form, state, status=422)
    plan = Plan(form["plan"].data[0])
    try:
        site.zoom.on_trial(credentials, plan).scopes()
    except AuthenticationFailed as error:
        form.refuse(*_explain_refusal(error))
        return _draw(form, state, status=422)
    except ZoomError:
        alert = _("Zoom did not answer, so nothing was saved. Please try again in a minute.")
        return _draw(form, state, status=503, alert=alert)
    return _store(member, form, state, credentials, plan)


@bp.get("/settings/zoom/test")
@needs(Permission.MANAGE_ORGANIZATION)
def test_zoom(member: Member) -> ResponseReturnValue:
    """Ask Zoom now; nothing is stored."""
    state = _read_state(member)
    if state.connection is None:
        return redirect(URL, code=303)
    refusal, found = None, None
    try:
        found = look_at_account(ask_zoom(state.connection, always=True))
    except AuthenticationFailed:
        refusal = "refused"
    except ZoomError:
        refusal = "silent"
    return render_template(
        "organizer/zoom_test.html",
        found=found,
        refusal=refusal,
        state=state,
        kinds=tuple(Kind),
        most_users=MOST_USERS,
    )


def _store(
    member: Member,
    form: OrganizerForm,
    state: _State,
    credentials: Credentials,
    plan: Plan,
) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    try:
        with site.database.write() as session:
            organization = need_version(
                session, member.organization_id, request.form.get("version", "")
            )
            connect(
                session,
                organization,
                credentials,
                plan=plan,
                oauth_url=site.settings.zoom_oauth_url,
                now=now,
            )
            facts: dict[str, Fact] = {"part": "zoom", "secret": bool(form["client_secret"].data)}
            audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)
    except AccountInUse as error:
        message = _(
            "Events that are not over are held at the account connected now (%(num)s). Change the"
            " account once they are over or cancelled",
            num=error.count,
        )
        form.refuse("account_id", message)
        return _draw(form, state, status=409)
    except ChangedMeanwhile:
        alert = _(
            "Somebody else has changed the settings meanwhile. Nothing of yours was saved; this"
            " page now starts from theirs."
        )
        return _draw(form, _read_state(member), status=409, alert=alert)
    return redirect(f"{URL}/test?done=1", code=303)


def _read_state(member: Member) -> _State:
    site = get_site()
    with site.database.read() as session:
        organization = organizations.need_organization(session, member.organization_id)
        connection = organizations.get_first_connection(session, organization.id)
        session.expunge_all()
    settings = site.zoom.settings
    secret = (
        open_secret(site.cipher, connection, settings.oauth_url) if connection is not None else None
    )
    return _State(
        connection, secret, organization.version, is_from_environment(connection, settings)
    )


def _read_credentials(form: OrganizerForm, state: _State) -> Credentials | None:
    """Return what to try; without a secret typed it is the stored one, for its own app alone."""
    account_id, client_id = form["account_id"].data, form["client_id"].data
    secret = form["client_secret"].data.strip()
    if not secret and state.knows(account_id, client_id):
        secret = state.secret
    return Credentials(account_id, client_id, secret) if secret else None


def _explain_refusal(error: AuthenticationFailed) -> tuple[str, str]:
    """Return the field that Zoom's refusal is about, and what to do."""
    said = str(error).casefold()
    if "disabled" in said or "activat" in said:
        return "client_id", _(
            "This app is not activated. Open it in Zoom's marketplace, Activation"
        )
    if "client" in said:
        return (
            "client_secret",
            _("Zoom refuses this client ID with this secret. Copy both again. Nothing was saved"),
        )
    return (
        "account_id",
        _(
            "Zoom knows the client ID and secret, but not for this account. Copy the account ID"
            " again. Nothing was saved"
        ),
    )


def _draw(
    form: OrganizerForm, state: _State, *, status: int = 200, alert: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "organizer/zoom.html",
        form=form,
        rows=form.rows,
        errors=form.error_list,
        state=state,
        version=carry_version(state.version, status=status),
        alert=alert,
    )
    return page, status
