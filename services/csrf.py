"""Tokens that tell a form of ours from one on somebody else's page, and whose page it stood on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from .keys import KeyRing

_SALT_BYTES = 12
_BEFORE_ORGANIZATION = "."


def make_csrf_token(keys: KeyRing, cookie: str, organization: str) -> str:
    """Return a token for forms of one browser, another one each time: only its cookie fits it.

    `organization` is the public id of the one that the form's page shows, "" if it shows none.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    return _sign(keys.derive("csrf")[0], salt, cookie, organization)


def is_csrf_token(keys: KeyRing, cookie: str, token: str) -> bool:
    """Tell whether a token was made for the browser with this cookie."""
    try:
        salt = base64.urlsafe_b64decode(token.partition(_BEFORE_ORGANIZATION)[0])[:_SALT_BYTES]
    except ValueError:
        return False
    organization = read_organization(token)
    made = [_sign(key, salt, cookie, organization) for key in keys.derive("csrf")]
    matches = [hmac.compare_digest(token.encode(), other.encode()) for other in made]
    return any(matches)


def read_organization(token: str) -> str:
    """Return the public id of the organization that a form's page showed; "" if it showed none."""
    return token.partition(_BEFORE_ORGANIZATION)[2]


def _sign(key: bytes, salt: bytes, cookie: str, organization: str) -> str:
    # Without one the token is as before there was any, which pages of older processes hold.
    end = f"{_BEFORE_ORGANIZATION}{organization}" if organization else ""
    digest = hmac.digest(key, salt + f"{cookie}{end}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(salt + digest).decode() + end
