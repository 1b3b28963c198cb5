"""Which sites may show an organization's forms within their pages: exact origins, and no patterns.

What is listed goes into a header as it is, so it is written here from its checked parts.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import events, organizations

from . import audit
from .audit import Action
from .members import Member

MOST_ORIGINS = 50
"""All of them stand in one header of every framed page."""

_ADDRESS = re.compile(r"(https?)://([^\s/:?#@\\]+)(?::([0-9]{1,5}))?/?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LOOPBACK = ("localhost", "127.0.0.1")
_PORTS = {"https": 443, "http": 80}


class Refusal(StrEnum):
    """Why an origin is not listed."""

    SHAPE = "shape"
    PATH = "path"
    HTTPS = "https"
    HOST = "host"
    FULL = "full"


class OriginRefused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def read_origin(typed: str, *, allows_loopback: bool = False) -> str:
    """Return the origin that an address names: scheme, host and, unless it is the usual, port.

    Args:
        allows_loopback: take http from this machine too, as the demo does.

    Raises:
        OriginRefused: it is not one exact origin.
    """
    found = _ADDRESS.fullmatch(typed.strip(" "))
    if found is None:
        is_page = re.match(r"https?://[^\s/?#]+[/?#]", typed.strip(), re.IGNORECASE)
        raise OriginRefused(Refusal.PATH if is_page else Refusal.SHAPE)
    scheme, host = found[1].lower(), _read_host(found[2])
    port = int(found[3] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise OriginRefused(Refusal.SHAPE)
    is_loopback = host in _LOOPBACK
    if is_loopback and not allows_loopback:
        raise OriginRefused(Refusal.HOST)
    if scheme == "http" and not is_loopback:
        raise OriginRefused(Refusal.HTTPS)
    return f"{scheme}://{host}" + (f":{port}" if port != _PORTS[scheme] else "")


def allow_origin(session: Session, member: Member, origin: str, *, now: datetime) -> None:
    """Let a site show the organization's forms.

    Raises:
        OriginRefused: the list is full.
    """
    organization = organizations.lock_organization(session, member.organization_id)
    if origin in organization.embed_origins:
        return
    if len(organization.embed_origins) >= MOST_ORIGINS:
        raise OriginRefused(Refusal.FULL)
    organization.embed_origins = sorted([*organization.embed_origins, origin])
    _record(session, member, {"change": "allowed", "origin": origin}, now)


def withdraw_origin(session: Session, member: Member, origin: str, *, now: datetime) -> None:
    """Let a site show the organization's forms no more."""
    organization = organizations.lock_organization(session, member.organization_id)
    if origin not in organization.embed_origins:
        return
    organization.embed_origins = [o for o in organization.embed_origins if o != origin]
    _record(session, member, {"change": "withdrawn", "origin": origin}, now)


def _record(session: Session, member: Member, facts: dict[str, str], now: datetime) -> None:
    session.flush()
    events.raise_versions(session, member.organization_id, now=now)
    audit.record(session, member, Action.SETTINGS_CHANGED, facts={"part": "embed"} | facts, now=now)


def _read_host(typed: str) -> str:
    """Return a host as browsers write it.

    Raises:
        OriginRefused: it is not a host name, or browsers may read it as another one.
    """
    folded = unicodedata.normalize("NFKC", typed).lower()
    try:
        host = folded.encode("idna").decode() if not folded.isascii() else folded
        # Python knows the names of 2003: where it would write another one, the person has to.
        is_same = folded.isascii() or host.encode().decode("idna") == folded
    except UnicodeError as error:
        raise OriginRefused(Refusal.HOST) from error
    labels = host.split(".")
    is_named = is_same and len(host) <= 253 and all(map(_LABEL.fullmatch, labels))
    if not is_named or (len(labels) == 1 and host not in _LOOPBACK):
        raise OriginRefused(Refusal.HOST)
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]) and not _is_plain_ipv4(host):
        raise OriginRefused(Refusal.HOST)
    return host


def _is_plain_ipv4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
