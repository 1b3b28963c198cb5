"""Where a provider may be: on the internet, or at a host that the operator has named.

Whoever sets up a provider chooses an address that this machine then asks; without these rules they
could have it ask whatever listens in its own network.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class HostRules:
    """`private` are names of hosts in networks of one's own, such as a company's Keycloak."""

    private: Collection[str] = ()

    def may_connect(self, host: str, address: str) -> bool:
        """Tell whether a host may be asked at one of its addresses."""
        return host.rstrip(".") in self.private or _is_public(address)

    def is_safe(self, url: str) -> bool:
        """Tell whether an address may be asked, or a browser led to.

        Over https; without that only on this machine, where its host is named.
        """
        if not (url.isascii() and url.isprintable()) or set(url) & set(" \\"):
            return False
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        if not host or "@" in parts.netloc or "#" in url:
            return False
        is_named = host in self.private and host in _LOOPBACK
        return parts.scheme == "https" or (parts.scheme == "http" and is_named)


def _is_public(text: str) -> bool:
    address = ip_address(text)
    if isinstance(address, IPv6Address) and (address.sixtofour or address.teredo):
        return False  # it stands for an IPv4 address, which may be any
    return address.is_global and not address.is_multicast
