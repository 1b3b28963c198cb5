"""How many submissions one network may send."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import datetime

from sqlalchemy.orm import Session

from storage import limits

from .keys import KeyRing

# An office of 200 people behind one address registers within ten minutes; a flood does not.
BURST = 300
INTERVAL_SECONDS = 1.0


class RateLimitReached(Exception):
    """Nothing was stored; the same request may be sent after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


def check_network_limit(
    session: Session, keys: KeyRing, remote_addr: str | None, *, now: datetime
) -> None:
    """Count one submission of a network: an IPv4 address, or an IPv6 /64.

    Only a keyed hash of it is stored.

    Raises:
        RateLimitReached: the network sends too much.
    """
    network = name_network(remote_addr or "")
    name = hmac.new(keys.derive("network")[0], network.encode(), hashlib.sha256).hexdigest()
    is_within = limits.spend(
        session,
        f"network:{name}",
        interval=INTERVAL_SECONDS,
        burst=BURST,
        now=now.timestamp(),
    )
    if not is_within:
        raise RateLimitReached(retry_after_seconds=60)


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
