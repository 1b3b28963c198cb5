"""What waits and what stands still at one moment: for status page, metrics and alarms alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storage import overview, zoom_pauses
from storage.job_requests import MAIL, ZOOM_SETTLE, ZOOM_SYNC
from storage.models import Event, Job, ZoomAccount, ZoomEvent
from storage.overview import MailJobs, ParkedJobs, WaitingJobs
from zoom_client.pacing import PER_DAY, PER_SECOND, Label, Plan

from . import date_following, kept_dates, mail_proofs, place_signs
from .deliveries import Delivery
from .event_dates import find_next, read_dates
from .events import get_end, get_planned_end
from .failing_work import WorkState, read_work
from .full_dates import list_full
from .mails import MailName, holds_for_event

WORKER_SILENT_AFTER = timedelta(seconds=60)
DATES_UNKNOWN_AFTER = timedelta(hours=12)

# No event lasts longer: what started before is over.
_LONGEST_EVENT = timedelta(days=3)
# What is of no use any more once its event is over; all other work that was put aside still is.
_FOR_EVENTS_AHEAD = (
    ZOOM_SYNC.kind,
    ZOOM_SETTLE.kind,
    date_following.JOB_KIND,
    place_signs.JOB_KIND,
    MAIL.kind,
    mail_proofs.JOB_KIND,
)
_REFUSED = "MailRefused"
_CLASS = re.compile(r"[A-Z][A-Za-z]+\b")


@dataclass(frozen=True)
class Pause:
    """Why a queue stands still: `problem` is the class of the error, `reason` its words."""

    since: datetime
    problem: str
    reason: str


@dataclass(frozen=True)
class EventWork:
    """The registrations of one event that is not over, counted by what became of them at Zoom.

    `waiting` counts all for whom Zoom is not as it should be, cancelled ones included, but for whom
    Zoom has on the dates that they had, as it has no place on a further one; `late` are
    those whose next try comes only after the start. `account_pause` is that of its own account.
    `closed_by_zoom` is the class of the error with which Zoom takes nobody new, for so many
    `full_dates` alone where there are any. `dates_trouble` says why Zoom has not told the dates of
    a series for half a day.
    """

    slug: str
    starts_at: datetime
    registered: int
    waiting: int
    waiting_since: datetime | None
    late: int
    needs_setting: int
    refused: int
    without_link: int
    pause: Pause | None
    account_pause: Pause | None
    dates_trouble: Pause | None
    closed_by_zoom: str
    full_dates: int


@dataclass(frozen=True)
class Parked:
    """Jobs put aside, by the class of their error."""

    kind: str
    problem: str
    count: int


@dataclass(frozen=True)
class BudgetLeft:
    """What an account has left of one of Zoom's labels: `left` of this day's calls, None of any."""

    account_id: str
    label: str
    per_second: int
    left: int | None


@dataclass(frozen=True)
class AccountState:
    account_id: str
    pause: Pause | None
    failures: int
    last_success_at: datetime | None


@dataclass(frozen=True)
class WorkerState:
    owner: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class AlarmState:
    """An alarm that is on; `refused_at` is when the mail server last refused it."""

    name: str
    began_at: datetime
    told_at: datetime | None
    refused_at: datetime | None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Overview:
    """Everything at one moment; it names no person.

    `refusals` has, for each time that the mail server took no mail of anybody in between, how many
    different recipients it refused for good, whose mails are put aside yet. `work` is what fails
    beside registrants at Zoom and mails.
    """

    taken_at: datetime
    events: tuple[EventWork, ...]
    parked: tuple[Parked, ...]
    work: WorkState
    mails: MailJobs
    refusals: tuple[int, ...]
    accounts: tuple[AccountState, ...]
    budgets: tuple[BudgetLeft, ...]
    workers: tuple[WorkerState, ...]
    alarms: tuple[AlarmState, ...]

    def count_failed_mails(self) -> int:
        return sum(parked.count for parked in self.parked if parked.kind in overview.MAILS)


def read_overview(session: Session, *, plan: Plan, now: datetime) -> Overview:
    """Read it; what is only about events that are over is left out."""
    ahead = [
        event
        for event in overview.list_events_ahead(session, since=now - _LONGEST_EVENT, now=now)
        if now < get_end(event)
    ]
    is_ahead = {event.id for event in ahead}
    owed = _list_owed(session, now)
    # Before what was put aside: what is meanwhile is seen in either.
    work = read_work(session, now=now)
    parked = [
        jobs
        for jobs in overview.list_parked_jobs(session)
        if jobs.kind not in _FOR_EVENTS_AHEAD
        or jobs.event_id is None
        or jobs.event_id in is_ahead
        or (jobs.event_id, jobs.mail_name) in owed
    ]
    workers = overview.list_workers(session, since=now - WORKER_SILENT_AFTER, now=now)
    return Overview(
        taken_at=now,
        events=_count_events(session, ahead, now),
        parked=_group_parked(parked),
        work=work,
        mails=overview.count_mail_jobs(session, now=now),
        refusals=_count_refusals(session, is_ahead, owed),
        accounts=tuple(
            AccountState(
                account.account_id, _read_pause(account), account.failures, account.last_success_at
            )
            for account in overview.list_zoom_accounts(session)
        ),
        budgets=_read_budgets(session, plan, now),
        workers=tuple(WorkerState(w.owner, w.started_at, w.seen_at) for w in workers),
        alarms=tuple(
            AlarmState(
                alarm.name, alarm.began_at, alarm.told_at, alarm.refused_at, facts=alarm.facts
            )
            for alarm in overview.list_alarms(session)
            if alarm.ended_at is None
        ),
    )


def name_problem(reason: str) -> str:
    """Return the class of the error that a job's reason begins with; one word for all others."""
    found = _CLASS.match(reason)
    return found.group() if found else "Other"


