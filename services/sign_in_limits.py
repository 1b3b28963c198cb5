"""How often somebody may try to sign in, or invite: slowed down, never locked out by strangers.

A try is counted against the address that was typed, known or not, and against the network. A
browser in which the organizer was signed in before is counted by itself instead: so whoever tries
their password from elsewhere does not keep them out.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from enum import Enum

from sqlalchemy.orm import Session

from storage.limits import Bucket, spend

from .keys import KeyRing
from .limits import RateLimitReached, name_network


class Try(Enum):
    """What is tried: name, seconds in which one try comes back, how many at once."""

    PASSWORD = ("password", 60.0, 10)
    CODE = ("code", 60.0, 5)
    CODE_OF_DAY = ("code-day", 4_320.0, 20)
    MAIL = ("mail", 1_200.0, 3)
    NETWORK = ("network", 10.0, 60)
    INVITING = ("inviting", 1_728.0, 50)
    INVITED = ("invited", 28_800.0, 3)
    TEST_MAIL = ("test-mail", 8_640.0, 10)


def count_try(
    session: Session,
    keys: KeyRing,
    kind: Try,
    *,
    email_key: str,
    device: str = "",
    remote_addr: str | None,
    now: datetime,
) -> None:
    """Count one try in a transaction of its own.

    Args:
        device: what tells a browser that was signed in as this address before; else empty.

    Raises:
        RateLimitReached: that was one too many; it says when to try again.
    """
    if device:
        _spend(session, keys, kind, f"{email_key}\0{device}", now)
        return
    count_network(session, keys, remote_addr, now=now)
    if kind is Try.CODE:
        # Whoever has the password could guess six digits within months otherwise.
        _spend(session, keys, Try.CODE_OF_DAY, email_key, now)
    _spend(session, keys, kind, email_key, now)


def count_network(
    session: Session, keys: KeyRing, remote_addr: str | None, *, now: datetime
) -> None:
    """Count one try of a network alone, where nobody has said yet who they are.

    Raises:
        RateLimitReached: as `count_try`.
    """
    _spend(session, keys, Try.NETWORK, name_network(remote_addr or ""), now)


def count_invitation(
    session: Session, keys: KeyRing, *, organization_id: int, email_key: str, now: datetime
) -> None:
    """Count an invitation: fifty a day of one organization, three of them to one address.

    Raises:
        RateLimitReached: that was one too many.
    """
    _spend(session, keys, Try.INVITED, f"{organization_id}\0{email_key}", now)
    _spend(session, keys, Try.INVITING, str(organization_id), now)


def count_test_mail(session: Session, keys: KeyRing, *, organizer_id: int, now: datetime) -> None:
    """Count a test mail: ten a day of one organizer.

    Raises:
        RateLimitReached: that was one too many.
    """
    _spend(session, keys, Try.TEST_MAIL, str(organizer_id), now)


def _spend(session: Session, keys: KeyRing, kind: Try, what: str, now: datetime) -> None:
    name, interval, burst = kind.value
    digest = hmac.new(keys.derive("sign-in-limit")[0], what.encode(), hashlib.sha256).hexdigest()
    bucket = Bucket(f"sign-in:{name}:{digest}", interval, burst)
    if not spend(session, bucket, now=now.timestamp()):
        raise RateLimitReached(retry_after_seconds=int(interval))
