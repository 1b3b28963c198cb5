"""The organization that owns events, and its connection to Zoom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import members, organizations, organizers, zoom_pauses
from storage.models import Organization, ZoomConnection

from . import audit
from .audit import Action
from .default_notice import Operator
from .members import Member, Role
from .tables import DocumentError


class ChangedMeanwhile(Exception):
    """Somebody else has changed the organization since the page was opened."""


def need_version(session: Session, organization_id: int, version: str) -> Organization:
    """Return an organization to be changed, counted as changed.

    Raises:
        ChangedMeanwhile: `version`, as a page has carried it, is not the one of now.
    """
    organization = organizations.lock_organization(session, organization_id)
    if str(organization.version) != version:
        raise ChangedMeanwhile
    organization.version += 1
    return organization


def is_first(session: Session, organization: Organization) -> bool:
    """Tell whether an organization is the one that the installation began with."""
    first = organizations.get_first_organization(session)
    return first is not None and first.id == organization.id


def add_owned_organization(
    session: Session, member: Member, name: str, *, now: datetime
) -> Organization:
    """Make another organization, which its maker owns, and go on in it."""
    organization = organizations.add_organization(session, name=name, now=now)
    members.add_membership(
        session, organization.id, member.organizer_id, role=Role.OWNER, event_ids=None, now=now
    )
    organizers.choose_organization(session, member.session_id, organization.id)
    audit.record_as(
        session, member.public_id, Action.ORGANIZATION_ADDED, chain=organization.id, now=now
    )
    return organization


def ensure_organization(session: Session, *, account_id: str, now: datetime) -> ZoomConnection:
    """Return the first organization's connection, making both where there are none.

    `account_id` is the Zoom account of the settings, whose credentials the connection uses unless
    others were stored with it. If it has changed, the token of the account before is forgotten, and
    that it stood still, lest it alarms for ever.
    """
    organization = organizations.get_first_organization(session)
    if organization is None:
        organization = organizations.add_organization(session, now=now)
    connection = organizations.get_first_connection(session, organization.id)
    if connection is None:
        return organizations.add_connection(
            session, organization.id, account_id=account_id, now=now
        )
    if connection.account_id != account_id and not connection.client_id:
        former, connection.account_id = connection.account_id, account_id
        connection.token = None
        session.flush()
        zoom_pauses.forget_account(session, former)
    return connection


def find_stored_connection(session: Session) -> ZoomConnection | None:
    """Return the first organization's connection if credentials were stored with it."""
    organization = organizations.get_first_organization(session)
    if organization is None:
        return None
    connection = organizations.get_first_connection(session, organization.id)
    return connection if connection is not None and connection.client_secret else None


def check_texts(session: Session, organization: Organization, texts: Mapping[str, Any]) -> None:
    """Let a file that perhaps speaks of another organization change nothing of this one.

    Raises:
        DocumentError: there are several, and it says something else than what is stored.
    """
    every = [row[0] for row in organizations.list_organizations(session)]
    others = {other.name for other in every if other.id != organization.id}
    is_foreign = bool(organization.name) or texts["name"] in others
    if others and is_foreign and any(getattr(organization, n) != texts[n] for n in texts):
        raise DocumentError(
            f"a new event is {organization.name or 'the first organization'}'s, and [organization] "
            "says something else: leave it out, or make the event in the other one's dashboard"
        )


def make_operator(organization: Organization) -> Operator:
    """Say who answers for the personal data, as the privacy notice names them."""
    return Operator(
        name=organization.name,
        legal_name=organization.legal_name,
        address=organization.address,
        representative=organization.representative,
        contact=organization.contact_email or organization.contact_url,
    )