def _count_events(session: Session, events: list[Event], now: datetime) -> tuple[EventWork, ...]:
    begins = {event.id: _find_start(event, now) for event in events}
    starts = {event.id: begins[event.id] for event in events if begins[event.id] != event.starts_at}
    jobs_waiting = overview.list_waiting_jobs(
        session, starts=starts, but_for=kept_dates.WAITS, now=now
    )
    waiting = {jobs.event_id: jobs for jobs in jobs_waiting}
    paused = {row.event_id: row for row in zoom_pauses.list_paused_events(session)}
    accounts = zoom_pauses.list_paused_connections(session)
    unfollowed = overview.list_failing_jobs(
        session, date_following.JOB_KIND, before=now - DATES_UNKNOWN_AFTER
    )
    return tuple(
        _count_event(
            session,
            event,
            starts_at=begins[event.id],
            jobs=waiting.get(event.id),
            paused=paused.get(event.id),
            account=accounts.get(event.connection_id),
            unfollowed=unfollowed.get(event.id),
        )
        for event in events
    )


def _find_start(event: Event, now: datetime) -> datetime:
    """Return when the next date begins; the row may still have one that is over."""
    shown = find_next(read_dates(event), now)
    return shown.starts_at if shown else event.starts_at


def _count_event(
    session: Session,
    event: Event,
    *,
    starts_at: datetime,
    jobs: WaitingJobs | None,
    paused: ZoomEvent | None,
    account: ZoomAccount | None,
    unfollowed: Job | None,
) -> EventWork:
    deliveries = _count_deliveries(session, event)
    lacking = (Delivery.WAITING, Delivery.NEEDS_SETTING, Delivery.REFUSED)
    return EventWork(
        slug=event.slug,
        starts_at=starts_at,
        registered=deliveries.get(Delivery.REGISTERED, 0),
        waiting=jobs.count if jobs else 0,
        waiting_since=jobs.due_since if jobs else None,
        late=jobs.late if jobs else 0,
        needs_setting=deliveries.get(Delivery.NEEDS_SETTING, 0),
        refused=deliveries.get(Delivery.REFUSED, 0),
        without_link=sum(deliveries.get(delivery, 0) for delivery in lacking),
        pause=_read_pause(paused) if paused else None,
        account_pause=_read_pause(account) if account else None,
        dates_trouble=_read_trouble(unfollowed) if unfollowed else None,
        closed_by_zoom=event.closed_by_zoom,
        full_dates=len(list_full(event)),
    )


def _count_deliveries(session: Session, event: Event) -> Mapping[str, int]:
    """Count people; who keeps the dates that they had, and waits for one more, is registered."""
    found = Counter(overview.count_deliveries(session, event.id))
    if event.dates:
        kept = overview.count_on_kept_dates(session, event.id)
        found[Delivery.WAITING] -= kept
        found[Delivery.REGISTERED] += kept
    return found


def _read_pause(paused: ZoomAccount | ZoomEvent) -> Pause | None:
    if paused.paused_since is None:
        return None
    return Pause(paused.paused_since, paused.pause_problem, paused.pause_reason)


def _read_trouble(job: Job) -> Pause:
    return Pause(job.due_since or job.created_at, name_problem(job.reason), job.reason)


def _group_parked(parked: list[ParkedJobs]) -> tuple[Parked, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for jobs in parked:
        counts[jobs.kind, name_problem(jobs.problem)] += jobs.count
    return tuple(Parked(*which, count) for which, count in counts.most_common())


def _list_owed(session: Session, now: datetime) -> set[tuple[int, str | None]]:
    """Return which mails still tell people something before an event, by its id and their name.

    Nothing lies ahead of one that was cancelled, or has lost its last dates, but this very word.
    """
    return {
        (event.id, name)
        for event in overview.list_events_of_parked_mails(session)
        if now < get_planned_end(event)
        for name in MailName
        if holds_for_event(name, event, now=now)
    }


def _count_refusals(
    session: Session, is_ahead: set[int], owed: set[tuple[int, str | None]]
) -> tuple[int, ...]:
    runs: dict[datetime | None, set[str]] = {}
    for mail in overview.list_refused_mails(session, problem=_REFUSED):
        event_id = mail.event_id
        if event_id is None or event_id in is_ahead or (event_id, mail.mail_name) in owed:
            runs.setdefault(mail.taken_before, set()).add(mail.mailbox)
    return tuple(map(len, runs.values()))


def _read_budgets(session: Session, plan: Plan, now: datetime) -> tuple[BudgetLeft, ...]:
    """Read what each account in use has left by its own plan, which is `plan` where none is stored.

    Of two plans for one account the smaller holds.
    """
    plans: dict[str, Plan] = {}
    for account_id, stored in overview.list_plans(session):
        given = (Plan(stored or plan), plans.get(account_id, Plan.BUSINESS))
        plans[account_id] = min(given, key=list(Plan).index)
    budgets = overview.list_budgets(session, day=now.astimezone(UTC).date())
    used = {(budget.account_id, budget.name): budget.used_that_day for budget in budgets}
    return tuple(
        _measure_budget(account_id, label, plans[account_id], used.get((account_id, label), 0))
        for account_id in sorted(plans)
        for label in Label
    )


def _measure_budget(account_id: str, label: Label, plan: Plan, used: int) -> BudgetLeft:
    per_day = PER_DAY[plan].get(label)
    left = None if per_day is None else max(0, per_day - used)
    return BudgetLeft(account_id, label, PER_SECOND[plan][label], left)
