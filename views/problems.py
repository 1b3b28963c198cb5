"""Answers of the API that say what is wrong: problem details as of RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

API = "/api/"
TYPES = "/api/v1/docs#problem-"
"""Where each type of problem is explained; the type follows."""

MEDIA_TYPE = "application/problem+json"

_DETAILS = {
    400: "The request cannot be read.",
    404: "There is nothing here, or it is not yours.",
    405: "This does not work here; Allow names what does.",
    413: "The body is larger than 256 KiB.",
    415: "The body has to be application/json.",
    429: "Too many requests. Retry-After says in how many seconds to go on.",
    500: "This is our fault. Please try again in a few minutes.",
    503: "Not now. Retry-After says in how many seconds to try again.",
}


def is_for_program(path: str) -> bool:
    """Tell whether a program asks, to be answered in JSON."""
    return path.startswith(API)


def write_problem(
    status: int, kind: str = "", detail: str = "", members: Mapping[str, Any] | None = None
) -> str:
    """Write a problem; one of no kind of its own is told by its status alone."""
    title = kind.replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase
    problem = {
        "type": f"{TYPES}{kind}" if kind else "about:blank",
        "title": title,
        "status": status,
        "detail": detail or _DETAILS.get(status, _DETAILS[500 if status >= 500 else 400]),
    }
    return json.dumps(problem | dict(members or {}), ensure_ascii=False, separators=(",", ":"))


def make_problem(
    status: int,
    kind: str = "",
    detail: str = "",
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = write_problem(status, kind, detail, members)
    return Response(body, status, dict(headers or {}), content_type=MEDIA_TYPE)
