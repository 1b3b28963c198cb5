"""Counting what one network sends, where the settings say so; nobody is turned away uncounted."""

from __future__ import annotations

from datetime import datetime

from flask import request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.limits import check_network_limit
from storage.session import may_pass

from .site import get_site


class CountingFailed(Exception):
    """The database does not count; it has ended the transaction, but perhaps it takes others."""


def count_against_network(session: Session, now: datetime) -> None:
    """Count one request that stores something or sends a mail.

    Raises:
        RateLimitReached: the network sends too much; the error page says when to come back.
    """
    site = get_site()
    if site.settings.rate_limits:
        check_network_limit(session, site.keys, request.remote_addr, now=now)


def count_registration(session: Session, now: datetime) -> None:
    """As `count_against_network`, for what is kept even where nobody can count.

    Raises:
        RateLimitReached: as `count_against_network`.
        CountingFailed: another transaction without counting is worth a try.
    """
    try:
        count_against_network(session, now)
    except SQLAlchemyError as error:
        if may_pass(error):
            raise
        raise CountingFailed from error
