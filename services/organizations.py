"""The organization that owns events, and its connection to Zoom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from storage import organizations
from storage.models import Organization, ZoomConnection

from .default_notice import Operator


def ensure_organization(session: Session, *, account_id: str, now: datetime) -> ZoomConnection:
    """Return the first organization's connection, making both where there are none.

    `account_id` is the Zoom account of the settings, whose credentials the connection uses. If it
    has changed, the token of the account before is forgotten.
    """
    organization = organizations.get_first_organization(session)
    if organization is None:
        organization = organizations.add_organization(session, now=now)
    connection = organizations.get_first_connection(session, organization.id)
    if connection is None:
        return organizations.add_connection(
            session, organization.id, account_id=account_id, now=now
        )
    if connection.account_id != account_id:
        connection.account_id = account_id
        connection.token = None
    return connection


def make_operator(organization: Organization) -> Operator:
    """Say who answers for the personal data, as the privacy notice names them."""
    return Operator(
        name=organization.name,
        legal_name=organization.legal_name,
        address=organization.address,
        representative=organization.representative,
        contact=organization.contact_email or organization.contact_url,
    )
