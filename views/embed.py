"""The form and its receipt within a page of somebody else's: the same views, framed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from . import receipts, registration
from .framing import enter_frame, let_be_framed

bp = Blueprint("embed", __name__, url_prefix="/e/<slug>/embed")

bp.get("")(registration.show_form)
bp.post("")(registration.submit_form)
bp.get("/done/<token>")(receipts.show_receipt)
bp.post("/done/<token>/resend")(receipts.resend_mail)
bp.post("/done/<token>/code")(receipts.enter_code)
bp.get("/done/<token>/address")(receipts.show_address_form)
bp.post("/done/<token>/address")(receipts.change_address)
bp.get("/done/<token>/invite.ics")(receipts.download_calendar)
bp.after_request(let_be_framed)


@bp.url_value_preprocessor
def _enter(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Note whose frame it is; a receipt's view knows its event by the token."""
    parts = values or {}
    enter_frame(parts["slug"])
    if "token" in parts:
        del parts["slug"]
