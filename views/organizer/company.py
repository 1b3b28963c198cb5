"""Signing in with a company's account: the way to its provider, and back."""

from __future__ import annotations

import logging
from datetime import datetime
from urllib.parse import urlsplit

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from forms.accounts import build_address_form
from forms.organizer_fields import OrganizerForm
from oidc_client import (
    Claims,
    Credentials,
    CredentialsRefused,
    OidcError,
    Provider,
    ProviderUnreachable,
    ProviderUnusable,
    SignInRefused,
)
from services import audit, company_accounts, round_trips
from services.audit import NOBODY, Action
from services.browsers import PROOF_HOLDS
from services.company_accounts import CompanyRefused
from services.identity_providers import open_secret, read_domain
from services.members import Member, Permission
from services.round_trips import Aim, State
from storage import identity_providers, organizations, organizers
from storage.models import IdentityProvider, Organization

from ..locale import read_locale
from ..site import get_site
from .access import PROVE, bp, find_member, make_form_token, needs, read_next
from .company_words import explain
from .cookies import BROWSER, read_cookie
from .entering import count_network, enter, write_next

log = logging.getLogger(__name__)

SIGN_IN = "/organizer/sign-in"
COMPANY = f"{SIGN_IN}/company"


class Refused(Exception):
    """Nobody is signed in; `why` is a word of ours, `chain` whose log is told."""

    def __init__(self, why: str, chain: int = audit.NO_ORGANIZATION) -> None:
        super().__init__(why)
        self.why = why
        self.chain = chain


def write_entrance(organization: str) -> str:
    """Return the link with which members of an organization sign in."""
    return f"{get_site().settings.site_url}{SIGN_IN}/{organization}"


def write_back_url() -> str:
    """Return where providers send browsers back to; it is registered there."""
    return f"{get_site().settings.site_url}{COMPANY}/back"


@bp.get("/sign-in/company")
def show_company_sign_in() -> ResponseReturnValue:
    return _draw_address(build_address_form(None))


@bp.post("/sign-in/company")
def find_company() -> ResponseReturnValue:
    """Lead whoever types an address on by its domain; whether they have an account stays unsaid."""
    form = build_address_form(request.form)
    if not form.validate():
        return _draw_address(form), 422
    site = get_site()
    count_network(site.read_clock())
    with site.database.read() as session:
        found = identity_providers.find_organization(session, read_domain(form["email"].data))
    if found is None:
        form.refuse("email", str(explain("no_company")))
        return _draw_address(form), 422
    return redirect(f"{SIGN_IN}/{found}?{write_next()}", code=303)


@bp.get("/sign-in/<organization>")
def show_company(organization: str) -> ResponseReturnValue:
    """Say where it goes on, and not whose it is: who has the link knows."""
    provider, _owner = _need_provider(organization)
    return render_template(
        "organizer/company.html",
        organization=organization,
        host=urlsplit(provider.issuer).hostname,
        next=read_next(),
    )


@bp.get("/sign-in/<organization>/go")
def go_to_company(organization: str) -> ResponseReturnValue:
    make_form_token()  # the way is bound to the browser's cookie, so there must be one
    return _lead_away(organization, Aim.SIGN_IN)


@bp.get("/prove/company")
@needs(Permission.SIGNED_IN)
def go_to_prove(member: Member) -> ResponseReturnValue:
    """Have the company ask its member again who they are."""
    with get_site().database.read() as session:
        organization = organizations.need_organization(session, member.organization_id).public_id
    if not member.is_confined:
        return redirect(f"{PROVE}?{write_next()}", code=303)
    return _lead_away(organization, Aim.PROOF)


@bp.get("/sign-in/company/back")
def come_back() -> ResponseReturnValue:
    """Take who was signed in there for who they are here, if all of it is sound."""
    site = get_site()
    now = site.read_clock()
    count_network(now)
    try:
        state, provider = _take_state(now)
        claims = _ask_provider(state, provider, now)
        if state.aim is Aim.PROOF:
            return _prove(state, provider, claims, now)
        return _sign_in(state, provider, claims, now)
    except Refused as refusal:
        with site.database.write() as session:
            audit.record_as(
                session,
                NOBODY,
                Action.SIGN_IN_FAILED,
                chain=refusal.chain,
                facts={"by": "company", "why": refusal.why},
                now=now,
            )
        return _draw_refusal(refusal.why), 403


def _need_provider(organization: str) -> tuple[IdentityProvider, Organization]:
    with get_site().database.read() as session:
        found = identity_providers.get_by_organization(session, organization)
    if found is None:
        abort(404)
    return found


