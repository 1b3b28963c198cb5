"""Faults on demand: which calls they hit, and how they spoil the answer."""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from flask import Response, json, request

from zoom_sandbox.answers import NAMED_REFUSALS, Answer
from zoom_sandbox.calls import Call
from zoom_sandbox.records import email_key

SPOILS = ("", "answer", "close", "cut", "drip", "html", "huge")
SPOILS_OF_REGISTRANTS = ("no_join_url", "other_email", "other_meeting")
HUGE_BYTES = 10_000_000
_STRANGER = "someone.else@example.com"
_BAD_GATEWAY = "<html><body><h1>502 Bad Gateway</h1></body></html>"


# Annotations that `isinstance` does not take.
_CLASSES: dict[Any, Any] = {Any: object, float: (int, float), dict[str, str]: dict}


@dataclass
class Fault:
    """Spoil the calls it matches: by action or operationId, method, path, address.

    `skip` calls pass first, then `count` are hit (None: all). `does` says how: `answer` (with
    status, code, message or body, headers; to say one of them is enough), `close` the connection,
    `cut` the JSON in half, `drip` one byte per `drip_seconds`, `html` in place of JSON, a `huge`
    body, `no_join_url`, `other_email` or `other_meeting` than asked; empty: only delay or stop
    half-way.
    `when` is `before` Zoom did what was asked (so it does not happen) or `after`.
    `take` lets only that many people of a batch or status call take effect. `refusal` is one of
    `answers.NAMED_REFUSALS`, answered in Zoom's words.
    """

    operation: str = ""
    method: str = ""
    path: str = ""
    email: str = ""
    count: int | None = 1
    skip: int = 0
    does: str = ""
    when: str = ""
    delay_before: float = 0.0
    delay_after: float = 0.0
    drip_seconds: float = 1.0
    status: int | None = None
    code: int | None = None
    message: str = ""
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    take: int | None = None
    refusal: str = ""

    def __post_init__(self) -> None:
        self._check()
        says = (self.status, self.code, self.message, self.body, self.headers, self.refusal)
        if not self.does and any(says):
            self.does = "answer"
        if not self.when:
            breaks_off = self.does in ("answer", "close") and self.take is None
            self.when = "before" if breaks_off else "after"

    def _check(self) -> None:
        for part in fields(self):
            if not isinstance(getattr(self, part.name), _CLASSES.get(part.type, part.type)):
                raise ValueError(f"{part.name} must be {part.type}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is no pattern: {error}") from error
        if self.refusal and self.refusal not in NAMED_REFUSALS:
            raise ValueError(f"refusal is one of {', '.join(NAMED_REFUSALS)}")
        if self.does not in SPOILS + SPOILS_OF_REGISTRANTS:
            raise ValueError(f"unknown does={self.does!r}")
        if self.when not in ("", "before", "after"):
            raise ValueError(f"unknown when={self.when!r}")

    def matches(self, call: Call) -> bool:
        operation = call.operation
        return (
            self.operation in ("", operation.action, operation.name)
            and self.method in ("", request.method)
            and re.search(self.path, request.path) is not None
            and (not self.email or email_key(self.email) in map(email_key, call.emails()))
        )

    def spoil(self, answer: Answer) -> Answer:
        """Change what is answered; what happens to the connection is up to `send`."""
        if self.does == "answer":
            return self._answer_instead(answer)
        if self.does == "html":
            return Answer(self.status or answer.status, _BAD_GATEWAY, answer.headers)
        if self.does == "no_join_url":
            return Answer(answer.status, _without_join_url(answer.body), answer.headers)
        if self.does == "other_email":
            return Answer(answer.status, _replace(answer.body, "email", _STRANGER), answer.headers)
        if self.does == "other_meeting":
            return Answer(answer.status, _replace(answer.body, "id", 12345678901), answer.headers)
        return answer

    def _answer_instead(self, answer: Answer) -> Answer:
        headers = {**answer.headers, **self.headers}
        if self.refusal:
            named = NAMED_REFUSALS[self.refusal].answer
            return Answer(named.status, named.body, headers)
        status = self.status or 500
        body = self.body
        if body is None:
            message = self.message or "Injected by the sandbox."
            body = {"code": self.code or status, "message": message}
        return Answer(status, body, headers)

    def send(self, answer: Answer) -> Response:
        if self.does == "close":
            # Werkzeug's server hands its socket over; writing the answer then fails quietly.
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        response = to_response(answer)
        if self.does == "cut":
            content = response.get_data()
            response.set_data(content[: len(content) // 2])
        elif self.does == "huge":
            response.set_data(_padded(answer.body))
        elif self.does == "drip":
            response.response = self._drip(response.get_data())
        return response

    def _drip(self, content: bytes) -> Iterator[bytes]:
        for position in range(len(content)):
            time.sleep(self.drip_seconds)
            yield content[position : position + 1]


NO_FAULT = Fault(count=None)


class Faults:
    """Keep the faults that wait for their call. The caller holds the sandbox's lock."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        return list(self._waiting)

    def pick(self, call: Call) -> Fault:
        """Take the first fault that hits this call, counting it down."""
        for fault in self._waiting:
            if not fault.matches(call):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.count is not None:
                fault.count -= 1
                if not fault.count:
                    self._waiting.remove(fault)
            return fault
        return NO_FAULT


def to_response(answer: Answer) -> Response:
    if answer.body is None:
        response = Response(status=answer.status)
    elif isinstance(answer.body, str):
        response = Response(answer.body, answer.status, mimetype="text/html")
    else:
        content = json.dumps(answer.body, ensure_ascii=False)
        response = Response(content, answer.status, mimetype="application/json")
    response.headers.extend(answer.headers)
    return response


def _without_join_url(body: Any) -> Any:
    if isinstance(body, list):
        return [_without_join_url(item) for item in body]
    if isinstance(body, dict):
        return {k: _without_join_url(v) for k, v in body.items() if k != "join_url"}
    return body


def _replace(body: Any, name: str, value: Any) -> Any:
    if not isinstance(body, dict):
        return body
    changed = {k: value if k == name else v for k, v in body.items()}
    people = body.get("registrants")
    if isinstance(people, list):
        changed["registrants"] = [_replace(person, name, value) for person in people]
    return changed


def _padded(body: Any) -> bytes:
    padded = {**(body if isinstance(body, dict) else {}), "padding": "x" * HUGE_BYTES}
    return json.dumps(padded).encode()
