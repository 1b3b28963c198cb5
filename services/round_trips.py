"""A way to a company's sign-in page and back: known again, by its own browser, and once.

Nothing is stored for it. What goes along (`state`) is signed, and it, the nonce and the verifier
are derived from the dashboard's cookie: another browser can do nothing with any of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.orm import Session

from oidc_client import RoundTrip
from storage.limits import Bucket, spend
from storage.models import IdentityProvider

from .keys import KeyRing

HOLDS = timedelta(minutes=30)
SKEW = timedelta(seconds=60)


class Aim(StrEnum):
    """What somebody goes to the provider for."""

    SIGN_IN = "in"
    PROOF = "proof"


@dataclass(frozen=True)
class State:
    """What came back, as it was sent. `mark` says which browser, provider and app it was for."""

    organization: str
    aim: Aim
    next: str
    begun_at: datetime
    salt: str
    mark: str


def begin(
    keys: KeyRing,
    organization: str,
    provider: IdentityProvider,
    *,
    aim: Aim,
    next_: str,
    cookie: str,
    redirect_url: str,
    now: datetime,
) -> RoundTrip:
    """Begin a way; `organization` is a public id, `next_` where to go in the end."""
    salt = secrets.token_urlsafe(16)
    told = [organization, aim, next_, int(now.timestamp()), salt, _mark(provider, cookie)]
    state = str(_serializer(keys).dumps(told))
    return _derive(keys, redirect_url, state, salt, cookie)


def read_state(keys: KeyRing, state: str, *, now: datetime) -> State | None:
    """Return what a state says if we have made it, and not too long ago."""
    try:
        organization, aim, next_, begun, salt, mark = _serializer(keys).loads(state)
    except (BadData, ValueError, TypeError):
        return None
    begun_at = datetime.fromtimestamp(begun, UTC)
    if not begun_at - SKEW <= now <= begun_at + HOLDS:
        return None
    return State(organization, Aim(aim), next_, begun_at, salt, mark)


def is_of_browser(state: State, provider: IdentityProvider, cookie: str) -> bool:
    """Tell whether a way began in this browser, and its provider is still the same."""
    return bool(cookie) and hmac.compare_digest(state.mark, _mark(provider, cookie))


def use_up(session: Session, state: State, *, now: datetime) -> bool:
    """Use a way up; False if it was used before."""
    # A bucket that holds one is empty until the state is too old anyway.
    seconds = 2 * (HOLDS + SKEW).total_seconds()
    once = Bucket(f"round-trip:{state.salt}", interval=seconds, burst=1)
    return spend(session, once, now=now.timestamp())


def resume(keys: KeyRing, salt: str, *, cookie: str, redirect_url: str) -> RoundTrip:
    """Return the nonce and the verifier that a way was begun with."""
    return _derive(keys, redirect_url, "", salt, cookie)


def _derive(keys: KeyRing, redirect_url: str, state: str, salt: str, cookie: str) -> RoundTrip:
    key = keys.derive("round-trip")[0]

    def derive(purpose: str) -> str:
        digest = hmac.digest(key, f"{purpose}\0{salt}\0{cookie}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    return RoundTrip(redirect_url, state, nonce=derive("nonce"), verifier=derive("verifier"))


def _mark(provider: IdentityProvider, cookie: str) -> str:
    told = "\0".join((provider.issuer, provider.client_id, cookie))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _serializer(keys: KeyRing) -> URLSafeSerializer:
    # itsdangerous signs with the last key of its list.
    return URLSafeSerializer(keys.derive("sign-in")[::-1], salt="round-trip")
