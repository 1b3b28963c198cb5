"""`flask jobs`: work for Zoom and the mail server that waits or was put aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NoReturn

import click

from services.idle_pauses import needs_look
from services.overview import name_problem
from services.restoring import HELD
from services.retrying import retry_harmless
from storage import events, job_lists, zoom_pauses
from storage.job_requests import ZOOM_SETTLE
from storage.models import Job, JobState
from views.site import get_site

from .groups import SiteGroup, echo_table, need_event

_WORDS = {
    JobState.PARKED: "put aside",
    JobState.READY: "waiting",
    JobState.RUNNING: "running",
    JobState.DONE: "done",
}
_OPEN_STATES = tuple(state for state in _WORDS if state is not JobState.DONE)
_MOST = 200
_FEW = 20
_HEADINGS = ("WORK", "EVENT", "RECEIPT", "STATE", "TRIES", "NEXT TRY (UTC)", "REASON")

# What to do about an error of Zoom or the mail server; its class begins the reason of a job.
_HINTS = {
    "ZoomUnreachable": "Zoom or the way to it is down: it goes on by itself",
    "ZoomOutcomeUnknown": "Zoom answers badly or too late: it goes on by itself",
    "AuthenticationFailed": "check the app's credentials and that it is activated",
    "ScopeMissing": "add the scopes to the app in Zoom's marketplace, then retry",
    "HostNotFound": "the host is no user of this Zoom account",
    "HostNotAllowed": "the host's plan or settings forbid it: look in Zoom",
    "MeetingNotFound": "the meeting is gone, or belongs to another account",
    "WrongKind": "a meeting was turned into a webinar, or the reverse",
    "RegistrationDisabled": "registration is off in Zoom: flask event publish sets it",
    "EverybodyRefused": "Zoom refuses whoever comes: look at the meeting and its account in Zoom",
    "CopyForPractice": "this site is a copy for practice; flask go-live makes it the site itself",
    "MeetingOver": "at Zoom the meeting is over: correct its time there, then flask event publish",
    "AtCapacity": "Zoom has no place left: raise the limit there, then flask event publish",
    "KeepsDates": "Zoom has no place on a further date: they have the link of those that they had",
    "HostCannotRegister": "the host needs no registration: they start the meeting",
    "AlreadyPanelist": "the person has a panelist's link from Zoom",
    "WorkEmailRequired": "Zoom wants the work address that was invited",
    "ZoomAccountRequired": "Zoom wants an address with a Zoom account",
    "ValidationFailed": "Zoom does not take a value: ask the person for another one",
    "PersonDayLimited": "Zoom's limit for this person: it goes on tomorrow (UTC)",
    "BudgetSpent": "the plan's limit of calls: it goes on by itself",
    "MailOutcomeUnknown": "perhaps it never went: look in the mail server's log, then retry",
    "OperationalError": "the database was away, locked or full: it goes on by itself",
    "GivenUp": "the worker failed at it again and again: see its log, then retry",
    "AccountDayLimited": "Zoom's limit for the account: it goes on tomorrow (UTC)",
    "HostDayLimited": "Zoom's limit for the host: it goes on tomorrow (UTC)",
    "MailUnavailable": "the mail server is away or takes no mail from here: once it does, retry",
    "StillAtZoom": "erased while the event was over: flask event reconcile shows who is at Zoom"
    " alone; remove them there, then retry",
    "MailRefused": "the mail server refused this recipient or mail: mend what it says, then retry",
    "HeldBack": "a restore held it back: flask mails list, then flask mails send or drop",
}


@click.group("jobs", cls=SiteGroup)
def jobs_group() -> None:
    """See and steer the work that waits for Zoom or the mail server."""


@jobs_group.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState]),
    help="By default all but what is done.",
)
@click.option("--event", "slug", help="Only the jobs of one event.")
def list_jobs(state: str | None, slug: str | None) -> None:
    """Show what waits, what runs, and what was put aside with its reason."""
    site = get_site()
    states = (state,) if state else _OPEN_STATES
    with site.database.read() as session:
        event_id = need_event(session, slug).id if slug else None
        counts = job_lists.count_jobs(session, states=states, event_id=event_id)
        found = job_lists.list_jobs(session, states=states, event_id=event_id, limit=_MOST)
        subjects = job_lists.list_subjects(session, found)
        probes = zoom_pauses.list_next_probes(session)
        rows = [(job.key, *subjects[job.id], *_write_job(job, probes)) for job in found]
    if sum(count for *_, count in counts) > _FEW:
        _echo_counts(counts)
    echo_table(_HEADINGS, rows)
    if len(found) == _MOST:
        click.echo(f"These are the first {_MOST}.")


@jobs_group.command("retry")
@click.argument("key", required=False)
@click.option("--all", "is_all", is_flag=True, help="Retry all that were put aside.")
@click.option("--event", "slug", help="With --all: only those of one event.")
@click.option("--reason", help="With --all: only those with this class of error.")
def retry(key: str | None, is_all: bool, slug: str | None, reason: str | None) -> None:
    """Do a job now that waits or was put aside; KEY is its WORK in the list, zoom:12.

    What somebody has to decide on is not among all, but may be named: mails that may have been
    sent already, people whom Zoom had no place for, and erased ones who may still be there. Mails
    that a restore held back are sent by flask mails send alone.
    """
    if is_all == bool(key) or (slug or reason) and not is_all:
        raise click.UsageError("Name one job, or --all with --event or --reason.")
    _refuse_held(reason or "")
    site = get_site()
    now = site.read_clock()
    with site.database.write() as session:
        if key:
            job = job_lists.get_job(session, key)
            _refuse_held(job.reason if job else "")
            if job is None or not job_lists.retry(session, key, now=now):
                raise click.ClickException(f"There is no job {key} that waits or was put aside.")
            if job.event_id is not None:
                # Where Zoom refuses everybody, this job shows whether it does so still.
                zoom_pauses.hasten_probes(
                    session, event_id=job.event_id, but_for=zoom_pauses.EVERYBODY, now=now
                )
            words = f"Job {key} is due now."
        else:
            event_id = need_event(session, slug).id if slug else None
            if reason:
                count = job_lists.retry_parked(session, event_id=event_id, problem=reason, now=now)
            else:
                count = retry_harmless(session, event_id, now=now)
            words = f"{count} jobs are due now."
            left = job_lists.count_jobs(session, states=(JobState.PARKED,), event_id=event_id)
            if left and not reason:
                words += f" {sum(count for *_, count in left)} need a decision: flask jobs list"
            zoom_pauses.hasten_probes(session, event_id=event_id, now=now)
    click.echo(words)


@jobs_group.command("drop")
@click.argument("key")
def drop(key: str) -> None:
    """Never do a job; what it was for stays undone. KEY is its WORK in the list.

    Mails that a restore held back are dropped by flask mails drop alone, and what looks whether an
    event that stands still can go on is kept as long as it does.
    """
    site = get_site()
    with site.database.write() as session:
        job = job_lists.get_job(session, key)
        _refuse_held(job.reason if job else "")
        event_id = job.event_id if job and job.kind == ZOOM_SETTLE.kind else None
        if not job_lists.drop(session, key):
            raise click.ClickException(f"There is no job {key} that could be dropped.")
        if event_id is not None and needs_look(session, event_id, now=site.read_clock()):
            _refuse_look(key, events.need_event(session, event_id).slug)
    click.echo(f"Job {key} is dropped.")


def _refuse_held(reason: str) -> None:
    """Name the way on for a mail whose own state says so.

    Tried again a worker would put it aside again, and without its job nothing would tell of it.
    """
    if reason.partition(":")[0] == HELD.partition(":")[0]:
        raise click.ClickException(f"Nothing is done: {get_hint(reason)}.")


def _refuse_look(key: str, slug: str) -> NoReturn:
    raise click.ClickException(
        f"Nothing is dropped: event {slug} stands still at Zoom, and this look alone finds out when"
        " it can go on; workers would ask for it again within a minute. It is over by itself once"
        f" the event is. Mend what flask status says, then flask jobs retry {key}; or flask event"
        f" cancel {slug}, which tells everybody."
    )


def get_hint(reason: str) -> str | None:
    """Say what helps against the error whose class a reason begins with."""
    return _HINTS.get(reason.partition(":")[0])


def explain(job: Job) -> str:
    """Say why a job waits, and what helps."""
    hint = get_hint(job.reason)
    return f"{hint} ({job.reason})" if hint else job.reason


def _write_job(job: Job, probes: Mapping[int, datetime]) -> tuple[object, ...]:
    return _WORDS[JobState(job.state)], job.attempts, _write_next_try(job, probes), explain(job)


def _write_next_try(job: Job, probes: Mapping[int, datetime]) -> str:
    """Say when a job is done next; where Zoom's queue stands still, that is not its own hour."""
    if job.state != JobState.READY:
        return ""
    probe_at = probes.get(job.event_id or 0) if job.kind.startswith("zoom.") else None
    if probe_at is None:
        return f"{job.run_at:%Y-%m-%d %H:%M:%S}"
    return f"{max(job.run_at, probe_at):%Y-%m-%d %H:%M:%S}, when Zoom's pause ends"


def _echo_counts(counts: Sequence[tuple[str, str, str, int]]) -> None:
    """Print how many there are for each reason, before the long list."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for kind, state, reason, count in counts:
        sums[kind, _WORDS[JobState(state)], name_problem(reason) if reason else ""] += count
    echo_table(
        ("JOBS", "KIND", "STATE", "REASON"), [(count, *of) for of, count in sums.most_common()]
    )
    click.echo()
