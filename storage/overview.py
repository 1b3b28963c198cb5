"""Counting what waits, over all events: each number comes from an index or a small table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    ScalarSelect,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, load_only

from .event_ends import is_ahead
from .heartbeats import is_sign_since
from .job_requests import MAIL, ZOOM_SYNC
from .models import (
    Alarm,
    Event,
    Job,
    JobState,
    Mail,
    OrganizerMail,
    WorkerHeartbeat,
    ZoomAccount,
    ZoomBudget,
    ZoomConnection,
    ZoomRegistrant,
)

_OPEN = (JobState.READY, JobState.RUNNING)
MAILS = ("mail", "proof_mail", "lapsed_mail", "organizer_mail")
_MOST_REFUSALS = 1000
_LONGEST_CLASS = 40


@dataclass(frozen=True)
class WaitingJobs:
    """The open work for Zoom of one event; `late` are tried again only after the event's start."""

    event_id: int
    count: int
    due_since: datetime | None
    late: int


@dataclass(frozen=True)
class ParkedJobs:
    """Jobs put aside for one reason; `problem` is how the reason begins.

    `mail_name` is which mail to people they are about, if any.
    """

    kind: str
    event_id: int | None
    mail_name: str | None
    problem: str
    count: int


@dataclass(frozen=True)
class MailJobs:
    """Mails that should have gone by now, since when the first of them, and those that come."""

    due: int
    due_since: datetime | None
    later: int


@dataclass(frozen=True)
class RefusedMail:
    """A mail that the server refused for good, and when it had last taken one, of anybody."""

    event_id: int | None
    mail_name: str
    mailbox: str
    taken_before: datetime | None


def list_events_ahead(session: Session, *, since: datetime, now: datetime) -> list[Event]:
    """List published events that start after a moment or are not over, the next one first."""
    return list(
        session.scalars(
            select(Event)
            .where(
                Event.status.not_in(("draft", "cancelled")), is_ahead(Event, since=since, now=now)
            )
            .order_by(Event.starts_at, Event.id)
        )
    )


def has_published_event(session: Session) -> bool:
    """Tell whether anything was ever published, which only a process with all settings does."""
    found = select(Event.id).where(Event.published_at.is_not(None)).limit(1)
    return session.scalar(found) is not None


def list_waiting_jobs(
    session: Session, *, starts: Mapping[int, datetime], but_for: str, now: datetime
) -> list[WaitingJobs]:
    """Count them, without those that wait for a reason that begins with the word `but_for`.

    `starts` has when events begin whose row says another time, by their id.
    """
    moved = [(Event.id == key, literal(at, Event.starts_at.type)) for key, at in starts.items()]
    starts_at = case(*moved, else_=Event.starts_at) if moved else Event.starts_at
    is_late = and_(Job.run_at > now, Job.run_at >= starts_at)
    rows = session.execute(
        select(
            Job.event_id,
            func.count(),
            func.min(Job.due_since),
            func.coalesce(func.sum(case((is_late, 1), else_=0)), 0),
        )
        .join(Event, Event.id == Job.event_id)
        .where(
            Job.state.in_(_OPEN),
            Job.kind == ZOOM_SYNC.kind,
            not_(Job.reason.startswith(f"{but_for}:")),
        )
        .group_by(Job.event_id)
    )
    return [WaitingJobs(*row) for row in rows]


def list_failing_jobs(session: Session, kind: str, *, before: datetime) -> dict[int, Job]:
    """Return, by event, the open jobs that should have been done by then and have failed since."""
    rows = session.scalars(
        select(Job).where(
            Job.state.in_(_OPEN), Job.kind == kind, Job.reason != "", Job.due_since <= before
        )
    )
    return {job.event_id: job for job in rows if job.event_id is not None}


def list_open_reasons(
    session: Session, kinds: Collection[str], *, now: datetime
) -> list[tuple[str, str, int]]:
    """Count the open jobs of some kinds by why they were handed back last.

    Those without a reason count if they are due, and have been tried once at most since they were
    asked for.
    """
    is_new = and_(Job.run_at <= now, Job.attempts <= 1)
    rows = session.execute(
        select(Job.kind, Job.reason, func.count())
        .where(Job.state.in_(_OPEN), Job.kind.in_(kinds), or_(Job.reason != "", is_new))
        .group_by(Job.kind, Job.reason)
    )
    return [(kind, reason, count) for kind, reason, count in rows]


def count_deliveries(session: Session, event_id: int) -> dict[str, int]:
    """Count the registrations of an event by what became of them at Zoom."""
    rows = session.execute(
        select(ZoomRegistrant.delivery, func.count())
        .where(ZoomRegistrant.event_id == event_id)
        .group_by(ZoomRegistrant.delivery)
    )
    return {delivery: count for delivery, count in rows}


def count_on_kept_dates(session: Session, event_id: int) -> int:
    """Count who waits for further dates of a series, and has the link for those that they had."""
    return session.scalars(
        select(func.count()).where(
            ZoomRegistrant.event_id == event_id,
            ZoomRegistrant.delivery == "waiting",
            ZoomRegistrant.refused_dates.is_not(None),
            ZoomRegistrant.join_url.is_not(None),
        )
    ).one()


