"""Telling the operator what stands still: one log line and one mail, whoever of many notices."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from email.message import EmailMessage

from flask_babel import lazy_gettext

from config import Settings
from services.alarms import (
    AlarmName,
    Change,
    Problem,
    Telling,
    find_problems,
    keep_alarms,
    take_telling,
)
from services.dates import HOME, format_moment
from services.messages import MessageRefused
from services.overview import read_overview
from storage import alarms, heartbeats, rehearsals
from storage.disks import FILLING_PERCENT, WELL_PERCENT, measure_fullest
from storage.session import Database
from zoom_client import Plan

from .mail_queue import MailQueue
from .operator_mail import LOCALE, compose
from .smtp import MailError, MailOutcomeUnknown, MailTransport, MailUnavailable

NO_WORKER_AFTER = timedelta(minutes=3)
"""Longer than a restart takes."""

_TITLES = {
    AlarmName.ZOOM_WAITING: lazy_gettext("Registrations are waiting for Zoom"),
    AlarmName.NEEDS_SETTING: lazy_gettext("A setting in Zoom has to be changed"),
    AlarmName.LINK_TOO_LATE: lazy_gettext("Join links will come after the start"),
    AlarmName.STARTING_SOON: lazy_gettext("People without a join link shortly before the start"),
    AlarmName.DATES_UNKNOWN: lazy_gettext("The dates of a series are not known to be right"),
    AlarmName.MAIL_WAITING: lazy_gettext("Mails cannot be sent"),
    AlarmName.MAIL_REFUSED: lazy_gettext("The mail server refuses one recipient after another"),
    AlarmName.MAIL_GIVEN_UP: lazy_gettext("Mails that may never have gone"),
    AlarmName.WORK_FAILING: lazy_gettext("Work fails again and again"),
    AlarmName.WORK_GIVEN_UP: lazy_gettext("Work that was given up"),
    AlarmName.NO_WORKER: lazy_gettext("No worker is running"),
    AlarmName.DISK_FILLING: lazy_gettext("The disk is filling up"),
}
_ADVICE = {
    AlarmName.ZOOM_WAITING: lazy_gettext(
        "Every registration is kept, and goes to Zoom by itself as soon as Zoom answers."
    ),
    AlarmName.NEEDS_SETTING: lazy_gettext(
        "Every registration is kept, and goes to Zoom by itself once the setting is right."
    ),
    AlarmName.LINK_TOO_LATE: lazy_gettext(
        "The next try with Zoom comes only after the start. Please add these people by hand in Zoom"
        " and send them its link."
    ),
    AlarmName.STARTING_SOON: lazy_gettext(
        "Please look why, and if there is no time, add these people by hand in Zoom and send them"
        " its link."
    ),
    AlarmName.DATES_UNKNOWN: lazy_gettext(
        "Zoom has not told them for half a day. People are registered for the dates that it told"
        " last, and nobody is told of a date that is moved or cancelled in Zoom."
    ),
    AlarmName.MAIL_WAITING: lazy_gettext(
        "Every mail is kept, and goes by itself as soon as the mail server takes it. “flask jobs"
        " list” says what it answers."
    ),
    AlarmName.MAIL_REFUSED: lazy_gettext(
        "It took no mail in between, and these are not tried again by themselves. “flask jobs list"
        " --state parked” says what it answered. Once that is mended, “flask jobs retry --all"
        " --reason MailRefused” sends them. If the addresses are wrong indeed, “flask jobs drop”"
        " ends this."
    ),
    AlarmName.MAIL_GIVEN_UP: lazy_gettext(
        "They are not tried again by themselves. Please look in the mail server's log whether they"
        " went; if not, “flask jobs retry” sends them."
    ),
    AlarmName.WORK_FAILING: lazy_gettext(
        "Nobody foresaw why. It is kept, and tried again by itself with growing pauses, but may be"
        " put aside after some fifteen hours. “flask jobs list” names it, and the worker's log says"
        " why, as “job failed”. Once that is mended, “flask jobs retry” with its WORK has it done"
        " at once."
    ),
    AlarmName.WORK_GIVEN_UP: lazy_gettext(
        "Workers failed at it again and again, and it is not tried again by itself. “flask jobs"
        " list --state parked” names it, and the worker's log says why. Once that is mended, “flask"
        " jobs retry --all --reason GivenUp” has it done."
    ),
    AlarmName.NO_WORKER: lazy_gettext(
        "Registrations are kept, but nothing goes to Zoom and no mail is sent until one is started."
    ),
    AlarmName.DISK_FILLING: lazy_gettext("Once it is full, nobody can register."),
}
# What stands in the way at Zoom, and what to do about it.
_REASONS = {
    "ZoomUnreachable": lazy_gettext("Zoom cannot be reached."),
    "ZoomOutcomeUnknown": lazy_gettext("Zoom does not answer as it should."),
    "AuthenticationFailed": lazy_gettext(
        "Zoom refuses the app's credentials: check them, and that the app is activated."
    ),
    "ScopeMissing": lazy_gettext("The app lacks scopes: add them in Zoom's marketplace."),
    "HostNotFound": lazy_gettext("The host is no user of this Zoom account."),
    "HostNotAllowed": lazy_gettext("The host's plan or settings at Zoom forbid it."),
    "MeetingNotFound": lazy_gettext("The meeting is gone at Zoom, or belongs to another account."),
    "WrongKind": lazy_gettext("A meeting was turned into a webinar at Zoom, or the reverse."),
    "RegistrationDisabled": lazy_gettext(
        "Registration is off at Zoom: flask event publish switches it on."
    ),
    "EverybodyRefused": lazy_gettext(
        "Zoom refuses one person after the other, for a reason that is not known here: “flask"
        " status” shows Zoom's own words. Once it is mended at Zoom, run flask jobs retry: by"
        " itself everybody is tried again later, perhaps only the next day (UTC)."
    ),
    "AtCapacity": lazy_gettext(
        "Zoom takes no more people, so the form is closed, perhaps for some dates only: raise the"
        " limit at Zoom, then run flask event publish."
    ),
    "MeetingOver": lazy_gettext(
        "At Zoom the meeting is over, so the form is closed: correct its time at Zoom, then run"
        " flask event publish."
    ),
}
# What nobody would miss who does not wait for it.
_WORK = {
    "erase": lazy_gettext("Erasing people"),
    "erasing_left": lazy_gettext("Telling organizers what is kept aside"),
    "event": lazy_gettext("What follows from a changed event"),
    "held": lazy_gettext("Telling organizers what is kept aside"),
    "people": lazy_gettext("Acts about several people"),
    "people.import": lazy_gettext("Registering a table of people"),
    "places": lazy_gettext("Trying people again whom a full Zoom refused"),
    "proof_over": lazy_gettext("Telling organizers what is kept aside"),
    "webhook": lazy_gettext("Webhooks"),
    "zoom.attendance": lazy_gettext("Asking Zoom who came"),
    "zoom.dates": lazy_gettext("Following the dates of a series"),
    "zoom.settle": lazy_gettext("Looking up at Zoom whom it has"),
}
_LABELS = {
    "registrations": lazy_gettext("Registrations"),
    "events": lazy_gettext("Events"),
    "mails": lazy_gettext("Mails"),
    "recipients": lazy_gettext("Recipients"),
    "jobs": lazy_gettext("Pieces of work"),
    "work": lazy_gettext("What they are about"),
    "times": lazy_gettext("Failures in a row"),
    "since": lazy_gettext("Fails since"),
    "percent": lazy_gettext("Disk in use in percent"),
    "reason": lazy_gettext("Reason"),
    "scopes": lazy_gettext("Missing scopes"),
    "machine": lazy_gettext("Machine"),
    "folder": lazy_gettext("Folder"),
}

log = logging.getLogger(__name__)


class AlarmWatch:
    """Looks after the site; any number of processes may, and each thing is told once.

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
        self._machine = socket.gethostname()
        self._mails = MailQueue(settings)

    def look(self, *, is_worker: bool) -> None:
        """See what is wrong or over, write a log line for what is new, and send what is untold.

        `is_worker` says that this process is one, whatever its last sign of life says. Nobody is
        told of a copy for practice: it would look like the site. What a process cannot send, as it
        has no address of the operator's, stays to be told by another one.
        """
        now = self._read_clock()
        with self._database.read() as session:
            if rehearsals.is_rehearsal(session):
                return
            plan = Plan(self._settings.zoom_plan)
            problems = find_problems(read_overview(session, plan=plan, now=now))
            stored = alarms.list_names(session)
            may_tell = bool(self._settings.operator_email) and not self._mails.is_closed(session)
            has_lived = heartbeats.has_lived_since(session, now - NO_WORKER_AFTER, now=now)
        if is_worker or has_lived:
            problems = [problem for problem in problems if problem.name is not AlarmName.NO_WORKER]
        problems += self._look_at_disk(stored)
        if not stored and not problems:
            return
        with self._database.write() as session:
            changes = keep_alarms(session, problems, now=now)
        for change in changes:
            self._log(change)
        while may_tell and (telling := self._take()) is not None and self._tell(telling):
            pass

    def look_without_worker(self) -> None:
        """Do a worker's part where none has given a sign of life for three minutes."""
        now = self._read_clock()
        with self._database.read() as session:
            if heartbeats.has_lived_since(session, now - NO_WORKER_AFTER, now=now):
                return
        self.look(is_worker=False)

    def _look_at_disk(self, stored: Collection[str]) -> list[Problem]:
        fill = measure_fullest(self._database, self._settings.instance)
        facts: dict[str, int | str] = {
            "percent": fill.percent,
            "machine": self._machine,
            "folder": str(fill.folder),
        }
        problem = Problem(AlarmName.DISK_FILLING, facts, place=self._machine)
        limit = WELL_PERCENT if problem.key in stored else FILLING_PERCENT
        return [problem] if fill.percent >= limit else []

    def _log(self, change: Change) -> None:
        facts = {"alarm": change.key, "began_at": change.began_at.isoformat(), **change.facts}
        if change.is_over:
            log.warning("alarm over", extra=facts)
        else:
            log.error("alarm", extra=facts)

    def _take(self) -> Telling | None:
        with self._database.write() as session:
            return take_telling(session, now=self._read_clock())

    def _tell(self, telling: Telling) -> bool:
        """Send one message; False where there is no use in sending more now."""
        try:
            self._transport.send(self._compose(telling), self._settings.operator_email)
        except MailUnavailable as error:
            self._log_failure(telling, error)
            return False
        except MailOutcomeUnknown as error:
            self._log_failure(telling, error)
            if not telling.is_doubtful:
                with self._database.write() as session:
                    alarms.record_doubt(session, telling.key, telling.message_id)
                return False
        except (MailError, MessageRefused) as error:
            self._log_failure(telling, error)
            with self._database.write() as session:
                now = self._read_clock()
                alarms.record_refused(session, telling.key, telling.message_id, now=now)
            return True
        with self._database.write() as session:
            alarms.record_told(session, telling.key, telling.message_id, now=self._read_clock())
        return True

    def _log_failure(self, telling: Telling, error: Exception) -> None:
        log.warning("the operator was not told", extra={"alarm": telling.key, "reason": str(error)})

    def _compose(self, telling: Telling) -> EmailMessage:
        with self._app_context():
            return compose(
                self._settings,
                title=_TITLES[telling.name],
                advice=_ADVICE[telling.name],
                facts=_label(telling.facts),
                began_at=telling.began_at,
                ended_at=telling.ended_at,
                message_id=telling.message_id,
            )


def _label(facts: Mapping[str, object]) -> list[tuple[object, object]]:
    return [(_LABELS[name], _write(name, facts[name])) for name in facts if name in _LABELS]


def _write(name: str, value: object) -> object:
    """Put classes of errors, kinds of work and times into words."""
    if name == "reason":
        return " ".join(str(_REASONS.get(problem, problem)) for problem in str(value).split(", "))
    if name == "work":
        return " / ".join(str(_WORK.get(kind, kind)) for kind in str(value).split(", "))
    if name == "since":
        return format_moment(datetime.fromisoformat(str(value)), HOME, LOCALE)
    return value
