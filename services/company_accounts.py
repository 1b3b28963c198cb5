"""Whom a company's sign-in stands for: the account, new or known, of whoever their provider names.

People are known by issuer and subject. An address counts once, when nobody is linked yet: where the
provider vouches for it, and it is a member's, was invited, or is of a domain that may join. Since
an organization's owner chooses its provider, what that says opens this organization and nothing
else of the account (`services.browsers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from oidc_client import MICROSOFT_HOSTS, Claims
from storage import (
    access_links,
    audit,
    identity_providers,
    members,
    organizations,
    organizers,
    passkeys,
)
from storage.models import AccessLink, CompanyIdentity, IdentityProvider, Organizer

from .access_links import LinkPurpose, is_backed
from .addresses import email_key
from .audit import Action, Fact, record_as
from .identity_providers import read_domain
from .members import Role


class Refusal(StrEnum):
    """Why somebody whom their provider knows does not get in."""

    NO_ADDRESS = "no_address"
    NOT_VERIFIED = "not_verified"
    OTHER_DOMAIN = "other_domain"
    OTHER_ACCOUNT = "other_account"
    NOT_PROVEN = "not_proven"
    NOT_INVITED = "not_invited"


class CompanyRefused(Exception):
    """Nothing was stored."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def admit(
    session: Session, provider: IdentityProvider, claims: Claims, *, locale: str, now: datetime
) -> Organizer:
    """Return the member whom a provider has just signed in.

    Side effects: on the first time an account, a membership and the link, as far as they lack.

    Raises:
        CompanyRefused.
    """
    chain = provider.organization_id
    domains = identity_providers.list_domains(session, provider.id)
    if domains and claims.email and read_domain(claims.email) not in domains:
        raise CompanyRefused(Refusal.OTHER_DOMAIN)
    identity = identity_providers.get_identity(session, chain, claims.issuer, claims.subject)
    if identity is None:
        # Of two tabs that come for the first time, the second waits here for the first.
        organizations.lock_organization(session, chain)
        identity = identity_providers.get_identity(session, chain, claims.issuer, claims.subject)
    if identity is None:
        organizer = _find_by_address(session, provider, claims, locale=locale, now=now)
        identity = _link(session, provider, organizer, claims, now=now)
    organizer = organizers.lock_organizer(session, identity.organizer_id)
    if members.get_membership(session, chain, organizer.id) is None:
        invitation = _find_invitation(session, provider, organizer.email, now=now)
        if invitation is None:
            raise CompanyRefused(Refusal.NOT_INVITED)
        _let_in(session, provider, organizer, invitation, now=now)
    identity.used_at = now
    session.flush()
    return organizer


def _find_by_address(
    session: Session, provider: IdentityProvider, claims: Claims, *, locale: str, now: datetime
) -> Organizer:
    """Return whose address it is, in the organization by now."""
    _check_address(session, provider, claims)
    organizer = organizers.get_organizer_by_key(session, email_key(claims.email))
    chain = provider.organization_id
    if organizer and members.get_membership(session, chain, organizer.id):
        return organizer
    invitation = _find_invitation(session, provider, claims.email, now=now)
    may_join = provider.joins_as and identity_providers.list_domains(session, provider.id)
    if invitation is None and (not may_join or _was_removed(session, chain, organizer)):
        raise CompanyRefused(Refusal.NOT_INVITED)
    if organizer is not None:
        if _may_be_somebody_elses(session, organizer):
            raise CompanyRefused(Refusal.NOT_PROVEN)
        # Whoever invites an address again says that it is this person's now.
        identity_providers.forget_identity(session, chain, organizer.id)
    else:
        organizer = organizers.add_organizer(
            session,
            email=claims.email,
            email_key=email_key(claims.email),
            name=claims.name,
            locale=locale,
            now=now,
        )
    _let_in(session, provider, organizer, invitation, now=now)
    return organizer


def _may_be_somebody_elses(session: Session, organizer: Organizer) -> bool:
    """Tell whether whoever typed an account's address, without proving it, could open the account.

    It may be the owner of another organization; whoever joins with that account would let them in
    too.
    """
    has_key = organizer.password_hash or passkeys.has_passkey(session, organizer.id)
    return bool(has_key) and not organizer.has_proven_address


def _check_address(session: Session, provider: IdentityProvider, claims: Claims) -> None:
    """Refuse an address that nobody vouches for.

    Entra ID sends `xms_edov` only where it was added to the app. Without it the address is what the
    tenant's administrators have entered, which is good enough in domains that the organization has
    named as its own: the issuer is one tenant, never `common`, and Microsoft knows of takeovers by
    such addresses where several tenants are let in alone (learn.microsoft.com, "Migrate away from
    using email claims for user identification or authorization"; read 2026-11).
    """
    if not claims.email:
        raise CompanyRefused(Refusal.NO_ADDRESS)
    has_domains = bool(identity_providers.list_domains(session, provider.id))
    is_of_tenant = urlsplit(provider.issuer).hostname in MICROSOFT_HOSTS and has_domains
    if not (claims.vouches_for_email or (claims.vouches_for_email is None and is_of_tenant)):
        raise CompanyRefused(Refusal.NOT_VERIFIED)


def _find_invitation(
    session: Session, provider: IdentityProvider, email: str, *, now: datetime
) -> AccessLink | None:
    links = access_links.list_live_links(
        session, provider.organization_id, LinkPurpose.MEMBER, now=now
    )
    wanted = email_key(email)
    return next(
        (link for link in links if email_key(link.email) == wanted and is_backed(session, link)),
        None,
    )


def _was_removed(session: Session, chain: int, organizer: Organizer | None) -> bool:
    """Tell whether somebody was a member once: only an invitation brings them back."""
    if organizer is None:
        return False
    return audit.has_entry(
        session, chain, Action.MEMBER_REMOVED, f"organizer:{organizer.public_id}"
    )


def _let_in(
    session: Session,
    provider: IdentityProvider,
    organizer: Organizer,
    invitation: AccessLink | None,
    *,
    now: datetime,
) -> None:
    if invitation is not None and not access_links.use_link(session, invitation.id, now=now):
        raise CompanyRefused(Refusal.NOT_INVITED)
    role = Role(invitation.role if invitation else provider.joins_as)
    members.add_membership(
        session,
        provider.organization_id,
        organizer.id,
        role=role,
        event_ids=invitation.event_ids if invitation else None,
        now=now,
    )
    _record(session, provider, organizer, Action.MEMBER_JOINED, {"role": str(role)}, now=now)


def _link(
    session: Session,
    provider: IdentityProvider,
    organizer: Organizer,
    claims: Claims,
    *,
    now: datetime,
) -> CompanyIdentity:
    """Link an account for good; a second one of the same address is somebody else's."""
    chain = provider.organization_id
    if identity_providers.has_identity(session, chain, claims.issuer, organizer.id):
        raise CompanyRefused(Refusal.OTHER_ACCOUNT)
    identity = identity_providers.add_identity(
        session, chain, organizer.id, issuer=claims.issuer, subject=claims.subject, now=now
    )
    _record(session, provider, organizer, Action.COMPANY_LINKED, {}, now=now)
    return identity


def _record(
    session: Session,
    provider: IdentityProvider,
    organizer: Organizer,
    action: Action,
    facts: Mapping[str, Fact],
    *,
    now: datetime,
) -> None:
    record_as(
        session,
        organizer.public_id,
        action,
        f"organizer:{organizer.public_id}",
        chain=provider.organization_id,
        facts={**facts, "by": "company"},
        now=now,
    )
