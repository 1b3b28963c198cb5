"""One line for each answer: what was asked for by its route, never by its address."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

log = logging.getLogger("access")


def init_access_log(app: Flask) -> None:
    app.before_request(_start)
    app.after_request(_write)


def _start() -> None:
    g.started_at = time.perf_counter()


def _write(response: Response) -> Response:
    now, rule = time.perf_counter(), request.url_rule
    log.info(
        "request",
        extra={
            "method": request.method,
            "route": rule.rule if rule else "",
            "status": response.status_code,
            "ms": round((now - g.get("started_at", now)) * 1_000, 1),
        },
    )
    return response
