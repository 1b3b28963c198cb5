"""Reading and writing companies' own sign-in, and who came through it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .models import CompanyIdentity, IdentityDomain, IdentityProvider, Organization
from .models import OrganizerSession as Browser


def get_provider(session: Session, organization_id: int) -> IdentityProvider | None:
    return session.scalar(
        select(IdentityProvider).where(IdentityProvider.organization_id == organization_id)
    )


def has_provider(session: Session) -> bool:
    """Tell whether any organization of the installation has a sign-in of its own."""
    return session.scalar(select(IdentityProvider.id).limit(1)) is not None


def get_by_organization(
    session: Session, public_id: str
) -> tuple[IdentityProvider, Organization] | None:
    """Return the provider of the organization with this public id, if it has one."""
    row = session.execute(
        select(IdentityProvider, Organization)
        .join(Organization, Organization.id == IdentityProvider.organization_id)
        .where(Organization.public_id == public_id)
    ).first()
    return None if row is None else (row[0], row[1])


def find_organization(session: Session, domain: str) -> str | None:
    """Return the public id of the organization that addresses of a domain belong to."""
    return session.scalar(
        select(Organization.public_id)
        .join(IdentityProvider, IdentityProvider.organization_id == Organization.id)
        .join(IdentityDomain, IdentityDomain.provider_id == IdentityProvider.id)
        .where(IdentityDomain.domain == domain)
    )


def list_domains(session: Session, provider_id: int) -> list[str]:
    statement = select(IdentityDomain.domain).where(IdentityDomain.provider_id == provider_id)
    return list(session.scalars(statement.order_by(IdentityDomain.domain)))


def list_taken_domains(
    session: Session, domains: Iterable[str], *, organization_id: int
) -> list[str]:
    """List those of some domains that are another organization's."""
    statement = (
        select(IdentityDomain.domain)
        .join(IdentityProvider, IdentityProvider.id == IdentityDomain.provider_id)
        .where(
            IdentityDomain.domain.in_(list(domains)),
            IdentityProvider.organization_id != organization_id,
        )
    )
    return list(session.scalars(statement.order_by(IdentityDomain.domain)))


def list_closed_to_passwords(session: Session, organization_ids: Sequence[int]) -> set[int]:
    """Return those of some organizations that want their company's account shown."""
    statement = select(IdentityProvider.organization_id).where(
        IdentityProvider.organization_id.in_(organization_ids),
        IdentityProvider.allows_passwords.is_(False),
    )
    return set(session.scalars(statement))


def write_provider(
    session: Session, provider: IdentityProvider, domains: Iterable[str]
) -> IdentityProvider:
    """Store a provider, new or changed, with the domains that it has from now on."""
    session.add(provider)
    session.flush()
    session.execute(delete(IdentityDomain).where(IdentityDomain.provider_id == provider.id))
    session.add_all(IdentityDomain(domain=domain, provider_id=provider.id) for domain in domains)
    session.flush()
    return provider


def delete_provider(session: Session, provider: IdentityProvider) -> None:
    session.delete(provider)
    session.flush()


def get_identity(
    session: Session, organization_id: int, issuer: str, subject: str
) -> CompanyIdentity | None:
    return session.scalar(
        select(CompanyIdentity).where(
            CompanyIdentity.organization_id == organization_id,
            CompanyIdentity.issuer == issuer,
            CompanyIdentity.subject == subject,
        )
    )


def has_identity(session: Session, organization_id: int, issuer: str, organizer_id: int) -> bool:
    """Tell whether the provider knows somebody already, under whatever subject."""
    statement = select(CompanyIdentity.id).where(
        CompanyIdentity.organization_id == organization_id,
        CompanyIdentity.issuer == issuer,
        CompanyIdentity.organizer_id == organizer_id,
    )
    return session.scalar(statement.limit(1)) is not None


def add_identity(
    session: Session,
    organization_id: int,
    organizer_id: int,
    *,
    issuer: str,
    subject: str,
    now: datetime,
) -> CompanyIdentity:
    identity = CompanyIdentity(
        organization_id=organization_id,
        organizer_id=organizer_id,
        issuer=issuer,
        subject=subject,
        created_at=now,
    )
    session.add(identity)
    session.flush()
    return identity


def forget_identity(session: Session, organization_id: int, organizer_id: int) -> None:
    session.execute(
        delete(CompanyIdentity).where(
            CompanyIdentity.organization_id == organization_id,
            CompanyIdentity.organizer_id == organizer_id,
        )
    )


def forget_identities(session: Session, organization_id: int) -> None:
    """Delete all links of an organization's members to their company's accounts."""
    session.execute(
        delete(CompanyIdentity).where(CompanyIdentity.organization_id == organization_id)
    )


def end_confined_browsers(session: Session, organization_id: int) -> None:
    """End the sessions that an organization's provider has let in."""
    session.execute(delete(Browser).where(Browser.confined_to == organization_id))
