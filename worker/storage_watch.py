"""Telling the operator that nothing can be stored: the one trouble that no row can remember."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

from flask_babel import lazy_gettext
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from services.messages import MessageRefused
from storage.readiness import write_something
from storage.session import Database

from .operator_mail import compose
from .smtp import MailError, MailOutcomeUnknown, MailTransport

TOLD_AFTER = timedelta(minutes=5)
"""Longer than a restart of the database, or a wait for its lock."""

_TITLE = lazy_gettext("Nothing can be saved")
_ADVICE = lazy_gettext(
    "Whoever registers is asked to send the form again later. Please look after the database and"
    " its disk."
)
_REASON = lazy_gettext("Reason")

log = logging.getLogger(__name__)


class StorageWatch:
    """Notices that the database takes nothing, and mails it without the database.

    Each web process has one, for it is those that turn people away. Which of a machine has told is
    in a file of the instance folder; where not even that can be written, each process tells.

    Args:
        app_context: in which templates of mails are drawn.
        read_clock: the time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        transport: MailTransport,
        app_context: Callable[[], AbstractContextManager[object]],
        read_clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._transport = transport
        self._app_context = app_context
        self._read_clock = read_clock
        self._began_at: datetime | None = None
        self._has_told = False
        self._file = settings.instance / "nothing-saved"
        self._unmarked: datetime | None = None

    def look(self) -> None:
        """Try to store something, and tell what has changed; never raises for what is away."""
        now = self._read_clock()
        try:
            write_something(self._database, now=now)
        except SQLAlchemyError as error:
            self._began_at = self._began_at or now
            if now - self._began_at >= TOLD_AFTER and not self._has_told:
                self._tell_once(self._began_at, type(error.__cause__ or error).__name__)
        else:
            self._began_at, self._has_told = None, False
            self._tell_end(now)

    def _tell_once(self, began_at: datetime, reason: str) -> None:
        log.error("nothing can be stored", extra={"reason": reason})
        with self._alone():
            self._has_told = self._read_mark() is not None
            if not self._has_told and self._send(began_at, None, reason):
                self._has_told = True
                self._mark(began_at)

    def _tell_end(self, now: datetime) -> None:
        if self._read_mark() is None:
            return
        with self._alone():
            began_at = self._read_mark()  # another one may have told meanwhile
            if began_at is not None and self._unmark() and not self._send(began_at, now, ""):
                self._mark(began_at)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process of this machine tells; at once where there is no folder."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            folder = os.open(self._file.parent, os.O_RDONLY)
        except OSError:
            yield
            return
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    # The mark is an empty file, and its time is when it began: that needs no room on a full disk.

    def _mark(self, began_at: datetime) -> None:
        self._unmarked = began_at
        try:
            self._file.touch()
            os.utime(self._file, (began_at.timestamp(),) * 2)
        except OSError:
            log.warning("what was told cannot be noted down")
        else:
            self._unmarked = None

    def _read_mark(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._file.stat().st_mtime, UTC)
        except OSError:
            return self._unmarked

    def _unmark(self) -> bool:
        """Remove the mark first: one that stays would have the end told again and again."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError:
            if self._unmarked is None:
                return False
        self._unmarked = None
        return True

    def _send(self, began_at: datetime, ended_at: datetime | None, reason: str) -> bool:
        recipient = self._settings.operator_email
        if not recipient:
            return True
        try:
            with self._app_context():
                message = compose(
                    self._settings,
                    title=_TITLE,
                    advice=_ADVICE,
                    facts=[(_REASON, reason)] if reason else [],
                    began_at=began_at,
                    ended_at=ended_at,
                    message_id=f"storage.{secrets.token_hex(8)}",
                )
            self._transport.send(message, recipient)
        except MailOutcomeUnknown:
            return True  # once a minute it may arrive each time
        except (MailError, MessageRefused, OSError) as error:
            log.warning("the operator was not told", extra={"reason": str(error)})
            return False
        return True
