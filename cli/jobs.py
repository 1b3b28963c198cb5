"""`flask jobs`: work for Zoom and the mail server that waits or was put aside."""

from __future__ import annotations

import click

from storage import job_lists, zoom_pauses
from storage.models import Job
from views.site import get_site

from .groups import SiteGroup, echo_table

_STATES = ("parked", "ready", "running", "done")
_OPEN_STATES = ("parked", "ready", "running")
_WORDS = {"parked": "put aside", "ready": "waiting", "running": "running", "done": "done"}
_MOST = 200

# What to do about an error, mostly at Zoom; its class begins the reason of a job.
_HINTS = {
    "AuthenticationFailed": "check the app's credentials and that it is activated",
    "ScopeMissing": "add the scopes to the app in Zoom's marketplace, then retry",
    "HostNotFound": "the host is no user of this Zoom account",
    "HostNotAllowed": "the host's plan or settings forbid it: look in Zoom",
    "MeetingNotFound": "the meeting is gone, or belongs to another account",
    "WrongKind": "a meeting was turned into a webinar, or the reverse",
    "RegistrationDisabled": "registration is off in Zoom: flask event publish sets it",
    "MeetingOver": "the meeting is over",
    "AtCapacity": "Zoom has no place left: raise the limit there, then retry",
    "HostCannotRegister": "the host needs no registration: they start the meeting",
    "AlreadyPanelist": "the person has a panelist's link from Zoom",
    "WorkEmailRequired": "Zoom wants the work address that was invited",
    "ZoomAccountRequired": "Zoom wants an address with a Zoom account",
    "ValidationFailed": "Zoom does not take a value: ask the person for another one",
    "PersonDayLimited": "Zoom's limit for this person: it goes on tomorrow (UTC)",
    "BudgetSpent": "the plan's limit of calls: it goes on by itself",
    "GivenUp": "the worker failed at it again and again: see its log, then retry",
    "AccountDayLimited": "Zoom's limit for the account: it goes on tomorrow (UTC)",
}


@click.group("jobs", cls=SiteGroup)
def jobs_group() -> None:
    """See and steer the work that waits for Zoom or the mail server."""


@jobs_group.command("list")
@click.option("--state", type=click.Choice(_STATES), help="By default all but what is done.")
def list_jobs(state: str | None) -> None:
    """Show what waits, what runs, and what was put aside with its reason."""
    site = get_site()
    states = (state,) if state else _OPEN_STATES
    with site.database.read() as session:
        found = job_lists.list_jobs(session, states=states, limit=_MOST)
        rows = [
            (job.id, job.key, _WORDS[job.state], job.attempts, _write_next(job), explain(job))
            for job in found
        ]
    echo_table(("ID", "WORK", "STATE", "TRIES", "NEXT TRY (UTC)", "REASON"), rows)
    if len(found) == _MOST:
        click.echo(f"These are the first {_MOST}.")


@jobs_group.command("retry")
@click.argument("job_id", type=int)
def retry(job_id: int) -> None:
    """Do a job now that waits or was put aside."""
    site = get_site()
    with site.database.write() as session:
        if not job_lists.retry(session, job_id, now=site.read_clock()):
            raise click.ClickException(f"There is no job {job_id} that waits or was put aside.")
        zoom_pauses.hasten_probes(session, now=site.read_clock())
    click.echo(f"Job {job_id} is due now.")


@jobs_group.command("drop")
@click.argument("job_id", type=int)
def drop(job_id: int) -> None:
    """Never do a job; what it was for stays undone."""
    with get_site().database.write() as session:
        if not job_lists.drop(session, job_id):
            raise click.ClickException(f"There is no job {job_id} that could be dropped.")
    click.echo(f"Job {job_id} is dropped.")


def get_hint(reason: str) -> str | None:
    """Say what helps against the error whose class a reason begins with."""
    return _HINTS.get(reason.partition(":")[0])


def explain(job: Job) -> str:
    """Say why a job waits, and what helps."""
    hint = get_hint(job.reason)
    return f"{hint} ({job.reason})" if hint else job.reason


def _write_next(job: Job) -> str:
    return f"{job.run_at:%Y-%m-%d %H:%M:%S}" if job.state == "ready" else ""
