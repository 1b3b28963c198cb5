"""Trying a request again where the database ended its transaction for no fault of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, g, request
from sqlalchemy.exc import SQLAlchemyError

from storage.session import is_lost_commit, may_pass

TRIES = 3
REPEATABLE = "is_repeatable"
"""The attribute of a view that was declared `repeatable`."""

View = TypeVar("View", bound=Callable[..., Any])


class OutcomeUnknown(Exception):
    """Perhaps it was done: whoever asked for it has to look before they ask again."""


def repeatable(view: View) -> View:
    """Declare that a view may run again after it has perhaps stored what it does.

    What it does is known by a key of its own when it comes twice (a form's nonce), or is a state
    that is reached already, and the second run answers as the first one would have.
    """
    setattr(view, REPEATABLE, True)
    return view


def init_retries(app: Flask) -> None:
    """Have every view tried up to three times; call it when all views are there.

    A view has one writing transaction. What has certainly stored nothing is tried again: one of
    several that stood in each other's way, a connection that was lost before the COMMIT. Where the
    answer to the COMMIT itself was lost, only a `repeatable` view runs again, and what is only
    looked at (GET); any other is `OutcomeUnknown`. What a form counts follows in transactions of
    its own, whose errors only the log sees.
    """
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _try_again(view)


def is_worth_another_try(error: SQLAlchemyError) -> bool:
    """Tell whether to leave an error to the next try; asked by views that answer errors too."""
    return g.tries_left > 0 and may_pass(error) and not _is_unknown(error)


def _is_unknown(error: SQLAlchemyError) -> bool:
    return is_lost_commit(error) and not g.is_repeatable


def _try_again(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def answer(**arguments: Any) -> Any:
        g.is_repeatable = hasattr(view, REPEATABLE) or request.method in ("GET", "HEAD", "OPTIONS")
        tries_left = TRIES
        while True:
            g.tries_left = tries_left = tries_left - 1
            try:
                return view(**arguments)
            except SQLAlchemyError as error:
                if _is_unknown(error):
                    raise OutcomeUnknown from error
                if not is_worth_another_try(error):
                    raise

    return answer
