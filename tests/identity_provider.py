"""A real OpenID Connect provider on this machine, honest until it is told otherwise."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID = "uketsuke"
CLIENT_SECRET = "a secret + of the / provider"


@cache
def make_key(kid: str, kind: str = "RSA") -> RSAKey | ECKey:
    """Return a private key; the same one for the same name."""
    if kind == "EC":
        return ECKey.generate_key("P-256", {"kid": kid})
    return RSAKey.generate_key(2048, {"kid": kid})


def write_token(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Return a token with any header and signature, such as none at all."""
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return ".".join(_encode(part) for part in (*parts, signature))


@dataclass
class IdentityProvider:
    """Serves discovery, keys, an authorization page that asks nobody, and tokens.

    `person` are the claims of whoever signs in next. What is hostile is set from outside:
    `description` and `claims` are laid over what would be honest (None leaves one out), `sign`
    makes the token, `answers` replaces the answer of a path, `extra` joins the way back.
    """

    read_clock: Callable[[], datetime]
    person: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    keys: list[RSAKey | ECKey] = field(default_factory=lambda: [make_key("first")])
    sign: Callable[[dict[str, Any]], str] | None = None
    answers: dict[str, Callable[[], tuple[int, bytes]]] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="identity-provider"
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def be_honest(self) -> None:
        """Forget what was set from outside, but who signs in."""
        self.description, self.claims, self.answers, self.extra = {}, {}, {}, {}
        self.keys, self.sign = [make_key("first")], None
        self.asked.clear()

    def describe(self) -> dict[str, Any]:
        honest = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        }
        return _lay_over(honest, self.description)

    def authorize(self, query: dict[str, str]) -> str:
        """Sign the person in and return where their browser goes on."""
        assert query["response_type"] == "code" and query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        back = {"code": code, "state": query["state"], **self.extra}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: dict[str, str], basic: str) -> tuple[int, dict[str, Any]]:
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        if basic:
            pair = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            given = (unquote_plus(pair[0]), unquote_plus(pair[2]))
        if given != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        query = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        is_right = (
            query is not None
            and query["code_challenge"] == _encode(digest)
            and query["redirect_uri"] == form.get("redirect_uri")
        )
        if query is None or not is_right:
            return 400, {"error": "invalid_grant"}
        token = (self.sign or self._sign)(self._write_claims(query))
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def _write_claims(self, query: dict[str, str]) -> dict[str, Any]:
        now = int(self.read_clock().timestamp())
        honest = {
            "iss": self.url,
            "aud": query["client_id"],
            "nonce": query["nonce"],
            "iat": now,
            "exp": now + 300,
            **({"auth_time": now} if "max_age" in query else {}),
            **self.person,
        }
        return _lay_over(honest, self.claims)

    def _sign(self, claims: dict[str, Any]) -> str:
        key = self.keys[-1]
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)


def _lay_over(honest: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (honest | told).items() if value is not None}


def _make_handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
                return
            documents: dict[str, Callable[[], dict[str, Any]]] = {
                "/.well-known/openid-configuration": provider.describe,
                "/keys": lambda: {"keys": [key.as_dict(private=False) for key in provider.keys]},
            }
            make = documents.get(parts.path)
            self._answer(404 if make is None else 200, make() if make else {})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            self._answer(*provider.exchange(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            body = json.dumps(document).encode()
            if path in provider.answers:
                status, body = provider.answers[path]()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # nobody waits for it any more
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    return Handler


def be_slow() -> tuple[int, bytes]:
    time.sleep(1)
    return 200, b"{}"


def be_huge() -> tuple[int, bytes]:
    return 200, b'{"id_token": "' + b"x" * 2_000_000 + b'"}'


def be_down() -> tuple[int, bytes]:
    return 503, b"<html>"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
