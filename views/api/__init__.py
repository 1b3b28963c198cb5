"""What programs ask: everything below `/api/v1`, described in `openapi.json` beside this file."""

from __future__ import annotations

# Each module declares its routes on `access.bp` when it is imported.
from . import (  # noqa: F401
    attendance,
    changes,
    events,
    exports,
    form_schemas,
    reference,
    registering,
    registrations,
)
from .access import bp

__all__ = ["bp"]
