"""Tokens that tell a form of ours from one on somebody else's page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from .keys import KeyRing

_SALT_BYTES = 12


def make_csrf_token(keys: KeyRing, cookie: str) -> str:
    """Return a token for forms of one browser, another one each time: only its cookie fits it."""
    return _sign(keys.derive("csrf")[0], secrets.token_bytes(_SALT_BYTES), cookie)


def is_csrf_token(keys: KeyRing, cookie: str, token: str) -> bool:
    """Tell whether a token was made for the browser with this cookie."""
    try:
        salt = base64.urlsafe_b64decode(token)[:_SALT_BYTES]
    except ValueError:
        return False
    made = [_sign(key, salt, cookie) for key in keys.derive("csrf")]
    matches = [hmac.compare_digest(token.encode(), other.encode()) for other in made]
    return any(matches)


def _sign(key: bytes, salt: bytes, cookie: str) -> str:
    digest = hmac.digest(key, salt + cookie.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(salt + digest).decode()
