"""Who belongs to an organization: inviting, changing roles and events, removing."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from storage import access_links, members, organizers
from storage.members import MemberRow
from storage.models import AccessLink, Event

from . import audit
from .access_links import LinkPurpose, add_link
from .addresses import email_key
from .api_keys import revoke_keys_of
from .audit import Action, Fact
from .members import Member, Permission, Role, list_permissions, may_grant
from .organizer_mails import OrganizerMailName, request_mail


class MembershipRefused(Exception):
    """Nothing was changed."""


class RoleNotYours(MembershipRefused):
    """Nobody gives a role that may do more than their own."""


class LastOwner(MembershipRefused):
    """An organization always has an owner."""


class AlreadyMember(MembershipRefused):
    """Whoever was invited is in the organization."""


class ChangedMeanwhile(MembershipRefused):
    """Somebody else has changed the member since the page was shown."""


def invite(
    session: Session,
    member: Member,
    *,
    email: str,
    role: Role,
    event_ids: frozenset[int] | None,
    locale: str,
    now: datetime,
) -> AccessLink:
    """Invite somebody by mail; a former invitation of theirs is dead.

    Raises:
        RoleNotYours, AlreadyMember.
    """
    _check_role(member, role)
    known = organizers.get_organizer_by_key(session, email_key(email))
    is_member = known is not None and members.get_membership(
        session, member.organization_id, known.id
    )
    if is_member:
        raise AlreadyMember
    access_links.end_links(
        session,
        LinkPurpose.MEMBER,
        organization_id=member.organization_id,
        email=email,
        now=now,
    )
    link = add_link(
        session,
        LinkPurpose.MEMBER,
        organization_id=member.organization_id,
        email=email,
        role=role,
        event_ids=event_ids,
        locale=locale,
        invited_by=member.organizer_id,
        now=now,
    )
    request_mail(session, OrganizerMailName.INVITATION, email, link=link, locale=locale, now=now)
    object_ = f"invitation:{link.public_id}"
    facts: dict[str, Fact] = {"role": str(role), "all_events": event_ids is None}
    audit.record(session, member, Action.MEMBER_INVITED, object_, facts=facts, now=now)
    return link


def withdraw(session: Session, member: Member, public_id: str, *, now: datetime) -> bool:
    """End an invitation of the organization; False if there is none such."""
    link = access_links.get_live_link(session, public_id, now=now)
    if (
        link is None
        or link.purpose != LinkPurpose.MEMBER
        or link.organization_id != member.organization_id
    ):
        return False
    access_links.use_link(session, link.id, now=now)
    object_ = f"invitation:{link.public_id}"
    audit.record(session, member, Action.INVITATION_WITHDRAWN, object_, now=now)
    return True


def change(
    session: Session,
    member: Member,
    row: MemberRow,
    *,
    role: Role,
    event_ids: frozenset[int] | None,
    version: str,
    now: datetime,
) -> None:
    """Change role and events of a member; where that is a change, their sessions end.

    The caller has the row of `lock_member`. With the right to invite their invitations end too,
    with that over the organization their keys.

    Raises:
        RoleNotYours, LastOwner, ChangedMeanwhile.
    """
    if write_version(row) != version:
        raise ChangedMeanwhile
    if (role, event_ids) == (row.membership.role, row.event_ids):
        return
    _check_role(member, Role(row.membership.role))
    _check_role(member, role)
    if role is not Role.OWNER or event_ids is not None:
        _check_owner_stays(session, member, row)
    row.membership.role = role
    members.set_event_ids(session, row.membership, event_ids)
    organizers.end_browsers(session, row.organizer.id)
    rights = list_permissions(role, has_all_events=event_ids is None)
    if Permission.MANAGE_MEMBERS not in rights:
        _end_invitations(session, row, now)
    if Permission.MANAGE_ORGANIZATION not in rights:
        revoke_keys_of(session, member, row.organizer.public_id, now=now)
    facts: dict[str, Fact] = {"role": str(role), "all_events": event_ids is None}
    audit.record(
        session,
        member,
        Action.MEMBER_CHANGED,
        f"organizer:{row.organizer.public_id}",
        facts=facts,
        now=now,
    )


def remove(session: Session, member: Member, row: MemberRow, *, now: datetime) -> None:
    """Take a member out of the organization; their sessions, invitations and API keys end.

    The caller has the row of `lock_member`.

    Raises:
        RoleNotYours, LastOwner.
    """
    _check_role(member, Role(row.membership.role))
    _check_owner_stays(session, member, row)
    members.delete_membership(session, row.membership)
    organizers.end_browsers(session, row.organizer.id)
    _end_invitations(session, row, now)
    revoke_keys_of(session, member, row.organizer.public_id, now=now)
    object_ = f"organizer:{row.organizer.public_id}"
    audit.record(session, member, Action.MEMBER_REMOVED, object_, now=now)


def may_change_people(session: Session, event: Event, organizer_id: int) -> bool:
    """Tell whether somebody who has asked for work on an event's people could still ask for it."""
    membership = members.get_membership(session, event.organization_id, organizer_id)
    if membership is None:
        return False
    event_ids = members.list_event_ids(session, membership)
    rights = list_permissions(Role(membership.role), has_all_events=event_ids is None)
    return Permission.CHANGE_PEOPLE in rights and (event_ids is None or event.id in event_ids)


def write_version(row: MemberRow) -> str:
    """Return what differs once somebody has changed a member."""
    events = "all" if row.event_ids is None else ",".join(map(str, sorted(row.event_ids)))
    return hashlib.sha256(f"{row.membership.role} {events}".encode()).hexdigest()[:16]


def _end_invitations(session: Session, row: MemberRow, now: datetime) -> None:
    """End what a member has sent: an invitation lasts no longer than the right to send it."""
    access_links.end_links(
        session,
        LinkPurpose.MEMBER,
        organization_id=row.membership.organization_id,
        invited_by=row.organizer.id,
        now=now,
    )


def _check_role(member: Member, role: Role) -> None:
    if not may_grant(member.role, role):
        raise RoleNotYours


def _check_owner_stays(session: Session, member: Member, row: MemberRow) -> None:
    """Refuse to take away the last owner of all events: of two at once, one is the last."""
    if row.membership.role != Role.OWNER or row.event_ids is not None:
        return
    owners = members.count_owners(session, member.organization_id, Role.OWNER)
    if owners <= 1:
        raise LastOwner
