"""Six-digit codes that prove an address, and receipt numbers that people read out."""

from __future__ import annotations

import hashlib
import hmac

from .keys import KeyRing

CODE_MINUTES = 15
CODE_TRIES = 5

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011", "- ")


def make_code(keys: KeyRing, public_id: str, version: int) -> str:
    """Derive the code of a receipt; a new version is a new code."""
    return _derive_code(keys.derive("code")[0], public_id, version)


def is_right_code(keys: KeyRing, public_id: str, version: int, typed: str) -> bool:
    """Compare in constant time with what any key of the ring would have made."""
    codes = [_derive_code(key, public_id, version) for key in keys.derive("code")]
    matches = [hmac.compare_digest(code.encode(), typed.encode()) for code in codes]
    return any(matches)


def _derive_code(key: bytes, public_id: str, version: int) -> str:
    digest = hmac.digest(key, f"{public_id}:{version}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"


def read_receipt_number(text: str) -> str | None:
    """Return the number that somebody typed or read out, None if it cannot be one."""
    letters = text.upper().translate(_MISREAD)
    if len(letters) != 8 or not set(letters) <= set(_CROCKFORD):
        return None
    return f"{letters[:4]}-{letters[4:]}"


def is_receipt_number(text: str) -> bool:
    """Tell whether a text is as long as the number of a receipt, and so may be one."""
    return len(text) == len("A7K2-91QF")


def make_receipt_number(public_id: str) -> str:
    """Return eight letters and digits as `A7K2-91QF`, without I, L, O and U."""
    bits = int.from_bytes(hashlib.sha256(public_id.encode()).digest()[:5])
    letters = "".join(_CROCKFORD[bits >> shift & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"
