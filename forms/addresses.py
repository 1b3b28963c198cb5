"""Email addresses: what is accepted, what is stored, what may be a slip of the finger.

Accepted is what follows RFC 5321 in ASCII, up to the 128 characters that Zoom takes. Also accepted:
full-width letters and white space around it (folded first), domains in other scripts (stored in
their ASCII form), and the old addresses of docomo and au with `..` or a dot before the `@`.
Refused: quoted local parts, address literals, domains without a dot, letters outside ASCII before
the `@`, white space and control characters inside. DNS is never asked.
"""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from services.addresses import email_key as email_key

from .normalise import LONGEST_CLEANED, clean_email

LONGEST_ADDRESS = 128
"""Zoom's limit for a registrant's address (its REST description, read 2026-11-22)."""

_LEGACY_DOMAIN = re.compile(r"(docomo|([a-z0-9]+\.)?ezweb)\.ne\.jp")
# What nearly everybody has, of which nothing more is to be checked.
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}$)[A-Za-z0-9_+-]+([.][A-Za-z0-9_+-]+)*", re.ASCII)
_LEGACY_LOCAL_PART = re.compile(r"[A-Za-z0-9_/?+-][A-Za-z0-9_/?+.-]{0,63}")

CARRIER_DOMAINS = frozenset(
    """
    docomo.ne.jp mopera.net ezweb.ne.jp biz.ezweb.ne.jp augps.ezweb.ne.jp ido.ne.jp au.com
    uqmobile.jp softbank.ne.jp i.softbank.jp disney.ne.jp d.vodafone.ne.jp h.vodafone.ne.jp
    t.vodafone.ne.jp c.vodafone.ne.jp k.vodafone.ne.jp r.vodafone.ne.jp n.vodafone.ne.jp
    s.vodafone.ne.jp q.vodafone.ne.jp ymobile.ne.jp ymobile1.ne.jp y-mobile.ne.jp emnet.ne.jp
    emobile.ne.jp emobile-s.ne.jp willcom.com wcm.ne.jp pdx.ne.jp
    """.split()  # noqa: SIM905 - a table of names reads best as one text
)

# In order of use: the first that fits is suggested.
_MAIL_DOMAINS = tuple(
    """
    gmail.com yahoo.co.jp icloud.com outlook.jp outlook.com hotmail.com hotmail.co.jp live.jp
    docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp i.softbank.jp ymobile.ne.jp uqmobile.jp
    yahoo.com yahoo.ne.jp ymail.ne.jp ybb.ne.jp googlemail.com me.com mac.com msn.com live.com
    nifty.com nifty.ne.jp biglobe.ne.jp so-net.ne.jp ocn.ne.jp plala.or.jp dion.ne.jp
    auone-net.jp excite.co.jp infoseek.jp mail.goo.ne.jp goo.jp jcom.home.ne.jp jcom.zaq.ne.jp
    eonet.ne.jp asahi-net.or.jp hi-ho.ne.jp wakwak.com tiki.ne.jp odn.ne.jp aol.com aol.jp
    gmx.com gmx.de gmx.net mail.com proton.me protonmail.com pm.me zoho.com fastmail.com
    yandex.com ymail.com rocketmail.com qq.com hanmail.net web.de
    """.split()  # noqa: SIM905 - as above
)

# Short names take no part in comparing: too many companies are one letter away from them.
_COMPARED_DOMAINS = tuple(domain for domain in _MAIL_DOMAINS if domain.index(".") >= 5)

_LEFT_ALONE = CARRIER_DOMAINS.union(_MAIL_DOMAINS, ["gail.com", "naver.com"])

