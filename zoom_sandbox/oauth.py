"""The app's credentials and the tokens issued to it."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import request

from zoom_sandbox.answers import Answer, Refused
from zoom_sandbox.calls import Call
from zoom_sandbox.clock import Clock
from zoom_sandbox.settings import SandboxSettings

TOKEN_SECONDS = 3600


class _Token(NamedTuple):
    expires_at: datetime
    scopes: frozenset[str]


class Credentials:
    """One Server-to-Server app: its secret, its scopes and its tokens; several may be valid."""

    def __init__(self, settings: SandboxSettings, clock: Clock, scopes: set[str]) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens: dict[str, _Token] = {}
        self.client_secret = settings.client_secret
        self.is_revoked = False
        self.scopes = scopes

    def accepts(self, client_id: str | None, client_secret: str | None) -> bool:
        given = f"{client_id}:{client_secret}".encode()
        known = f"{self._settings.client_id}:{self.client_secret}".encode()
        return not self.is_revoked and hmac.compare_digest(given, known)

    def accepts_account(self, account_id: str) -> bool:
        return account_id == self._settings.account_id

    def issue_token(self) -> str:
        token = secrets.token_urlsafe(48)
        expires_at = self._clock.now() + timedelta(seconds=TOKEN_SECONDS)
        self._tokens[token] = _Token(expires_at, frozenset(self.scopes))
        return token

    def expire_tokens(self) -> None:
        now = self._clock.now()
        self._tokens = {text: _Token(now, kept.scopes) for text, kept in self._tokens.items()}

    def read_bearer(self, header: str) -> frozenset[str]:
        """Return what the token of an `Authorization` header opens.

        A scope taken away ends at once, one granted comes with the next token: whatever Zoom does
        about the first, a client has to bear it.
        """
        scheme, _, text = header.partition(" ")
        token = self._tokens.get(text) if scheme == "Bearer" else None
        if token is None:
            raise Refused(401, 124, "Invalid access token.")
        if token.expires_at <= self._clock.now():
            raise Refused(401, 124, "Access token has expired.")
        return token.scopes & self.scopes


def token(call: Call) -> Answer:
    """Issue a token for `account_credentials`, asked for in the form or in the query."""
    credentials = call.sandbox.credentials
    given = request.authorization
    if given is None or not credentials.accepts(given.username, given.password):
        return _refuse("Invalid client_id or client_secret", "invalid_client")
    if request.values.get("grant_type") != "account_credentials":
        return _refuse("unsupported grant type", "unsupported_grant_type")
    if not credentials.accepts_account(request.values.get("account_id", "")):
        return _refuse("Bad Request", "invalid_request")
    call.note("token")
    return Answer(
        200,
        {
            "access_token": credentials.issue_token(),
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS - 1,
            "scope": " ".join(sorted(credentials.scopes)),
            "api_url": call.sandbox.base_url,
        },
    )


def _refuse(reason: str, error: str) -> Answer:
    return Answer(400, {"reason": reason, "error": error})
