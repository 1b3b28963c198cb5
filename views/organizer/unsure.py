"""The answer where nobody knows whether an act was stored: what was sent, and where to look."""

from __future__ import annotations

import logging

from flask import current_app, request
from flask.typing import ResponseReturnValue

from ..retries import OutcomeUnknown
from .access import NEEDED, SIGN_IN, bp
from .kept import Reason, find_page, keep

log = logging.getLogger(__name__)

_OF_ONE_FORM = frozenset({"new", "invite", "edit"})
"""The ends of addresses that have nothing but a form: what came of it stands on the page above."""


@bp.errorhandler(OutcomeUnknown)
def _ask_to_look(error: OutcomeUnknown) -> ResponseReturnValue:
    """Never send it again by itself: sent twice it may be done twice, or be denied."""
    log.error("nobody knows whether it was stored", exc_info=error)
    return keep(Reason.UNSURE, _find_place(), 503)


def _find_place() -> str:
    if not hasattr(current_app.view_functions[request.endpoint or ""], NEEDED):
        return SIGN_IN  # an account that was perhaps made, or has another password
    above, _, end = request.path.rpartition("/")
    return find_page(above if end in _OF_ONE_FORM else request.path)
