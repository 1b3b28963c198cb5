"""A real HTTP server on loopback that answers what a test tells it to."""

import json
import re
import time
from datetime import datetime
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from outbound import HttpPool
from zoom_client import Credentials, MemoryTokenStore, ZoomClient

CREDENTIALS = Credentials("account", "client", "sup3r-secret")
TOKEN_ANSWER = {
    "access_token": "token-1",
    "token_type": "bearer",
    "expires_in": 3600,
    "scope": "meeting:read:meeting:admin meeting:write:registrant:admin",
    "api_url": "https://api-eu.zoom.us",
}


class FakeZoom:
    """Answers from a list, in order; keeps the requests, those for tokens apart.

    A token in `refused_tokens` is answered with 401, whatever the list says.
    """

    def __init__(self, server: HTTPServer, pool: HttpPool, now: datetime) -> None:
        self.server = server
        self.now = now
        self.pool = pool
        self.requests: list[Request] = []
        self.token_requests: list[Request] = []
        self.refused_tokens: set[str] = set()
        self.token_delay_seconds = 0.0
        self._answers: list[Response] = []
        self._token_answers: list[Response] = []
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def client(self, **options: Any) -> ZoomClient:
        settings: dict[str, Any] = {
            "token_store": MemoryTokenStore(),
            "pool": self.pool,
            "api_url": self.server.url_for("/v2"),
            "oauth_url": self.server.url_for(""),
            "now": lambda: self.now,
        }
        return ZoomClient(CREDENTIALS, **(settings | options))

    def will_answer(
        self, body: Any = b"", status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self._answers.append(_make_response(body, status, headers))

    def will_answer_token(self, body: Any, status: int = 200) -> None:
        self._token_answers.append(_make_response(body, status, None))

    def bodies(self) -> list[Any]:
        return [json.loads(request.get_data()) for request in self.requests]

    def _answer(self, request: Request) -> Response:
        request.get_data()
        if request.path == "/oauth/token":
            return self._answer_token(request)
        self.requests.append(request)
        if request.headers["Authorization"].removeprefix("Bearer ") in self.refused_tokens:
            return _make_response({"code": 124, "message": "Invalid access token."}, 401, None)
        return self._answers.pop(0)

    def _answer_token(self, request: Request) -> Response:
        self.token_requests.append(request)
        time.sleep(self.token_delay_seconds)
        if self._token_answers:
            return self._token_answers.pop(0)
        number = len(self.token_requests)
        return _make_response(TOKEN_ANSWER | {"access_token": f"token-{number}"}, 200, None)


def make_sandbox_client(url: str, pool: HttpPool) -> ZoomClient:
    return ZoomClient(
        Credentials("sandbox-account", "sandbox-client", "sandbox-secret"),
        token_store=MemoryTokenStore(),
        pool=pool,
        api_url=f"{url}/v2",
        oauth_url=url,
    )


def _make_response(body: Any, status: int, headers: dict[str, str] | None) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(content, status, headers, content_type="application/json")
