"""The second of two who edit at once is told: a form carries the version that was seen."""

from __future__ import annotations

from flask import request


def carry_version(current: object, *, status: int = 200) -> str:
    """Return the version that a page's form carries, drawn with `status`.

    It is the present one for whoever opens the form, and for whoever is told with a 409 what
    somebody else has saved. Drawn again for any other reason, it stays what was seen: a mistake in
    a field says nothing of what others have done.
    """
    seen = request.form.get("version")
    return str(current) if seen is None or status == 409 else seen
