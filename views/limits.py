"""Counting what is sent, where the settings say so; what is refused counts for nothing."""

from __future__ import annotations

import logging
from datetime import datetime

from flask import request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services.limits import check_network_limit
from services.mails import name_mailbox
from services.submission_limits import (
    Buckets,
    Weighed,
    count,
    expect_calm,
    name_buckets,
    weigh,
    write,
)
from services.submissions import Submission
from storage import events
from storage.arrivals import Expected
from storage.events import EventHead
from storage.session import may_pass

from .site import get_site

log = logging.getLogger(__name__)


class WeighingFailed(Exception):
    """The database does not say how much came; another transaction may be worth a try."""


def count_against_network(session: Session, now: datetime) -> None:
    """Count one request that stores something or sends a mail.

    Raises:
        RateLimitReached: the network sends too much; the error page says when to come back.
    """
    site = get_site()
    if site.settings.rate_limits:
        check_network_limit(session, site.keys, request.remote_addr, now=now)


class SubmissionLimits:
    """What one submission counts against, where the settings say so.

    Not `is_counted` is one of which nobody can count anything, and which is taken nevertheless.
    """

    def __init__(
        self,
        event: EventHead,
        submission: Submission,
        *,
        has_worked: bool,
        is_counted: bool,
        now: datetime,
    ) -> None:
        site = get_site()
        self._event, self._email_key, self._now = event, submission.email_key, now
        self._tallies, self._weighed = site.tallies, Weighed(event)
        self._spares_address = False
        self._buckets: Buckets | None = None
        if is_counted and site.settings.rate_limits:
            self._buckets = name_buckets(
                site.keys,
                request.remote_addr,
                event_id=event.id,
                email_key=submission.email_key,
                has_worked=has_worked,
            )

    def expect_calm(self) -> Expected:
        """Say how things are while nobody is refused or asked for work."""
        now = self._now
        if self._buckets is None:
            return Expected(self._event, name_mailbox(self._email_key, now=now), {})
        return expect_calm(self._tallies, self._buckets, self._event, self._email_key, now=now)

    def weigh(self, session: Session) -> Weighed | None:
        """Read the event anew, and how much came before; None where the event is gone.

        Raises:
            RateLimitReached: the network or the address sends too much.
            WeighingFailed: another transaction without counting is worth a try.
        """
        slug = self._event.slug
        if self._buckets is None:
            event = events.get_head(session, slug)
            return None if event is None else Weighed(event)
        try:
            weighed = weigh(
                session, self._tallies, self._buckets, slug, self._email_key, now=self._now
            )
        except SQLAlchemyError as error:
            if may_pass(error):
                raise
            raise WeighingFailed from error
        self._weighed = weighed or self._weighed
        return weighed

    def spare_address(self) -> None:
        """Have it not count for its address: its sender was only asked for a proof."""
        self._spares_address = True

    def count(self) -> None:
        """Count it, once it is sure that it was not refused."""
        if self._buckets is None:
            return
        load, spares = self._weighed.load, self._spares_address
        due = count(self._tallies, self._buckets, load, spares_address=spares)
        if not due:
            return
        try:
            with get_site().database.write(is_shown=False, is_brief=True) as session:
                write(session, due, now=self._now)
        except (SQLAlchemyError, RuntimeError):
            log.warning("a form was stored, but is not counted", exc_info=True)
