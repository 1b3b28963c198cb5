"""Telling the operator that nothing can be stored: the one trouble that no row can remember."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import TextIO

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
        with self._only_one() as mark:
            if mark is not None and mark.read():
                self._has_told = True
                return
            self._has_told = self._send(began_at, None, reason)
            if mark is not None and self._has_told:
                _write(mark, began_at.isoformat())

    def _tell_end(self, now: datetime) -> None:
        if not self._file.exists():
            return
        with self._only_one() as mark:
            began = mark.read() if mark is not None else ""
            if not began or self._send(datetime.fromisoformat(began), now, ""):
                self._file.unlink(missing_ok=True)

    @contextmanager
    def _only_one(self) -> Iterator[TextIO | None]:
        """Give the file, at its beginning, once nobody else has it; None where there is none."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            file = self._file.open("a+")
        except OSError:
            yield None
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            is_gone = os.fstat(file.fileno()).st_nlink == 0  # another one has told of the end
            yield None if is_gone else file

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


def _write(mark: TextIO, text: str) -> None:
    try:
        mark.write(text)
        mark.flush()
    except OSError:
        log.warning("what was told cannot be noted down")
