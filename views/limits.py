"""Counting what one network sends, where the settings say so."""

from __future__ import annotations

from datetime import datetime

from flask import request
from sqlalchemy.orm import Session

from services.limits import check_network_limit

from .site import get_site


def count_against_network(session: Session, now: datetime) -> None:
    """Count one request that stores something or sends a mail.

    Raises:
        RateLimitReached: the network sends too much; the error page says when to come back.
    """
    site = get_site()
    if site.settings.rate_limits:
        check_network_limit(session, site.keys, request.remote_addr, now=now)
