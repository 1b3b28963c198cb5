"""Tokens in links: nothing secret is stored, each is derived again when it is needed.

A token is one letter for its purpose, the public id of its row (22 characters, 128 random bits)
and 128 bits of HMAC over purpose, id and version, together 45 characters that are safe in a path.
Raising a row's version revokes its tokens; older secrets in the key ring keep old links alive.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from .keys import KeyRing

_SHAPE = re.compile(r"([a-z])([\w-]{22})([\w-]{22})", re.ASCII)


class Purpose(StrEnum):
    """What a token opens. The mail's and the screen's links differ: only the mail's prove."""

    RECEIPT = "s"
    JOIN_SCREEN = "k"
    JOIN_MAIL = "m"
    PERSONAL_SCREEN = "p"
    PERSONAL_MAIL = "r"
    ACCESS = "a"
    PROOF = "v"


@dataclass(frozen=True)
class TokenClaim:
    """A token taken apart, not yet checked: `public_id` names the row that knows the version."""

    purpose: Purpose
    public_id: str
    signature: str


class TokenSigner:
    """Makes and checks the tokens of links."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys.derive("links")

    def make(self, purpose: Purpose, public_id: str, version: int = 0) -> str:
        return purpose + public_id + _sign(self._keys[0], purpose, public_id, version)

    def is_genuine(self, claim: TokenClaim, version: int = 0) -> bool:
        """Compare in constant time with what any key of the ring would have made."""
        expected = [_sign(key, claim.purpose, claim.public_id, version) for key in self._keys]
        matches = [hmac.compare_digest(claim.signature, signature) for signature in expected]
        return any(matches)


def read_token(token: str) -> TokenClaim | None:
    """Take a token apart; None if it cannot be one."""
    match = _SHAPE.fullmatch(token)
    if match is None or match[1] not in list(Purpose):
        return None
    return TokenClaim(Purpose(match[1]), match[2], match[3])


def _sign(key: bytes, purpose: Purpose, public_id: str, version: int) -> str:
    digest = hmac.digest(key, f"{purpose}:{public_id}:{version}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
