"""How mails leave: what every job that sends one needs for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage

from services.messages import MessageRefused
from storage.jobs import ClaimedJob

from .mail_failures import Failure, judge
from .smtp import MailError, MailTransport


@dataclass(frozen=True)
class Mailer:
    """Sends mails from the site's own address; their templates are rendered in `app_context`."""

    sender: Address
    transport: MailTransport
    app_context: Callable[[], AbstractContextManager[object]]
    read_clock: Callable[[], datetime]

    def send(
        self, job: ClaimedJob, compose: Callable[[], EmailMessage], recipient: str
    ) -> Failure | None:
        """Send what `compose` writes, and return what went wrong, if anything did."""
        try:
            with self.app_context():
                message = compose()
            self.transport.send(message, recipient)
        except (MailError, MessageRefused) as error:
            return judge(job, error)
        return None
