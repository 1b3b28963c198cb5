"""`flask status`: what waits, what stands still, and what to do about it, on one screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import groupby

import click
from sqlalchemy.exc import SQLAlchemyError

from services.alarms import AlarmName, find_problems
from services.overview import AlarmState, Overview, Pause, read_overview
from storage.disks import FILLING_PERCENT, Fill, measure_fullest
from storage.overview import has_published_event
from views.site import Site, get_site
from zoom_client import Plan

from .check import MAKE_ROOM, START_WORKER, describe_refusal, explain_silence
from .groups import AppCommand, echo_table, need_schema
from .jobs import get_hint
from .rehearsals import describe_rehearsal

# The other alarms are needs of their own, that do not wait for half an hour.
_ALARMS = {
    AlarmName.ZOOM_WAITING: "registrations have waited for Zoom for half an hour or longer",
    AlarmName.NEEDS_SETTING: "a setting at Zoom has to be changed: flask jobs list says which",
    AlarmName.LINK_TOO_LATE: "links will come after the start: add these people by hand in Zoom",
    AlarmName.STARTING_SOON: "people have no link shortly before the start: flask jobs list says"
    " why; if there is no time, add them by hand in Zoom",
    AlarmName.DATES_UNKNOWN: "Zoom has not told the dates of a series for half a day: flask jobs"
    " list says why",
    AlarmName.WORK_FAILING: "work fails again and again, and nobody foresaw why: flask jobs list"
    " names it, the worker's log says why (“job failed”); once mended, flask jobs retry KEY",
    AlarmName.MAIL_WAITING: "mails have waited for half an hour or longer: flask jobs list says"
    " why, flask check asks the mail server",
    AlarmName.MAIL_REFUSED: "the mail server has refused one recipient after another, and taken no"
    " mail in between: flask jobs list --state parked says what it answers",
}
_MOST_EVENTS = 30
_HEADINGS = ("EVENT", "STARTS (UTC)", "WAITING", "SINCE (UTC)")
_MORE_HEADINGS = ("REGISTERED", "NEEDS SETTING", "REFUSED", "WITHOUT LINK")


@click.command("status", cls=AppCommand)
@click.option("--json", "is_json", is_flag=True, help="For programs.")
def status_command(is_json: bool) -> None:
    """Show what waits and what stands still; exit with 1 if somebody has to do something."""
    site = get_site()
    try:
        overview = _read(site)
    except SQLAlchemyError as error:
        down = {"database": "down"}
        said = json.dumps(down) if is_json else f"database  DOWN: {explain_silence(site, error)}"
        click.echo(said)
        raise SystemExit(1) from error
    fill = measure_fullest(site.database, site.settings.instance)
    refusal = describe_refusal(site)
    needs = [*_list_own_needs(site, overview, refusal), *_list_stored_needs(overview, fill)]
    if is_json:
        document = {"needs": needs, "disk_percent": fill.percent, **asdict(overview)}
        click.echo(json.dumps(document, default=datetime.isoformat, ensure_ascii=False, indent=2))
    else:
        answers = "answers, and KEEPS NOTHING" if refusal else "answers"
        _print(overview, fill, database=f"{answers}: {site.database.place}")
        _print_needs(needs)
    if needs:
        raise SystemExit(1)


def _list_own_needs(site: Site, overview: Overview, refusal: str) -> Iterator[str]:
    """Say what is amiss where the command runs, and not to be read in the database."""
    if rehearsal := describe_rehearsal(site):
        yield rehearsal
    if refusal:
        # Workers may well run: no sign of life is kept either.
        yield f"the database {refusal}"
    elif not overview.workers:
        yield f"no worker is running: {START_WORKER}"
    with site.database.read() as session:
        missing = site.settings.list_missing() if has_published_event(session) else []
    if missing:
        yield (
            f"not set here: {', '.join(missing)}; workers that lack them send no mails, and links "
            "may lead nowhere"
        )


def _list_stored_needs(overview: Overview, fill: Fill) -> Iterator[str]:
    """Say what somebody has to do, the most urgent first."""
    if fill.percent >= FILLING_PERCENT:
        yield f"the disk of {fill.folder} is {fill.percent} % full: {MAKE_ROOM}"
    if any(alarm.refused_at for alarm in overview.alarms):
        yield (
            "the mail server refuses mails to UKETSUKE_OPERATOR_EMAIL: the log says why, as “the"
            " operator was not told”; they are tried again every hour"
        )
    for account in overview.accounts:
        if account.pause:
            yield f"Zoom account {account.account_id}: {_write_pause(account.pause)}"
    for event in overview.events:
        if event.pause:
            yield f"event {event.slug}: {_write_pause(event.pause)}"
        if event.closed_by_zoom:
            dates = f" for dates: {event.full_dates}" if event.full_dates else ""
            yield f"event {event.slug}: the form is closed{dates}: {get_hint(event.closed_by_zoom)}"
    for problem in find_problems(overview):
        if problem.name in _ALARMS:
            facts = ", ".join(f"{name}: {value}" for name, value in problem.facts.items())
            yield f"{_ALARMS[problem.name]} ({facts})"
    for parked in overview.parked:
        hint = get_hint(parked.problem) or "flask jobs list --state parked shows the reason"
        yield f"{parked.count} put aside ({parked.kind}, {parked.problem}): {hint}"


def _read(site: Site) -> Overview:
    need_schema(site)
    plan = Plan(site.settings.zoom_plan)
    with site.database.read() as session:
        return read_overview(session, plan=plan, now=site.read_clock())


def _print(overview: Overview, fill: Fill, *, database: str) -> None:
    click.echo(f"{overview.taken_at:%Y-%m-%d %H:%M:%S} UTC\n")
    mails = overview.mails
    rows: list[tuple[str, str]] = [("database", database)]
    since = ", ".join(_write_time(worker.started_at) for worker in overview.workers)
    count = len(overview.workers)
    rows.append(("workers", f"{count} alive, since {since}" if count else "NONE"))
    for account in overview.accounts:
        state = "PAUSED" if account.pause else "in use"
        if account.failures and not account.pause:
            state = f"{account.failures} failures in a row"
        answered = _write_time(account.last_success_at) or "never"
        rows.append(("Zoom", f"account {account.account_id}: {state}, last success {answered}"))
    rows += [("Zoom's limits", limits) for limits in _list_limits(overview)]
    oldest = f", the first since {_write_time(mails.due_since)}" if mails.due_since else ""
    failed = overview.count_failed_mails()
    rows.append(("mails", f"{mails.due} waiting{oldest}; {mails.later} for later; {failed} failed"))
    rows.append(("disk", f"{fill.percent} % full: {fill.folder}"))
    for alarm in overview.alarms:
        began = _write_time(alarm.began_at)
        rows.append(("alarm", f"{alarm.name} since {began}, {_write_telling(alarm)}"))
    for label, text in rows:
        click.echo(f"{label:14}{text}")
    _print_events(overview)


def _list_limits(overview: Overview) -> Iterator[str]:
    for account_id, budgets in groupby(overview.budgets, key=lambda budget: budget.account_id):
        limits = ", ".join(
            f"{budget.label} {budget.per_second}"
            + (f" ({budget.left} left today)" if budget.left is not None else "")
            for budget in budgets
        )
        yield f"account {account_id}, calls per second: {limits}"


def _print_events(overview: Overview) -> None:
    click.echo()
    shown = overview.events[:_MOST_EVENTS]
    rows = [
        (
            *(event.slug, _write_time(event.starts_at), event.waiting),
            *(_write_time(event.waiting_since), event.registered, event.needs_setting),
            *(event.refused, event.without_link),
        )
        for event in shown
    ]
    if rows:
        echo_table((*_HEADINGS, *_MORE_HEADINGS), rows)
    else:
        click.echo("No published event lies ahead.")
    if len(shown) < len(overview.events):
        click.echo(f"These are the next {_MOST_EVENTS} of {len(overview.events)}.")


def _print_needs(needs: list[str]) -> None:
    click.echo("\nNobody has to do anything." if not needs else "\nSomebody has to look:")
    for need in needs:
        click.echo(f"  {need}")


def _write_pause(pause: Pause) -> str:
    hint = get_hint(pause.problem)
    why = f"{hint} ({pause.reason})" if hint else pause.reason
    return f"paused since {_write_time(pause.since)}: {why}"


def _write_telling(alarm: AlarmState) -> str:
    if alarm.refused_at:
        return f"REFUSED by the mail server {_write_time(alarm.refused_at)}"
    return f"told {_write_time(alarm.told_at)}" if alarm.told_at else "not told yet"


def _write_time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