_CONFUSIONS = {
    "gmail.co.jp": "gmail.com",
    "gmail.ne.jp": "gmail.com",
    "gmail.jp": "gmail.com",
    "gmail.net": "gmail.com",
    "gmail.com.jp": "gmail.com",
    "icloud.co.jp": "icloud.com",
    "icloud.jp": "icloud.com",
    "outlook.co.jp": "outlook.jp",
    "outlook.ne.jp": "outlook.jp",
    "yahoo.jp": "yahoo.co.jp",
    "yahoo.or.jp": "yahoo.co.jp",
    "hotmail.ne.jp": "hotmail.co.jp",
    "docomo.jp": "docomo.ne.jp",
    "docomo.com": "docomo.ne.jp",
    "ezweb.co.jp": "ezweb.ne.jp",
    "ezweb.jp": "ezweb.ne.jp",
    "ezweb.com": "ezweb.ne.jp",
    "i.softbank.ne.jp": "i.softbank.jp",
    "i.softbank.co.jp": "i.softbank.jp",
    "i.softbank.jo": "i.softbank.jp",
    "au.ne.jp": "au.com",
    "aol.con": "aol.com",
    "me.con": "me.com",
    "msn.con": "msn.com",
    "live.con": "live.com",
    "au.con": "au.com",
}


class AddressError(ValueError):
    """The text is no address that mail can be sent to."""


class AddressTooLong(AddressError):
    """The address is longer than Zoom takes."""


def read_address(text: str) -> str:
    """Return the address to store and to send to, in ASCII, the local part's case kept.

    Raises:
        AddressTooLong: it has more than 128 characters.
        AddressError: anything else is wrong with it.
    """
    if len(text) > LONGEST_CLEANED:
        raise AddressTooLong(text[:LONGEST_ADDRESS])
    cleaned = clean_email(text)
    if len(cleaned) > LONGEST_ADDRESS:
        raise AddressTooLong(cleaned)
    local, _, domain = cleaned.rpartition("@")
    if _LEGACY_DOMAIN.fullmatch(domain) and _LEGACY_LOCAL_PART.fullmatch(local):
        return cleaned
    is_plain = _PLAIN_LOCAL_PART.fullmatch(local) is not None
    address = f"{local}@{_read_domain(domain)}" if is_plain else _check_syntax(cleaned)
    if len(address) > LONGEST_ADDRESS:
        raise AddressTooLong(cleaned)
    return address


@lru_cache(maxsize=1024)
def _read_domain(domain: str) -> str:
    """Return a domain in ASCII; at an event most people come from the same few."""
    return _check_syntax(f"a@{domain}").removeprefix("a@")


def _check_syntax(address: str) -> str:
    try:
        checked = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError as error:
        raise AddressError(address) from error
    if checked.ascii_email is None:
        raise AddressError(address)
    return checked.ascii_email


def is_carrier_address(address: str) -> bool:
    """Tell whether an address belongs to a Japanese mobile carrier."""
    domain = address.rpartition("@")[2].lower()
    return domain in CARRIER_DOMAINS or domain.endswith(".ezweb.ne.jp")


def suggest_address(address: str) -> str | None:
    """Return the address that was probably meant, or None.

    Only well-known mail domains are ever suggested. A slip keeps the first letter, and short names
    are never compared, so that a company's own domain is left in peace.
    """
    local, at, domain = address.rpartition("@")
    meant = _find_meant(domain.lower()) if at else None
    return f"{local}@{meant}" if meant else None


@lru_cache(maxsize=1024)
def _find_meant(domain: str) -> str | None:
    """Return the domain that was probably meant; as with `_read_domain`, few are asked for."""
    if domain in _LEFT_ALONE:
        return None
    if confused := _CONFUSIONS.get(domain):
        return confused
    for known in _COMPARED_DOMAINS:
        if known[0] == domain[:1] and _is_one_edit_apart(known, domain):
            return known
    return None


def _is_one_edit_apart(one: str, other: str) -> bool:
    """Tell whether one insertion, deletion, replacement or swap of neighbours separates two."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    if len(one) != len(other):
        return one[1:] == other or one == other[1:]
    return one[1:] == other[1:] or (one[1::-1] == other[:2] and one[2:] == other[2:])
