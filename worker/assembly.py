"""The worker process put together: which lanes there are and what handles their jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from functools import partial

from config import Settings
from outbound import HttpPool
from services.attendance_records import JOB_KIND as ATTENDANCE_JOB
from services.date_following import JOB_KIND as DATES_JOB
from services.erasing_waits import JOB_KIND as ERASE_JOB
from services.event_tasks import JOB_KIND as EVENT_JOB
from services.held_mails import JOB_KIND as HELD_JOB
from services.held_mails import LEFT_JOB, OVER_JOB
from services.keys import KeyRing
from services.lapsed_requests import JOB_KIND as LAPSED_JOB
from services.links import Links
from services.mail_proofs import JOB_KIND as PROOF_JOB
from services.organizer_mails import JOB_KIND as ORGANIZER_JOB
from services.people_imports import JOB_KIND as IMPORT_JOB
from services.people_imports import ReadRow
from services.people_tasks import JOB_KIND as PEOPLE_JOB
from services.place_signs import JOB_KIND as PLACES_JOB
from services.webhooks import JOB_KIND as WEBHOOK_JOB
from storage import zoom_queue
from storage.job_requests import ZOOM_SETTLE, ZOOM_SYNC
from storage.models import ZoomConnection
from storage.session import Database
from storage.webhook_messages import WebhookQueue
from zoom_client import ZoomClient

from . import mail, mail_proofs, organizer_mail, webhooks, zoom
from .alarms import AlarmWatch
from .attendance import AttendanceFetching, request_due_records
from .endings import record_given_up
from .erasing import Erasing
from .event_dates import DatesFollowing, step_on
from .held_mails import HeldTelling, tell_of_held_up, tell_of_pending
from .indexing import index_registrations
from .lapsed_mails import LapsedMailSending
from .letters import LetterWriter
from .loop import Lane, Worker
from .mail_queue import MailQueue
from .mailer import Mailer
from .people import EventTasks, PeopleImports, PeopleTasks, forget_old_imports
from .places import PlaceFinding
from .sealing import Resealing
from .settling import EventSettling
from .smtp import MailTransport
from .zoom_health import look_after_pauses

MAIL_THREADS = 2


@dataclass(frozen=True)
class WorkerParts:
    """What every worker is built from.

    Args:
        transport: takes mails away.
        app_context: opens the context in which templates of mails are rendered.
        read_row: turns a row of a table of people into a submission; the forms know how.
        read_clock: the time, aware.
    """

    settings: Settings
    database: Database
    keys: KeyRing
    links: Links
    make_client: Callable[[ZoomConnection], ZoomClient]
    webhook_pool: HttpPool
    transport: MailTransport
    app_context: Callable[[], AbstractContextManager[object]]
    read_row: ReadRow
    read_clock: Callable[[], datetime]

    @property
    def mailer(self) -> Mailer:
        sender = Address(addr_spec=self.settings.sender)
        return Mailer(sender, self.transport, self.app_context, self.read_clock)


def build_worker(parts: WorkerParts) -> Worker:
    """Build a worker for every kind of job."""
    database, read_clock = parts.database, parts.read_clock
    mails = MailQueue(parts.settings)
    lanes = [
        *_make_zoom_lanes(parts),
        _make_peoples_lane(parts),
        _make_mail_lane(parts, mails),
        _make_organizers_lane(parts, mails),
        *_make_webhook_lanes(parts),
    ]
    watch = AlarmWatch(
        parts.settings,
        database,
        transport=parts.transport,
        app_context=parts.app_context,
        read_clock=read_clock,
    )

    resealing = Resealing(database, parts.keys, read_clock=read_clock)

    def at_now(look: Callable[..., object]) -> Callable[[], None]:
        def look_now() -> None:
            look(database, now=read_clock())

        return look_now

    looks = (
        partial(watch.look, is_worker=True),
        at_now(step_on),
        at_now(look_after_pauses),
        at_now(tell_of_pending),
        at_now(tell_of_held_up),
        partial(index_registrations, database),
        at_now(forget_old_imports),
        at_now(request_due_records),
        at_now(webhooks.tidy_up),
        resealing.look,
    )
    return Worker(database, lanes, looks=looks, read_clock=read_clock)


def _make_zoom_lanes(parts: WorkerParts) -> list[Lane]:
    database, make_client, clock = parts.database, parts.make_client, parts.read_clock
    sync = zoom.RegistrantSync(database, make_client=make_client, keys=parts.keys, read_clock=clock)
    settling = EventSettling(database, make_client=make_client, keys=parts.keys, read_clock=clock)
    following = DatesFollowing(database, make_client=make_client, read_clock=clock)
    fetching = AttendanceFetching(database, make_client=make_client, read_clock=clock)
    looks = {ZOOM_SETTLE.kind: settling.handle, DATES_JOB: following.handle}
    return [
        Lane(
            "zoom",
            {ZOOM_SYNC.kind: sync.handle},
            parts.settings.worker_threads,
            {ZOOM_SYNC.kind: record_given_up},
            queue=zoom_queue,
        ),
        Lane("settle", looks, 1, queue=zoom_queue),
        # Of its own: a record of thousands takes a while, and nobody who registers waits for it.
        Lane("attendance", {ATTENDANCE_JOB: fetching.handle}, 1, queue=zoom_queue),
    ]


def _make_mail_lane(parts: WorkerParts, queue: MailQueue) -> Lane:
    writer = LetterWriter(parts.settings, parts.links, parts.keys)
    sending = mail.MailSending(parts.database, parts.mailer, writer=writer)
    asking = mail_proofs.ProofMailSending(parts.database, parts.mailer, links=parts.links)
    lapsed = LapsedMailSending(parts.database, parts.mailer)
    handlers = {"mail": sending.handle, PROOF_JOB: asking.handle, LAPSED_JOB: lapsed.handle}
    recorders = {"mail": mail.record_given_up, PROOF_JOB: mail_proofs.record_given_up}
    return Lane("mail", handlers, MAIL_THREADS, recorders, queue=queue)


def _make_peoples_lane(parts: WorkerParts) -> Lane:
    database, clock = parts.database, parts.read_clock
    imports = PeopleImports(database, read_row=parts.read_row, read_clock=clock)
    erasing = Erasing(database, parts.settings.instance, read_clock=clock)
    handlers = {
        PEOPLE_JOB: PeopleTasks(database, read_clock=clock).handle,
        EVENT_JOB: EventTasks(database, read_clock=clock).handle,
        IMPORT_JOB: imports.handle,
        ERASE_JOB: erasing.handle,
        PLACES_JOB: PlaceFinding(database, read_clock=clock).handle,
    }
    return Lane("people", handlers, 1)


def _make_webhook_lanes(parts: WorkerParts) -> list[Lane]:
    sending = webhooks.WebhookSending(
        parts.database, pool=parts.webhook_pool, read_clock=parts.read_clock
    )
    handlers = {WEBHOOK_JOB: sending.handle}
    return [
        Lane("webhooks", handlers, 2, queue=WebhookQueue(of_trouble=False)),
        Lane("troubles", handlers, 1, queue=WebhookQueue(of_trouble=True)),
    ]


def _make_organizers_lane(parts: WorkerParts, queue: MailQueue) -> Lane:
    sending = organizer_mail.OrganizerMailSending(parts.database, parts.mailer, links=parts.links)
    telling = HeldTelling(parts.database, read_clock=parts.read_clock)
    handlers = {
        ORGANIZER_JOB: sending.handle,
        HELD_JOB: telling.handle,
        OVER_JOB: telling.handle_over,
        LEFT_JOB: telling.handle_left,
    }
    recorders = {ORGANIZER_JOB: organizer_mail.record_given_up}
    return Lane("organizers", handlers, 1, recorders, queue=queue)
