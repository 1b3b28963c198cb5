"""Where a call may go: to the internet, or to a host that the operator has named.

Whoever sets up a company's sign-in or a webhook chooses an address that this machine then asks;
without these rules they could have it ask whatever listens in its own network.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?")
# What ends in a number is read as an address by some, and each reads another one out of it: 127.1,
# 0177.0.0.1, 0x7f000001, 2130706433 (url.spec.whatwg.org, "ends in a number"; read 2026-11).
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")

# The only part of IPv6 that is given to the internet at large (IANA, "IPv6 Global Unicast Address
# Assignments"; read 2026-11). What stands for an IPv4 address elsewhere is judged by that one.
_INTERNET = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# For protocols alone, which Python counts only in part; one cloud has its machines' secrets there.
_PROTOCOLS = IPv4Network("192.0.0.0/24")


@dataclass(frozen=True)
class HostRules:
    """`private` are names of hosts in networks of one's own, such as a company's Keycloak.

    One may have a port, `n8n:5678`, or any, `n8n:*`. Those without are asked at their scheme's port
    and at `ports`, all others at `ports` alone, unless that is None. `takes_http`: hosts that are
    named may be asked without TLS; else only this machine itself, where it is named.
    """

    private: Collection[str] = ()
    ports: Collection[int] | None = None
    takes_http: bool = False

    def may_connect(self, host: str, address: str) -> bool:
        """Tell whether a host may be asked at one of its IP addresses."""
        return bool(self._list_named_ports(host)) or _is_public(address)

    def is_safe(self, url: str) -> bool:
        """Tell whether an address may be asked, or a browser led to, as far as its text shows."""
        if not (url.isascii() and url.isprintable()) or set(url) & set(" \\"):
            return False
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if not _is_host(host) or "@" in parts.netloc or "#" in url or port == 0:
            return False
        usual = _PORTS.get(parts.scheme)
        is_listed = self.ports is None or (port or usual) in self.ports
        named = self._list_named_ports(host)
        if parts.scheme == "http" and named:
            takes_scheme = self.takes_http or host in _LOOPBACK
        else:
            takes_scheme = parts.scheme == "https"
        is_there = "" in named and port in (None, usual)
        is_there |= not named.isdisjoint({"*", str(port or usual)})
        return takes_scheme and (is_there or (is_listed and named <= {""}))

    def _list_named_ports(self, host: str) -> set[str]:
        """Return the ports that a host is named with, an empty one where it has none."""
        host = host.lower().rstrip(".")
        return {port for name, port in map(_split_port, self.private) if name == host}


def _split_port(named: str) -> tuple[str, str]:
    """Return host and port of `n8n`, `n8n:5678`, `::1` or `[::1]:5678`."""
    if named.count(":") > 1 and not named.startswith("["):
        return named.lower(), ""
    host, _, port = named.rpartition(":") if ":" in named.rpartition("]")[2] else (named, "", "")
    return host.strip("[]").lower(), port


def _is_host(host: str) -> bool:
    if _NAME.fullmatch(host) and not _ENDS_IN_A_NUMBER.fullmatch(host):
        return True
    try:
        return "%" not in host and bool(ip_address(host))
    except ValueError:
        return False


def _is_public(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.sixtofour or address.teredo:
            return False  # relayed by whoever offers it
        embedded = _find_embedded(address)
        if embedded is None:
            return address in _INTERNET and address.is_global
        address = embedded
    return address.is_global and not address.is_multicast and address not in _PROTOCOLS


def _find_embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a call to this one ends at, if any."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
