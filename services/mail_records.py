"""What mail servers look up about a sender before they believe it: SPF, DKIM and DMARC.

Sources: RFC 7208 (one record beginning with v=spf1), RFC 6376 3.6.1 (the selector's name),
RFC 7489 6.3 (v=DMARC1 at _dmarc).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?", re.IGNORECASE)


class NotAsked(Exception):
    """DNS could not be asked, which says nothing about the record."""


class Verdict(StrEnum):
    FOUND = "found"
    MISSING = "missing"
    DOUBLE = "double"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class MailRecord:
    """One record: where it stands, what stands there, and what to add where it is missing."""

    kind: str
    name: str
    verdict: Verdict
    found: str = ""
    to_add: str = ""


LookUp = Callable[[str], list[str] | None]
"""Returns the TXT records of a name, None for no such name; raises `NotAsked`."""


def is_public_domain(domain: str) -> bool:
    """Tell whether a sender's domain is one that DNS can know."""
    return _DOMAIN.fullmatch(domain) is not None


def is_selector(text: str) -> bool:
    return _SELECTOR.fullmatch(text) is not None


def check_records(
    domain: str, selector: str, look_up: LookUp, *, mail_host: str
) -> list[MailRecord]:
    """Look for the records of a sender's domain; DKIM only with the selector of its key.

    Returns none where the domain itself is unknown: DNS here is not that of the world.
    """
    with suppress(NotAsked):
        if look_up(domain) is None:
            return []
    by_host = f"a:{mail_host} " if mail_host else ""
    records = [
        _check("SPF", domain, "v=spf1", look_up, to_add=f"v=spf1 {by_host}~all"),
        _check(
            "DMARC",
            f"_dmarc.{domain}",
            "v=DMARC1",
            look_up,
            to_add=f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}",
        ),
    ]
    name = f"{selector or '<selector>'}._domainkey.{domain}"
    if not selector:
        return [*records, MailRecord("DKIM", name, Verdict.NOT_ASKED)]
    return [*records, _check("DKIM", name, "", look_up, to_add="v=DKIM1; k=rsa; p=…")]


def _check(kind: str, name: str, beginning: str, look_up: LookUp, *, to_add: str) -> MailRecord:
    try:
        texts = look_up(name) or []
    except NotAsked:
        return MailRecord(kind, name, Verdict.NOT_ASKED, to_add=to_add)
    found = [text for text in texts if _is_of_kind(text, beginning)]
    if len(found) > 1:
        return MailRecord(kind, name, Verdict.DOUBLE, found=" / ".join(found))
    if not found:
        return MailRecord(kind, name, Verdict.MISSING, to_add=to_add)
    return MailRecord(kind, name, Verdict.FOUND, found=found[0])


def _is_of_kind(text: str, beginning: str) -> bool:
    if not beginning:
        return "p=" in text
    return re.match(rf"{re.escape(beginning)}(\s|;|$)", text, re.IGNORECASE) is not None