def list_parked_jobs(session: Session) -> list[ParkedJobs]:
    """Count what was put aside, most of it first."""
    problem = func.substr(Job.reason, 1, _LONGEST_CLASS)
    number = cast(Job.payload[MAIL.name].as_string(), BigInteger)
    rows = session.execute(
        select(Job.kind, Job.event_id, Mail.name, problem, func.count().label("jobs"))
        .outerjoin(Mail, and_(Job.kind == MAIL.kind, Mail.id == number))
        .where(Job.state == JobState.PARKED)
        .group_by(Job.kind, Job.event_id, Mail.name, problem)
        .order_by(func.count().desc(), Job.kind, problem)
    )
    return [ParkedJobs(*row) for row in rows]


def list_events_of_parked_mails(session: Session) -> list[Event]:
    """List the events of which mails to people were put aside, with their times and dates alone."""
    parked = select(Job.event_id).where(Job.state == JobState.PARKED, Job.kind == MAIL.kind)
    columns = (Event.status, Event.starts_at, Event.duration_minutes, Event.dates)
    return list(
        session.scalars(select(Event).where(Event.id.in_(parked)).options(load_only(*columns)))
    )


def count_mail_jobs(session: Session, *, now: datetime) -> MailJobs:
    is_due = Job.due_since <= now
    due, due_since, later = session.execute(
        select(
            func.count().filter(is_due),
            func.min(Job.due_since).filter(is_due),
            func.count().filter(Job.due_since > now),
        ).where(Job.state.in_(_OPEN), Job.kind.in_(MAILS))
    ).one()
    return MailJobs(due, due_since, later)


def list_refused_mails(session: Session, *, problem: str) -> list[RefusedMail]:
    """List the mails that were put aside for this class of error, the last thousand of a kind."""
    people = select(Mail.id, Mail.name, Mail.mailbox_key)
    organizers = select(OrganizerMail.id, literal(""), func.lower(OrganizerMail.email))
    return [
        *_list_refused(session, "mail", problem, people, Mail.id),
        *_list_refused(session, "organizer_mail", problem, organizers, OrganizerMail.id),
    ]


def _list_refused(
    session: Session,
    kind: str,
    problem: str,
    mailboxes: Select[int, str, str],
    mail_id: InstrumentedAttribute[int],
) -> Iterator[RefusedMail]:
    parked = Job.state == JobState.PARKED, Job.kind == kind, Job.reason.startswith(f"{problem}:")
    taken = [_select_last_taken(other) for other in MAILS]
    latest = select(Job.payload, Job.event_id, *taken).where(*parked).order_by(Job.run_at.desc())
    rows = session.execute(latest.limit(_MOST_REFUSALS)).all()
    ids = [payload["mail_id"] for payload, *_ in rows]
    found = session.execute(mailboxes.where(mail_id.in_(ids))) if ids else ()
    known = {number: (name, mailbox) for number, name, mailbox in found}
    for payload, event_id, *before in rows:
        name, mailbox = known.get(payload["mail_id"], ("", ""))
        if mailbox:
            taken_before = max((at for at in before if at), default=None)
            yield RefusedMail(event_id, name, mailbox, taken_before)


def _select_last_taken(kind: str) -> ScalarSelect[datetime]:
    """Select when the last mail went before a job was put aside; its own ended without a reason."""
    other = aliased(Job)
    went = other.state == JobState.DONE, other.kind == kind, other.reason == ""
    before = select(other.run_at).where(*went, other.run_at <= Job.run_at)
    return before.order_by(other.run_at.desc()).limit(1).correlate(Job).scalar_subquery()


def list_zoom_accounts(session: Session) -> list[ZoomAccount]:
    return list(session.scalars(select(ZoomAccount).order_by(ZoomAccount.account_id)))


def list_plans(session: Session) -> list[tuple[str, str]]:
    """Return the accounts that connections lead to, each with the plan that is stored, if any."""
    plan = case((ZoomConnection.client_id != "", ZoomConnection.plan), else_="")
    of_accounts = select(ZoomConnection.account_id, plan).distinct()
    rows = session.execute(of_accounts.where(ZoomConnection.account_id != ""))
    return [(account_id, stored) for account_id, stored in rows]


def list_budgets(session: Session, *, day: date) -> list[ZoomBudget]:
    """List what was used of an account's limits on a day in UTC."""
    return list(
        session.scalars(
            select(ZoomBudget)
            .where(ZoomBudget.day == day)
            .order_by(ZoomBudget.account_id, ZoomBudget.name)
        )
    )


def list_workers(session: Session, *, since: datetime, now: datetime) -> list[WorkerHeartbeat]:
    """List the workers that gave a sign of life since then, the oldest first."""
    return list(
        session.scalars(
            select(WorkerHeartbeat)
            .where(is_sign_since(since, now=now))
            .order_by(WorkerHeartbeat.started_at)
        )
    )


def list_alarms(session: Session) -> list[Alarm]:
    return list(session.scalars(select(Alarm).order_by(Alarm.began_at, Alarm.name)))
