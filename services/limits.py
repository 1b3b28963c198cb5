"""How much one network may send."""

from __future__ import annotations

import hmac
import ipaddress
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage.limits import Bucket, spend

from .keys import KeyRing

# An office of 200 people behind one address registers within ten minutes; a flood does not.
BURST = 300
INTERVAL_SECONDS = 1.0
WORK_FACTOR = 2
"""By how much a network may send more whose browsers work; each person's sends twice then."""
RETRY_AFTER_SECONDS = 60


class Limit(StrEnum):
    """Of what too much was sent."""

    NETWORK = "network"
    ADDRESS = "address"
    MAILS = "mails"


class RateLimitReached(Exception):
    """Nothing was stored; the same request may be sent after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int, limit: Limit = Limit.NETWORK) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit


def check_network_limit(
    session: Session, keys: KeyRing, remote_addr: str | None, *, now: datetime
) -> None:
    """Count one submission of a network: an IPv4 address, or an IPv6 /64.

    Only a keyed hash of it is stored.

    Raises:
        RateLimitReached: the network sends too much.
    """
    bucket = make_network_bucket(keys, remote_addr, BURST)
    if not spend(session, bucket, now=now.timestamp()):
        raise RateLimitReached(RETRY_AFTER_SECONDS)


def make_network_bucket(keys: KeyRing, remote_addr: str | None, burst: int) -> Bucket:
    name = hash_name(keys, "network", name_network(remote_addr or ""))
    return Bucket(f"network:{name}", INTERVAL_SECONDS, burst, most=WORK_FACTOR * BURST)


def hash_name(keys: KeyRing, purpose: str, name: str) -> str:
    """Hash what a person could be found by, so that only who knows it finds its bucket."""
    return hmac.digest(keys.derive(purpose)[0], name.encode(), "sha256").hex()


def name_network(remote_addr: str) -> str:
    """Return what counts as one network: an IPv4 address, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(remote_addr)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
