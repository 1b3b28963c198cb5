"""Setting up where an organization's members sign in with their company's account."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from forms.identity_provider import NOBODY, OPEN, OWNERS, build_provider_form, read_domains
from forms.organizer_fields import OrganizerForm
from oidc_client import (
    Credentials,
    CredentialsRefused,
    Fault,
    HostRefused,
    ProviderUnreachable,
    ProviderUnusable,
)
from services import audit
from services.audit import Action, Fact
from services.identity_providers import (
    DomainTaken,
    Policy,
    open_secret,
    remove_provider,
    save_provider,
)
from services.members import Member, Permission, Role
from services.organizations import ChangedMeanwhile, need_version
from storage import identity_providers, organizations
from storage.models import IdentityProvider

from ..site import get_site
from .access import bp, needs
from .company import write_back_url, write_entrance
from .members import name_role
from .versions import carry_version

URL = "/organizer/settings/sign-in"
JOINING = (Role.VIEWER, Role.EXPORTER, Role.APPROVER, Role.EDITOR)

_FAULTS = {
    Fault.NOT_AN_ADDRESS: lazy_gettext(
        "Enter the issuer as an address that begins with https:// and has no ? or #"
    ),
    Fault.NO_TENANT: lazy_gettext(
        "Put your tenant ID in place of common: https://login.microsoftonline.com/<tenant"
        " ID>/v2.0. With common everybody who has any Microsoft account would be let in"
    ),
    Fault.NOT_FOUND: lazy_gettext(
        "There is no OpenID Connect provider at this address. Check it for a missing part"
    ),
    Fault.UNSAFE_ADDRESS: lazy_gettext(
        "The provider names addresses without https. Signing in there would not be safe"
    ),
    Fault.NO_CODE_FLOW: lazy_gettext("The provider does not know the authorization code flow"),
    Fault.NO_KNOWN_ALGORITHM: lazy_gettext(
        "The provider signs in a way that is not accepted here. Choose RS256 or ES256 there"
    ),
}


@dataclass(frozen=True)
class _State:
    """What is stored now; `secret` is None where there is none that could be used."""

    organization: str
    version: int
    provider: IdentityProvider | None
    domains: list[str]
    secret: str | None

    def knows(self, issuer: str, client_id: str) -> bool:
        """Tell whether the stored secret is for this issuer and client id."""
        stored = self.provider
        return (
            self.secret is not None
            and stored is not None
            and (stored.issuer, stored.client_id) == (issuer, client_id)
        )


@bp.get("/settings/sign-in")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def show_provider(member: Member) -> ResponseReturnValue:
    state = _read_state(member)
    stored = state.provider
    form = _build_form(
        state,
        sent=False,
        issuer=stored.issuer if stored else "",
        client_id=stored.client_id if stored else "",
        domains="\n".join(state.domains),
        joins_as=(stored.joins_as if stored else "") or NOBODY,
        passwords=OPEN if stored is None or stored.allows_passwords else OWNERS,
    )
    return _draw(form, state)


@bp.post("/settings/sign-in")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def save(member: Member) -> ResponseReturnValue:
    """Try what was typed at the provider, and store it if it works."""
    state = _read_state(member)
    form = _build_form(state, sent=True)
    if not form.validate() or not _check_joining(form):
        return _draw(form, state, status=422)
    credentials = _read_credentials(form, state)
    if credentials is None:
        message = _("Paste the secret of this issuer and client ID: the stored one is for others")
        form.refuse("client_secret", message)
        return _draw(form, state, status=422)
    site = get_site()
    issuer = form["issuer"].data
    try:
        provider = site.oidc.describe(issuer, now=site.read_clock(), is_trial=True)
        site.oidc.try_credentials(provider, credentials, write_back_url())
    except ProviderUnusable as error:
        form.refuse("issuer", _explain(error))
        return _draw(form, state, status=422)
    except CredentialsRefused:
        message = _("The provider refuses this client ID with this secret. Copy both again")
        form.refuse("client_secret", message)
        return _draw(form, state, status=422)
    except HostRefused:
        message = _(
            "This host is in a private network. Whoever runs this site has to name it in"
            " UKETSUKE_PRIVATE_SIGN_IN_HOSTS first"
        )
        form.refuse("issuer", message)
        return _draw(form, state, status=422)
    except ProviderUnreachable:
        alert = _("The provider did not answer, so nothing was saved. Check the issuer, or wait.")
        return _draw(form, state, status=503, alert=alert)
    return _store(member, form, state, credentials)


@bp.post("/settings/sign-in/remove")
@needs(Permission.MANAGE_ORGANIZATION, proof=True)
def remove(member: Member) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        organizations.lock_organization(session, member.organization_id)
        if remove_provider(session, member.organization_id):
            facts: dict[str, Fact] = {"part": "sign_in", "removed": True}
            audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)
    return redirect(f"{URL}?done=removed", code=303)


def _store(
    member: Member, form: OrganizerForm, state: _State, credentials: Credentials
) -> ResponseReturnValue:
    site = get_site()
    now = site.read_clock()
    joins_as = form["joins_as"].data[0]
    policy = Policy(
        domains=read_domains(form["domains"].data),
        joins_as=None if joins_as == NOBODY else Role(joins_as),
        allows_passwords=form["passwords"].data == (OPEN,),
    )
    try:
        with site.database.write() as session:
            organization = need_version(
                session, member.organization_id, request.form.get("version", "")
            )
            save_provider(session, organization, form["issuer"].data, credentials, policy, now=now)
            facts: dict[str, Fact] = {
                "part": "sign_in",
                "secret": bool(form["client_secret"].data),
                "domains": len(policy.domains),
                "joins_as": policy.joins_as,
                "company_only": not policy.allows_passwords,
            }
            audit.record(session, member, Action.SETTINGS_CHANGED, facts=facts, now=now)
    except DomainTaken as error:
        message = _(
            "%(domain)s belongs to another organization of this site. Ask whoever runs the site",
            domain=error.domain,
        )
        form.refuse("domains", message)
        return _draw(form, state, status=409)
    except ChangedMeanwhile:
        alert = _(
            "Somebody else has changed the settings meanwhile. Nothing was saved; check them and"
            " save again."
        )
        return _draw(form, _read_state(member), status=409, alert=alert)
    return redirect(f"{URL}?done=saved", code=303)


def _read_state(member: Member) -> _State:
    site = get_site()
    with site.database.read() as session:
        organization = organizations.need_organization(session, member.organization_id)
        provider = identity_providers.get_provider(session, organization.id)
        domains = identity_providers.list_domains(session, provider.id) if provider else []
        session.expunge_all()
    secret = open_secret(site.cipher, provider) if provider else None
    return _State(organization.public_id, organization.version, provider, domains, secret)


def _build_form(state: _State, *, sent: bool, **stored: str) -> OrganizerForm:
    return build_provider_form(
        request.form if sent else None,
        roles=[(str(role), name_role(role)) for role in JOINING],
        is_stored=state.secret is not None,
        **stored,
    )


def _check_joining(form: OrganizerForm) -> bool:
    if form["joins_as"].data != (NOBODY,) and not form["domains"].data:
        form.refuse("domains", _("Enter the domains whose addresses may join"))
        return False
    return True


def _read_credentials(form: OrganizerForm, state: _State) -> Credentials | None:
    """Return what to try; without a secret typed it is the stored one, for its own use alone."""
    secret = form["client_secret"].data.strip()
    if not secret and state.knows(form["issuer"].data, form["client_id"].data):
        secret = state.secret
    return Credentials(form["client_id"].data, secret) if secret else None


def _explain(error: ProviderUnusable) -> str:
    if error.fault is Fault.OTHER_ISSUER:
        return _(
            "At this address the provider calls itself %(issuer)s. If that is yours, enter it",
            issuer=error.issuer,
        )
    return str(_FAULTS[error.fault])


def _draw(
    form: OrganizerForm, state: _State, *, status: int = 200, alert: str = ""
) -> ResponseReturnValue:
    page = render_template(
        "organizer/identity_provider.html",
        rows=form.rows,
        errors=form.error_list,
        state=state,
        version=carry_version(state.version, status=status),
        alert=alert,
        back_url=write_back_url(),
        entrance=write_entrance(state.organization),
    )
    return page, status