def _lead_away(organization: str, aim: Aim) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    stored, _owner = _need_provider(organization)
    count_network(now)
    trip = round_trips.begin(
        site.keys,
        organization,
        stored,
        aim=aim,
        next_=read_next(),
        cookie=read_cookie(BROWSER),
        redirect_url=write_back_url(),
        now=now,
    )
    try:
        provider = site.oidc.describe(stored.issuer, now=now)
    except OidcError as error:
        why = _name_failure(error)
        return _draw_refusal(why), 503
    address = site.oidc.write_address(provider, stored.client_id, trip, asks_again=aim is Aim.PROOF)
    return redirect(address, code=303)


def _take_state(now: datetime) -> tuple[State, IdentityProvider]:
    """Return what this browser has begun, now used up, and with whom."""
    site = get_site()
    state = round_trips.read_state(site.keys, request.args.get("state", ""), now=now)
    if state is None:
        raise Refused("stale")
    with site.database.read() as session:
        found = identity_providers.get_by_organization(session, state.organization)
    if found is None or not round_trips.is_of_browser(state, found[0], read_cookie(BROWSER)):
        raise Refused("stale")
    with site.database.write() as session:
        is_first = round_trips.use_up(session, state, now=now)
    if not is_first:
        raise Refused("stale", found[0].organization_id)
    return state, found[0]


def _ask_provider(state: State, stored: IdentityProvider, now: datetime) -> Claims:
    """Exchange the code that came back for who it is."""
    site, chain = get_site(), stored.organization_id
    secret = open_secret(site.cipher, stored)
    try:
        provider = site.oidc.describe(stored.issuer, now=now)
        _check_answer(provider)
        return site.oidc.exchange(
            provider,
            Credentials(stored.client_id, secret or ""),
            round_trips.resume(
                site.keys,
                state.salt,
                cookie=read_cookie(BROWSER),
                redirect_url=write_back_url(),
            ),
            request.args["code"],
            now=now,
        )
    except OidcError as error:
        log.warning("company sign-in failed", extra={"reason": f"{type(error).__name__}: {error}"})
        raise Refused(_name_failure(error), chain) from error


def _check_answer(provider: Provider) -> None:
    """Check what the browser has brought (RFC 6749, 4.1.2; RFC 9207)."""
    named = request.args.get("iss")
    if named != provider.issuer and (named is not None or provider.names_itself):
        raise SignInRefused("mix_up")
    if "error" in request.args or "code" not in request.args:
        raise SignInRefused("declined")


def _sign_in(
    state: State, provider: IdentityProvider, claims: Claims, now: datetime
) -> ResponseReturnValue:
    chain = provider.organization_id
    with get_site().database.write() as session:
        try:
            organizer = company_accounts.admit(
                session, provider, claims, locale=read_locale(), now=now
            )
        except CompanyRefused as error:
            raise Refused(str(error.refusal), chain) from error
        answer = enter(
            session,
            organizer,
            by="company",
            confined_to=chain,
            proven_at=_find_proof(claims, now),
            next_=state.next,
            now=now,
        )
    assert answer is not None, "they are a member by now"
    return answer


def _find_proof(claims: Claims, now: datetime) -> datetime:
    """Return when somebody has shown who they are, which need not be now: providers remember.

    Where that is not said it counts as too long ago for anything sensitive.
    """
    said = claims.signed_in_at
    return min(said, now) if said is not None else now - 2 * PROOF_HOLDS


def _prove(
    state: State, provider: IdentityProvider, claims: Claims, now: datetime
) -> ResponseReturnValue:
    """Note that a member has just shown who they are."""
    member, chain = find_member(), provider.organization_id
    if member is None or member.confined_to != chain:
        raise Refused("stale", chain)
    at = claims.signed_in_at
    if at is None or not state.begun_at - round_trips.SKEW <= at <= now + round_trips.SKEW:
        raise Refused("not_fresh", chain)
    with get_site().database.write() as session:
        identity = identity_providers.get_identity(session, chain, claims.issuer, claims.subject)
        if identity is None or identity.organizer_id != member.organizer_id:
            raise Refused("somebody_else", chain)
        organizers.note_proof(session, member.session_id, now=now)
    return redirect(state.next, code=303)


def _name_failure(error: OidcError) -> str:
    if isinstance(error, SignInRefused):
        return error.why
    if isinstance(error, CredentialsRefused | ProviderUnusable):
        return "not_set_up"
    assert isinstance(error, ProviderUnreachable), "there are no other errors"
    return "silent"


def _draw_address(form: OrganizerForm) -> str:
    return render_template(
        "organizer/company_address.html",
        rows=form.rows,
        errors=form.error_list,
        next=read_next(),
    )


def _draw_refusal(why: str) -> str:
    return render_template(
        "organizer/company_refused.html", explanation=explain(why), member=find_member()
    )
