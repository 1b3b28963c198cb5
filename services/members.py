"""Who may do what: roles, the permissions that each has, and the member of a signed-in browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.models import Membership, Organization, Organizer, OrganizerSession


class Permission(StrEnum):
    """One right, as a view asks for it.

    `SIGNED_IN` is had by every member: their own account, and nothing of the organization.
    `CHANGE_ACCOUNT`, what their account is signed in with everywhere, only by who has signed in
    with that. `ADD_ORGANIZATIONS` is no role's: it belongs to a person, in the whole installation.
    """

    SIGNED_IN = "signed_in"
    CHANGE_ACCOUNT = "change_account"
    ADD_ORGANIZATIONS = "add_organizations"
    SEE_EVENTS = "see_events"
    EDIT_EVENTS = "edit_events"
    ADD_EVENTS = "add_events"
    SEE_PEOPLE = "see_people"
    CHANGE_PEOPLE = "change_people"
    EXPORT_PEOPLE = "export_people"
    SEE_SENSITIVE = "see_sensitive"
    MANAGE_ORGANIZATION = "manage_organization"
    MANAGE_MEMBERS = "manage_members"
    SEE_AUDIT = "see_audit"


OF_THE_ACCOUNT = frozenset(
    {Permission.SIGNED_IN, Permission.CHANGE_ACCOUNT, Permission.ADD_ORGANIZATIONS}
)
"""What is done with these is the same whichever organization somebody is in."""


class Role(StrEnum):
    """What a member is in an organization."""

    OWNER = "owner"
    EDITOR = "editor"
    APPROVER = "approver"
    VIEWER = "viewer"
    EXPORTER = "exporter"


_VIEWS = frozenset(
    {
        Permission.SIGNED_IN,
        Permission.CHANGE_ACCOUNT,
        Permission.SEE_EVENTS,
        Permission.SEE_PEOPLE,
    }
)
_GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission) - {Permission.ADD_ORGANIZATIONS},
    Role.EDITOR: _VIEWS | {Permission.EDIT_EVENTS, Permission.ADD_EVENTS, Permission.SEE_SENSITIVE},
    Role.APPROVER: _VIEWS | {Permission.CHANGE_PEOPLE, Permission.SEE_SENSITIVE},
    Role.VIEWER: _VIEWS,
    Role.EXPORTER: _VIEWS | {Permission.EXPORT_PEOPLE},
}

# Who was let into some events alone has no right over what all events share.
_OF_ALL_EVENTS = frozenset(
    {
        Permission.ADD_EVENTS,
        Permission.MANAGE_ORGANIZATION,
        Permission.MANAGE_MEMBERS,
        Permission.SEE_AUDIT,
    }
)


def list_permissions(role: Role, *, has_all_events: bool = True) -> frozenset[Permission]:
    """Return what a role may do; less for a member who was let into some events alone."""
    granted = _GRANTS[role]
    return granted if has_all_events else granted - _OF_ALL_EVENTS


def may_grant(giver: Role, role: Role) -> bool:
    """Tell whether somebody may give a role: never one with more rights than their own."""
    return _GRANTS[role] <= _GRANTS[giver]


@dataclass(frozen=True)
class Member:
    """Whoever asks for a page of the dashboard, in the organization that they have chosen.

    Storage functions for organizers take `organization_id` and `event_ids` from here, so that what
    is not theirs cannot be asked for. `event_ids` is None for all events of the organization.
    `proven_at` is when they last showed a password, a code or a passkey; who has none of them, as
    the demo's owner, has nothing to show (`can_prove`). `is_confined`: the organization's company
    account let them in, to this organization alone. `has_others`: more organizations are open to
    them.
    """

    organizer_id: int
    public_id: str
    name: str
    email: str
    locale: str
    organization_id: int
    organization_public_id: str
    organization_name: str
    role: Role
    event_ids: frozenset[int] | None
    session_id: int
    seen_at: datetime
    proven_at: datetime
    has_password: bool
    is_confined: bool = False
    may_add_organizations: bool = False
    has_others: bool = False

    @property
    def can_prove(self) -> bool:
        return self.has_password or self.is_confined

    @property
    def permissions(self) -> frozenset[Permission]:
        granted = list_permissions(self.role, has_all_events=self.event_ids is None)
        if self.is_confined:
            return granted - {Permission.CHANGE_ACCOUNT}
        return granted | ({Permission.ADD_ORGANIZATIONS} if self.may_add_organizations else set())

    @property
    def confined_to(self) -> int | None:
        """Return the organization that their session is for alone; None for all of theirs."""
        return self.organization_id if self.is_confined else None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def make_member(
    organizer: Organizer,
    membership: Membership,
    organization: Organization,
    browser: OrganizerSession,
    event_ids: frozenset[int] | None,
    *,
    has_others: bool,
) -> Member:
    return Member(
        organizer_id=organizer.id,
        public_id=organizer.public_id,
        name=organizer.name or organizer.email,
        email=organizer.email,
        locale=organizer.locale,
        organization_id=organization.id,
        organization_public_id=organization.public_id,
        organization_name=organization.name,
        role=Role(membership.role),
        event_ids=event_ids,
        session_id=browser.id,
        seen_at=browser.seen_at,
        proven_at=browser.proven_at,
        has_password=bool(organizer.password_hash),
        is_confined=browser.confined_to is not None,
        may_add_organizations=organizer.may_add_organizations,
        has_others=has_others,
    )
