"""Which version a form carries, so that of two people editing at once the second is told."""

from __future__ import annotations

from flask import request


def carry_version(current: object, *, status: int = 200) -> str:
    """Return the version that a page's form carries, for a page answered with `status`.

    It is the current one when the form is opened, and on a 409, which shows what somebody else has
    saved. On any other redraw it stays the version that was seen: a mistake in a field does not
    mean that the other's changes were read.
    """
    seen = request.form.get("version")
    return str(current) if seen is None or status == 409 else seen
