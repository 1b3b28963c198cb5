"""Links that work once: into a new site, an organization, or an account whose password is lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import access_links, members, organizations
from storage.models import AccessLink, Organization

from .members import Permission, Role, list_permissions, may_grant
from .tokens import Purpose, TokenSigner, read_token


class LinkPurpose(StrEnum):
    """What a link is for. `ENTER` signs somebody in at once: the demo and tests use it."""

    OWNER = "owner"
    MEMBER = "member"
    PASSWORD = "password"  # noqa: S105 - a word, not a password
    ENTER = "enter"


_HOLDS = {
    LinkPurpose.OWNER: timedelta(days=1),
    LinkPurpose.MEMBER: timedelta(days=7),
    LinkPurpose.PASSWORD: timedelta(hours=1),
    LinkPurpose.ENTER: timedelta(hours=12),
}


def add_link(
    session: Session,
    purpose: LinkPurpose,
    *,
    organizer_id: int | None = None,
    organization_id: int | None = None,
    email: str = "",
    role: Role | None = None,
    event_ids: frozenset[int] | None = None,
    locale: str = "ja",
    invited_by: int | None = None,
    now: datetime,
) -> AccessLink:
    """Make a link that works once, for as long as its purpose allows."""
    return access_links.add_link(
        session,
        AccessLink(
            purpose=str(purpose),
            organizer_id=organizer_id,
            organization_id=organization_id,
            email=email,
            role=str(role or ""),
            event_ids=None if event_ids is None else sorted(event_ids),
            locale=locale,
            invited_by=invited_by,
            created_at=now,
            expires_at=now + _HOLDS[purpose],
        ),
    )


def invite_first_owner(session: Session, *, now: datetime) -> AccessLink:
    """Make the link for an owner of the first organization, which is made if there is none."""
    organization = organizations.get_first_organization(session)
    if organization is None:
        organization = organizations.add_organization(session, now=now)
    return invite_owner(session, organization, now=now)


def invite_owner(session: Session, organization: Organization, *, now: datetime) -> AccessLink:
    """Make the link for an owner whose address nobody knows yet.

    Side effects: earlier links of this kind stop working.
    """
    access_links.end_links(session, LinkPurpose.OWNER, organization_id=organization.id, now=now)
    return add_link(
        session,
        LinkPurpose.OWNER,
        organization_id=organization.id,
        role=Role.OWNER,
        now=now,
    )


def is_backed(session: Session, link: AccessLink) -> bool:
    """Tell whether whoever sent an invitation still may; one made by a command has no sender."""
    if link.invited_by is None or link.organization_id is None:
        return True
    sender = members.get_membership(session, link.organization_id, link.invited_by)
    if sender is None:
        return False
    rights = list_permissions(Role(sender.role), has_all_events=sender.has_all_events)
    return Permission.MANAGE_MEMBERS in rights and may_grant(Role(sender.role), Role(link.role))


def find_link(
    session: Session, signer: TokenSigner, token: str, *, now: datetime
) -> AccessLink | None:
    """Return the link behind a token, or None if it does not work any more."""
    claim = read_token(token)
    if claim is None or claim.purpose is not Purpose.ACCESS or not signer.is_genuine(claim):
        return None
    return access_links.get_live_link(session, claim.public_id, now=now)
