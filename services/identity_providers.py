"""An organization's own sign-in: what is stored of it, and whom it lets in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from oidc_client import Credentials
from storage import identity_providers
from storage.ciphers import Cipher, DecryptionError
from storage.models import IdentityProvider, Organization

from .addresses import email_key
from .members import Role


class DomainTaken(Exception):
    """Addresses of a domain belong to one organization of the installation."""

    def __init__(self, domain: str) -> None:
        super().__init__(domain)
        self.domain = domain


@dataclass(frozen=True)
class Policy:
    """Whom a provider lets in, and whether members may sign in otherwise.

    `domains` in ASCII and small letters; none means that the address may be of any. `joins_as` is
    the role of whoever comes uninvited with an address of them. Owners of all events can always
    sign in otherwise, so that a mistake at the provider locks nobody out.
    """

    domains: tuple[str, ...] = ()
    joins_as: Role | None = None
    allows_passwords: bool = True


def save_provider(
    session: Session,
    organization: Organization,
    issuer: str,
    credentials: Credentials,
    policy: Policy,
    *,
    now: datetime,
) -> IdentityProvider:
    """Store where an organization's members sign in.

    Side effects: with another issuer or client id all links to accounts are forgotten, and the
    sessions that they have let in end: providers may know people by another subject in each app.

    Raises:
        DomainTaken.
    """
    taken = identity_providers.list_taken_domains(
        session, policy.domains, organization_id=organization.id
    )
    if taken:
        raise DomainTaken(taken[0])
    provider = identity_providers.get_provider(session, organization.id)
    if provider is None:
        provider = IdentityProvider(organization_id=organization.id, created_at=now)
    elif (provider.issuer, provider.client_id) != (issuer, credentials.client_id):
        _let_nobody_in(session, organization.id)
    provider.issuer = issuer
    provider.client_id = credentials.client_id
    provider.client_secret = seal(session.info["cipher"], issuer, credentials)
    provider.joins_as = str(policy.joins_as or "")
    provider.allows_passwords = policy.allows_passwords
    return identity_providers.write_provider(session, provider, policy.domains)


def remove_provider(session: Session, organization_id: int) -> bool:
    """Forget an organization's provider, if it has one; sessions that it has let in end."""
    provider = identity_providers.get_provider(session, organization_id)
    if provider is None:
        return False
    _let_nobody_in(session, organization_id)
    identity_providers.delete_provider(session, provider)
    return True


def seal(cipher: Cipher, issuer: str, credentials: Credentials) -> bytes:
    """Encrypt a secret together with where it may be sent, so that nothing of it can be changed."""
    told = {"secret": credentials.client_secret, "for": [issuer, credentials.client_id]}
    return cipher.encrypt(json.dumps(told))


def open_secret(cipher: Cipher, provider: IdentityProvider) -> str | None:
    """Return a stored secret, or None where it is not for this issuer and client id."""
    try:
        sealed = json.loads(cipher.decrypt(provider.client_secret))
    except DecryptionError:
        return None
    is_for_this = sealed["for"] == [provider.issuer, provider.client_id]
    return str(sealed["secret"]) if is_for_this else None


def read_domain(email: str) -> str:
    """Return the domain of an address as domains are stored."""
    return email_key(email).rpartition("@")[2]


def _let_nobody_in(session: Session, organization_id: int) -> None:
    identity_providers.forget_identities(session, organization_id)
    identity_providers.end_confined_browsers(session, organization_id)
