"""Somebody else's system that takes webhooks: it believes what the standard's library verifies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Taken:
    """One request as it came; `content` is what the library made of it, None where it refused."""

    number: str
    content: Mapping[str, Any] | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        assert self.content is not None, "the signature is good"
        return str(self.content["type"]).removeprefix("registration.")

    @property
    def person(self) -> str:
        assert self.content is not None, "the signature is good"
        return str(self.content["data"]["registration"]["id"])


class _WithTheSitesClock(Webhook):
    """The library takes nothing that is five minutes old; a test moves the site's clock by days."""

    def _Webhook__verify_timestamp(self, header: str) -> datetime:
        return datetime.fromtimestamp(int(header), UTC)


class Receiver:
    """Listens on this machine. `answer` gives each request its status, headers and delay."""

    def __init__(self) -> None:
        self.secret = ""
        self.asked: list[Taken] = []
        self.answer: Callable[[Taken], tuple[int, dict[str, str]]] = lambda _: (204, {})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks?of=uketsuke"

    @property
    def taken(self) -> list[Taken]:
        """List what was accepted."""
        return [one for one in self.asked if self.answer(one)[0] < 300]

    def be(self, status: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _: (status, named)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken = receiver._verify(dict(self.headers), body)
                receiver.asked.append(taken)
                status, headers = receiver.answer(taken)
                with suppress(OSError):
                    self.send_response(status)
                    for name, value in {"Content-Length": "0", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _verify(self, headers: Mapping[str, str], body: bytes) -> Taken:
        content = None
        with suppress(WebhookVerificationError):
            content = _WithTheSitesClock(self.secret).verify(body, dict(headers))
        return Taken(headers["webhook-id"], content, headers, body)
