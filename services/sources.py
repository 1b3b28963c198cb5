"""Where a registration came from: the tags of an address that are kept, and how they are cleaned.

They travel in addresses alone, from the page with the link or the frame to the record; nothing is
stored on a device. Anybody can write anything there, so what is kept is cut and cleaned here.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

UTM_NAMES = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")

CLICK_IDS = (
    *("gclid", "gbraid", "wbraid", "yclid", "fbclid", "msclkid", "ttclid", "twclid"),
    "li_fat_id",
)
"""What advertising systems number a click by."""

PAGE = "page"
"""The page around the frame: its origin and path."""

REF = "ref"
"""The code of an invitation's link."""

KEY = "api_key"
"""The public id of the key with which a program has sent it; never from an address."""

SOURCE_NAMES = (*UTM_NAMES, PAGE, REF, *CLICK_IDS)
"""The names in an address that are kept with a submission."""

FACET_NAMES = (*UTM_NAMES, PAGE, REF)
"""Those that several people have in common."""

ORIGIN_NAMES = ("utm_source", "utm_medium", "utm_campaign", PAGE, REF)
"""What makes an origin: the tags that visits and registrations are counted by together."""

DIRECT, BY_HAND, BY_PROGRAM = "direct", "hand", "api"
"""The origins of who came without any of them, by the form or through the API, and of who was
entered by an organizer."""

TAG_LENGTH = 100
PAGE_LENGTH = 200
REF_LENGTH = 40

# Anybody can write anything into an address: what is remembered of it has to be short.
_KEPT_LENGTH = 500

_CLICK_ID = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_HOST = re.compile(r"[\w.-]+|\[[0-9a-f:.]+\]")
# Somebody before and a host after it: `@company` names an account, and is nobody's address.
_EMAIL = re.compile(r"[^\s@/:]@[^\s@/]")


def read_source(asked: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of an address, by name, without those that nothing is left of.

    What looks like an email address is left out: campaigns are counted, people are not followed.
    """
    tags = ((name, _clean(name, asked[name])) for name in SOURCE_NAMES if name in asked)
    return {name: value for name, value in tags if value}


def pick_origin(source: Mapping[str, object]) -> dict[str, str]:
    """Return the tags that make an origin."""
    return {name: str(source[name]) for name in ORIGIN_NAMES if source.get(name)}


def name_origin(source: Mapping[str, object]) -> str:
    """Return the name that an origin is counted under: the same for the same tags, and short."""
    tags = pick_origin(source)
    if not tags:
        return DIRECT
    canonical = json.dumps(tags, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def write_click_ids(source: Mapping[str, str]) -> str:
    """Write the numbers of clicks as they stood in the address; hardly anybody has two."""
    return " ".join(f"{name}={source[name]}" for name in CLICK_IDS if name in source)


def _clean(name: str, value: str) -> str:
    if name in CLICK_IDS:
        return value if _CLICK_ID.fullmatch(value) else ""
    return _clean_facet(name, value) if len(value) <= _KEPT_LENGTH else _clean_tag(name, value)


@lru_cache(maxsize=512)
def _clean_facet(name: str, value: str) -> str:
    """Clean what many people of one campaign have in common, once."""
    return _clean_tag(name, value)


def _clean_tag(name: str, value: str) -> str:
    if name == PAGE:
        return _clean_page(value)
    text = _write_plain(value)
    length = REF_LENGTH if name == REF else TAG_LENGTH
    return "" if _holds_email(text) else text[:length].rstrip()


def _write_plain(value: str) -> str:
    """Leave out what cannot be seen: controls, marks of direction, spaces of no width."""
    text = " ".join(unicodedata.normalize("NFC", value).split())
    return "".join(char for char in text if char.isprintable()).strip()


def _holds_email(text: str) -> bool:
    # Twice, as a link in a mail is often written by one program and wrapped by another.
    plain = unicodedata.normalize("NFKC", unquote(unquote(text)))
    return _EMAIL.search(_write_plain(plain)) is not None


def _clean_page(value: str) -> str:
    """Cut an address to origin and path: what follows may hold names, addresses, tokens."""
    try:
        parts = urlsplit(_write_plain(value))
        origin = _write_origin(parts)
    except ValueError:
        return ""
    path = "/" if _holds_email(parts.path) else parts.path or "/"
    return f"{origin}{path}"[:PAGE_LENGTH] if origin else ""


def _write_origin(parts: SplitResult) -> str:
    """Return scheme, host and port; nothing for what is no page of the web."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}"
