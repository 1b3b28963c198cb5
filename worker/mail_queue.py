"""Whose the mails are: a process that was not told what the site's others know takes none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from threading import Lock

from sqlalchemy.orm import Session

from config import Settings
from storage import jobs, overview
from storage.jobs import ClaimedJob

log = logging.getLogger(__name__)


class MailQueue:
    """The queue of mails, in which a process finds nothing while it lacks settings of the site.

    Nothing is published without a mail server and the address that links begin with. So once
    something was, others have them, and this process would put people's mails into a folder and
    call them sent, or send links that lead nowhere. A site that never published anything has no
    mail server perhaps: there mails become files.
    """

    def __init__(self, settings: Settings) -> None:
        self._missing = settings.list_missing()
        self._untold = Lock()

    def is_closed(self, session: Session) -> bool:
        return bool(self._missing) and overview.has_published_event(session)

    def has_due(self, session: Session, *, kinds: Sequence[str], now: datetime) -> bool:
        """As `jobs.has_due`; that it is closed is logged once, at the first look."""
        if not self.is_closed(session):
            return jobs.has_due(session, kinds=kinds, now=now)
        if self._untold.acquire(blocking=False):
            reason = f"not set here: {', '.join(self._missing)}"
            log.error("mails are left to other workers", extra={"reason": reason})
        return False

    def claim(
        self,
        session: Session,
        *,
        kinds: Sequence[str],
        owner: str,
        lease_seconds: float,
        now: datetime,
    ) -> ClaimedJob | None:
        """As `jobs.claim`."""
        if self.is_closed(session):
            return None
        return jobs.claim(session, kinds=kinds, owner=owner, lease_seconds=lease_seconds, now=now)
