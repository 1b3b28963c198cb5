"""Which web pages may read what is open to anybody: those of origins that the organization lists.

Nothing that needs a key can be asked from a page of another origin: a key in a page is everybody's.
"""

from __future__ import annotations

import hashlib

from flask import Response, request
from sqlalchemy.orm import Session

from services.api_keys import Caller
from storage import organizations
from storage.models import Event


def let_pages_read(
    session: Session, response: Response, event: Event, caller: Caller | None
) -> Response:
    """Finish an answer about an event; caches may keep it, and must ask each time."""
    response.headers["Vary"] = "Authorization, Origin"
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    origin = request.headers.get("Origin")
    if caller is None and origin and origin in _list_origins(session, event.organization_id):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "ETag"
    response.make_conditional(request)
    return response


def _list_origins(session: Session, organization_id: int) -> list[str]:
    """Return the origins that may frame the organization's forms: they may read them too."""
    return organizations.need_organization(session, organization_id).embed_origins
