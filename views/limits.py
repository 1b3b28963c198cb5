"""Counting what is sent, where the settings say so; nobody is turned away uncounted."""

from __future__ import annotations

from datetime import datetime

from flask import request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.limits import check_network_limit
from services.submission_limits import Arrival, count_submission, uncount_address
from services.submissions import Submission
from storage import events
from storage.events import EventHead
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


def receive_submission(
    session: Session,
    event: EventHead,
    submission: Submission,
    *,
    is_counted: bool,
    has_worked: bool,
    now: datetime,
) -> Arrival:
    """Read the event anew, and count a submission, which is kept even where nobody can count.

    Raises:
        RateLimitReached: the network or the address sends too much.
        CountingFailed: another transaction without counting is worth a try.
    """
    site = get_site()
    if not is_counted or not site.settings.rate_limits:
        return Arrival(events.get_head(session, event.slug))
    try:
        return count_submission(
            session,
            site.keys,
            request.remote_addr,
            slug=event.slug,
            event_id=event.id,
            email_key=submission.email_key,
            has_worked=has_worked,
            tally=site.event_tally,
            now=now,
        )
    except SQLAlchemyError as error:
        if may_pass(error):
            raise
        raise CountingFailed from error


def spare_address(session: Session, event_id: int, submission: Submission) -> None:
    """Give back the unit that `receive_submission` took from the address."""
    site = get_site()
    if site.settings.rate_limits:
        key = submission.email_key
        uncount_address(session, site.keys, event_id=event_id, email_key=key)
