"""Trying a request again where the database ended its transaction for no fault of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, g
from sqlalchemy.exc import SQLAlchemyError

from storage.session import may_pass

TRIES = 3


def init_retries(app: Flask) -> None:
    """Have every view tried up to three times; call it when all views are there.

    A view has one writing transaction, and what it does is known by a key of its own when it comes
    twice (a form's nonce, a state that is reached already): so even a COMMIT whose answer was lost
    may be tried again. What a form counts follows in others, whose errors only the log sees.
    """
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _try_again(view)


def is_worth_another_try(error: SQLAlchemyError) -> bool:
    """Tell whether to leave an error to the next try; asked by views that answer errors too."""
    return g.tries_left > 0 and may_pass(error)


def _try_again(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def answer(**arguments: Any) -> Any:
        tries_left = TRIES
        while True:
            g.tries_left = tries_left = tries_left - 1
            try:
                return view(**arguments)
            except SQLAlchemyError as error:
                if not is_worth_another_try(error):
                    raise

    return answer
