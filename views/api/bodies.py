"""Reading JSON that a program sends: nothing of it is believed before it was looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import current_app, request

from forms.json_members import Fault

from .access import Problem

JSON = "application/json"


def read_object() -> dict[str, Any]:
    """Return the object that stands in the body.

    What cannot be read exactly is refused: names that come twice, NaN, half characters.
    """
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != JSON or charset.lower() not in ("utf-8", "utf8"):
        raise Problem(415, headers={"Accept-Post": JSON})
    body = request.get_data(cache=True)
    # A body that comes in chunks is cut at the limit, and nothing says that there was more.
    if request.content_length is None and len(body) >= current_app.config["MAX_CONTENT_LENGTH"]:
        raise Problem(413)
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_make_object, parse_constant=_refuse_constant
        )
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise Problem(400, "json-unreadable", "The body is nested too deeply.") from None
    except ValueError:
        detail = "The body is not JSON in UTF-8 whose names are each there once."
        raise Problem(400, "json-unreadable", detail) from None
    if not isinstance(value, dict):
        refuse([Fault("", "type", "Send an object")])
    return value


def refuse(faults: Iterable[Fault]) -> None:
    """Answer 422, with what is wrong at which place of the body."""
    errors = [
        {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
        | ({"suggestion": fault.suggestion} if fault.suggestion else {})
        for fault in faults
    ]
    detail = "Something in the body is wrong; errors says what and where."
    raise Problem(422, "invalid", detail, members={"errors": errors})


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is there twice")
    return made


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
