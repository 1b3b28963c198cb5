"""The worker process put together: which lanes there are and what handles their jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from config import Settings
from outbound import HttpPool
from services.date_following import JOB_KIND as DATES_JOB
from services.erasing import JOB_KIND as ERASE_JOB
from services.event_tasks import JOB_KIND as EVENT_JOB
from services.keys import KeyRing
from services.links import Links
from services.mail_proofs import JOB_KIND as PROOF_JOB
from services.organizer_mails import JOB
from services.people_imports import JOB_KIND as IMPORT_JOB
from services.people_imports import ReadRow
from services.people_tasks import JOB_KIND as PEOPLE_JOB
from services.webhooks import JOB_KIND as WEBHOOK_JOB
from storage import zoom_queue
from storage.models import ZoomConnection
from storage.session import Database
from storage.webhook_messages import WebhookQueue
from zoom_client import ZoomClient

from . import mail, mail_proofs, organizer_mail, webhooks, zoom
from .alarms import AlarmWatch
from .endings import record_given_up
from .erasing import Erasing
from .event_dates import DatesFollowing
from .indexing import index_registrations
from .letters import LetterWriter
from .loop import Lane, Worker
from .people import EventTasks, PeopleImports, PeopleTasks, forget_old_imports
from .settling import EventSettling
from .smtp import MailTransport

MAIL_THREADS = 2


def build_worker(
    settings: Settings,
    database: Database,
    *,
    keys: KeyRing,
    links: Links,
    make_client: Callable[[ZoomConnection], ZoomClient],
    webhook_pool: HttpPool,
    transport: MailTransport,
    app_context: Callable[[], AbstractContextManager[object]],
    read_row: ReadRow,
    read_clock: Callable[[], datetime],
) -> Worker:
    """Build a worker for every kind of job; templates of mails are drawn in `app_context`.

    `read_row` makes a submission of a row of a table of people: the forms know how.
    """
    lanes = [
        *_make_zoom_lanes(settings, database, make_client, keys, read_clock),
        _make_peoples_lane(settings, database, read_row, read_clock),
        _make_mail_lane(settings, database, keys, links, transport, app_context, read_clock),
        _make_organizers_lane(settings, database, links, transport, app_context, read_clock),
        *_make_webhook_lanes(database, webhook_pool, read_clock),
    ]
    watch = AlarmWatch(
        settings, database, transport=transport, app_context=app_context, read_clock=read_clock
    )

    def look() -> None:
        watch.look(is_worker=True)
        index_registrations(database)
        forget_old_imports(database, now=read_clock())
        webhooks.tidy_up(database, now=read_clock())

    return Worker(database, lanes, look=look, read_clock=read_clock)


def _make_zoom_lanes(
    settings: Settings,
    database: Database,
    make_client: Callable[[ZoomConnection], ZoomClient],
    keys: KeyRing,
    read_clock: Callable[[], datetime],
) -> list[Lane]:
    sync = zoom.RegistrantSync(database, make_client=make_client, keys=keys, read_clock=read_clock)
    settling = EventSettling(database, make_client=make_client, keys=keys, read_clock=read_clock)
    following = DatesFollowing(database, make_client=make_client, read_clock=read_clock)
    looks = {"zoom.settle": settling.handle, DATES_JOB: following.handle}
    return [
        Lane(
            "zoom",
            {"zoom.sync": sync.handle},
            settings.worker_threads,
            {"zoom.sync": record_given_up},
            queue=zoom_queue,
        ),
        Lane("settle", looks, 1, queue=zoom_queue),
    ]


def _make_mail_lane(
    settings: Settings,
    database: Database,
    keys: KeyRing,
    links: Links,
    transport: MailTransport,
    app_context: Callable[[], AbstractContextManager[object]],
    read_clock: Callable[[], datetime],
) -> Lane:
    sending = mail.MailSending(
        database,
        transport=transport,
        writer=LetterWriter(settings, links, keys),
        app_context=app_context,
        read_clock=read_clock,
    )
    asking = mail_proofs.ProofMailSending(
        settings,
        database,
        links=links,
        transport=transport,
        app_context=app_context,
        read_clock=read_clock,
    )
    handlers = {"mail": sending.handle, PROOF_JOB: asking.handle}
    recorders = {"mail": mail.record_given_up, PROOF_JOB: mail_proofs.record_given_up}
    return Lane("mail", handlers, MAIL_THREADS, recorders)


def _make_peoples_lane(
    settings: Settings, database: Database, read_row: ReadRow, read_clock: Callable[[], datetime]
) -> Lane:
    imports = PeopleImports(database, read_row=read_row, read_clock=read_clock)
    erasing = Erasing(database, settings.instance, read_clock=read_clock)
    handlers = {
        PEOPLE_JOB: PeopleTasks(database, read_clock=read_clock).handle,
        EVENT_JOB: EventTasks(database, read_clock=read_clock).handle,
        IMPORT_JOB: imports.handle,
        ERASE_JOB: erasing.handle,
    }
    return Lane("people", handlers, 1)


def _make_webhook_lanes(
    database: Database, pool: HttpPool, read_clock: Callable[[], datetime]
) -> list[Lane]:
    sending = webhooks.WebhookSending(database, pool=pool, read_clock=read_clock)
    handlers = {WEBHOOK_JOB: sending.handle}
    return [
        Lane("webhooks", handlers, 2, queue=WebhookQueue(of_trouble=False)),
        Lane("webhooks-in-trouble", handlers, 1, queue=WebhookQueue(of_trouble=True)),
    ]


def _make_organizers_lane(
    settings: Settings,
    database: Database,
    links: Links,
    transport: MailTransport,
    app_context: Callable[[], AbstractContextManager[object]],
    read_clock: Callable[[], datetime],
) -> Lane:
    sending = organizer_mail.OrganizerMailSending(
        settings,
        database,
        links=links,
        transport=transport,
        app_context=app_context,
        read_clock=read_clock,
    )
    return Lane("organizers", {JOB: sending.handle}, 1, {JOB: organizer_mail.record_given_up})
