"""Who handles people's data for this site, by its settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from services.processors import list_processors
from storage import organizations

from ..site import get_site


def read_processors(session: Session, organization_id: int) -> dict[str, str]:
    settings = get_site().settings
    connection = organizations.get_first_connection(session, organization_id)
    has_zoom = connection is not None and (bool(connection.client_id) or settings.has_zoom_account)
    return list_processors(
        has_zoom=has_zoom,
        mail_host=urlsplit(settings.mail_url).hostname or "",
        site_host=urlsplit(settings.site_url).hostname or "",
    )
