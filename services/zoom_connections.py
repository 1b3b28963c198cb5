"""An organization's credentials for Zoom: sealed when stored, opened for a client alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from storage import events, organizations, zoom_pauses
from storage.ciphers import Cipher, DecryptionError
from storage.models import Event, Organization, ZoomConnection
from zoom_client import Credentials, Plan

from .events import EventState, get_end


class AccountInUse(Exception):
    """Events that are not over are held at the account of now; `count` says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} events that are not over are at the account of now")
        self.count = count


@dataclass(frozen=True)
class ZoomSettings:
    """What the environment says of Zoom: where it is, and the first organization's credentials."""

    credentials: Credentials
    plan: Plan
    oauth_url: str


def connect(
    session: Session,
    organization: Organization,
    credentials: Credentials,
    *,
    plan: Plan,
    oauth_url: str,
    now: datetime,
) -> ZoomConnection:
    """Store credentials that Zoom has accepted; workers and pages use them from now on.

    Side effects: the token of before is forgotten, and so is what stood still of an account that is
    left behind, lest it alarms for ever; what stands still otherwise is tried at once.

    Raises:
        AccountInUse: their account is another one, where events would be left behind.
    """
    connection = organizations.lock_first_connection(session, organization.id)
    former = connection.account_id if connection else ""
    if connection is None:
        connection = organizations.add_connection(
            session, organization.id, account_id=credentials.account_id, now=now
        )
    elif connection.account_id != credentials.account_id:
        left_behind = list_left_behind(session, connection, now=now)
        if left_behind:
            raise AccountInUse(len(left_behind))
    connection.account_id = credentials.account_id
    connection.client_id = credentials.client_id
    connection.client_secret = seal(session.info["cipher"], credentials, oauth_url)
    connection.plan = str(plan)
    connection.token = None
    session.flush()
    zoom_pauses.forget_account(session, former)
    zoom_pauses.hasten_account(session, credentials.account_id, now=now)
    return connection


def list_left_behind(
    session: Session, connection: ZoomConnection, *, now: datetime
) -> Sequence[Event]:
    """List what cannot be reached any more once the connection is to another account."""
    return [
        event
        for event in events.list_events_of_connection(session, connection.id)
        if event.status not in (EventState.DRAFT, EventState.CANCELLED) and now < get_end(event)
    ]


def choose_credentials(
    connection: ZoomConnection, settings: ZoomSettings, cipher: Cipher
) -> tuple[Credentials, Plan]:
    """Return what a client of the connection is made with: what is stored, else the environment's.

    Where a stored secret cannot be opened, or was given for another account, app or address than
    now, it is not sent anywhere: the client refuses the empty one as Zoom would, and all calls
    stand still with that reason until somebody pastes it again.
    """
    if not connection.client_id:
        return settings.credentials, settings.plan
    secret = open_secret(cipher, connection, settings.oauth_url) or ""
    stored = Credentials(connection.account_id, connection.client_id, secret)
    return stored, Plan(connection.plan or settings.plan)


def is_from_environment(connection: ZoomConnection | None, settings: ZoomSettings) -> bool:
    """Tell whether a connection uses the credentials of the environment, and there are some."""
    return bool(
        connection is not None and not connection.client_id and settings.credentials.client_secret
    )


def seal(cipher: Cipher, credentials: Credentials, oauth_url: str) -> bytes:
    """Encrypt a secret together with where it may be sent, so that nothing of it can be changed."""
    return cipher.encrypt(
        json.dumps({"secret": credentials.client_secret, "for": _describe(credentials, oauth_url)})
    )


def open_secret(cipher: Cipher, connection: ZoomConnection, oauth_url: str) -> str | None:
    """Return a stored secret, or None where it is not for this account, app and address."""
    if connection.client_secret is None:
        return None
    try:
        sealed = json.loads(cipher.decrypt(connection.client_secret))
    except DecryptionError:
        return None
    wanted = _describe(Credentials(connection.account_id, connection.client_id, ""), oauth_url)
    return str(sealed["secret"]) if sealed["for"] == wanted else None


def _describe(credentials: Credentials, oauth_url: str) -> list[str]:
    return [credentials.account_id, credentials.client_id, oauth_url.rstrip("/")]
