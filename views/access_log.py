"""One line for each answer: what was asked for by its route, never by its address."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g

from .site import get_request

log = logging.getLogger("access")


def init_access_log(app: Flask) -> None:
    app.before_request(_start)
    app.after_request(_write)


def _start() -> None:
    g.started_at = time.perf_counter()


def _write(response: Response) -> Response:
    now, request = time.perf_counter(), get_request()
    log.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else "",
            "status": response.status_code,
            "ms": round((now - g.get("started_at", now)) * 1_000, 1),
        },
    )
    return response
