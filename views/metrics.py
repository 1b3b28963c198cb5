"""`/metrics`: counts for Prometheus, read from the database, so that any process tells the same.

The format is Prometheus' text format 0.0.4 (its documentation of exposition formats, read on
2026-11-27).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import SQLAlchemyError

from config import LOOPBACK
from services.overview import Overview, read_overview
from storage.disks import measure_fullest
from zoom_client import Plan

from .site import get_site

bp = Blueprint("metrics", __name__)

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")

Labels = Mapping[str, str]


@dataclass
class Gauge:
    """One number, or one for each set of labels; all of ours may fall as well as rise."""

    name: str
    meaning: str
    samples: list[tuple[Labels, float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        self.samples.append((labels, value))


@bp.get("/metrics")
def show_metrics() -> Response:
    """Show what waits; there is no such page for strangers."""
    if not _may_read():
        abort(404)
    site = get_site()
    try:
        with site.database.read() as session:
            overview = read_overview(
                session, plan=Plan(site.settings.zoom_plan), now=site.read_clock()
            )
    except SQLAlchemyError:
        # A full disk may well be why.
        down = Gauge("database_up", "Whether the database answers.", [({}, 0)])
        return Response(write_gauges([down, _measure_disk()]), content_type=MEDIA_TYPE)
    gauges = [*list_gauges(overview), _measure_disk()]
    return Response(write_gauges(gauges), content_type=MEDIA_TYPE)


def list_gauges(overview: Overview) -> Iterator[Gauge]:
    """Turn an overview into numbers, with the slugs of events that are not over as labels."""
    yield Gauge("database_up", "Whether the database answers.", [({}, 1)])
    yield Gauge("workers_alive", "Workers seen in the last minute.", [({}, len(overview.workers))])
    yield from _count_events(overview)
    parked = Gauge("jobs_parked", "Jobs put aside until somebody looks, by class of error.")
    for jobs in overview.parked:
        parked.add(jobs.count, kind=jobs.kind, reason=jobs.problem)
    yield parked
    failing = Gauge("jobs_failing", "Jobs beside Zoom's and mails that fail, nobody foresaw why.")
    for work in overview.work.failing:
        failing.add(work.count, kind=work.kind, reason=work.problem)
    yield failing
    yield from _count_mails(overview)
    yield from _count_zoom(overview)
    alarms = Gauge("alarm", "1 for each alarm that is on.")
    for alarm in overview.alarms:
        alarms.add(1, name=alarm.name)
    yield alarms


def write_gauges(gauges: list[Gauge]) -> str:
    """Write the text format; a gauge without samples is left out."""
    lines = []
    for gauge in gauges:
        name = f"uketsuke_{gauge.name}"
        if gauge.samples:
            lines += [f"# HELP {name} {gauge.meaning}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_write_labels(labels)} {value}" for labels, value in gauge.samples]
    return "\n".join(lines) + "\n"


def _may_read() -> bool:
    """Tell whether the caller is this machine itself, or has the token."""
    token = get_site().settings.metrics_token
    sent = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
        return True
    # What a proxy on this machine passes on comes from anywhere.
    original = request.environ.get("werkzeug.proxy_fix.orig", {})
    peer = original.get("REMOTE_ADDR") or request.remote_addr
    is_passed_on = any(name in request.headers for name in _PROXY_HEADERS)
    return peer in LOOPBACK and not is_passed_on


def _measure_disk() -> Gauge:
    site = get_site()
    fill = measure_fullest(site.database, site.settings.instance)
    meaning = (
        "How full the disk of the instance folder is, or that of SQLite's file if that is fuller,"
        " on the machine that was asked."
    )
    return Gauge("disk_used_ratio", meaning, [({}, fill.percent / 100)])


def _count_events(overview: Overview) -> Iterator[Gauge]:
    waiting = Gauge("registrations_waiting", "Registrations that Zoom does not have as they are.")
    oldest = Gauge("oldest_waiting_seconds", "For how long the first of them has waited.")
    registered = Gauge("registrations_registered", "Registrations that Zoom has.")
    unset = Gauge("registrations_needing_setting", "Registrations that a setting at Zoom holds up.")
    refused = Gauge("registrations_refused", "Registrations that Zoom refuses.")
    lacking = Gauge("registrations_without_link", "Registrations without a join link.")
    closed = Gauge("form_closed_by_zoom", "1 for each event for which Zoom takes nobody more.")
    for event in overview.events:
        waiting.add(event.waiting, event=event.slug)
        oldest.add(_age(overview, event.waiting_since), event=event.slug)
        registered.add(event.registered, event=event.slug)
        unset.add(event.needs_setting, event=event.slug)
        refused.add(event.refused, event=event.slug)
        lacking.add(event.without_link, event=event.slug)
        if event.closed_by_zoom:
            closed.add(1, event=event.slug, reason=event.closed_by_zoom)
    yield from (waiting, oldest, registered, unset, refused, lacking, closed)


def _count_mails(overview: Overview) -> Iterator[Gauge]:
    mails = Gauge("mails", "Mails that should have gone, that go later, and that failed.")
    mails.add(overview.mails.due, state="due")
    mails.add(overview.mails.later, state="later")
    mails.add(overview.count_failed_mails(), state="failed")
    yield mails
    oldest = Gauge("oldest_mail_seconds", "For how long the first mail has been due.")
    oldest.add(_age(overview, overview.mails.due_since))
    yield oldest


def _count_zoom(overview: Overview) -> Iterator[Gauge]:
    known = {state.account_id for state in overview.accounts}
    known |= {budget.account_id for budget in overview.budgets}
    numbers = {account_id: str(number) for number, account_id in enumerate(sorted(known), 1)}
    left = Gauge("zoom_budget_left", "Calls left of this day (UTC), by account and Zoom's label.")
    for budget in overview.budgets:
        if budget.left is not None:
            left.add(budget.left, account=numbers[budget.account_id], label=budget.label)
    yield left
    succeeded = Gauge("zoom_last_success_timestamp_seconds", "When Zoom last did what was asked.")
    paused = Gauge("zoom_paused", "1 while nobody is sent to Zoom.")
    for account in overview.accounts:
        number = numbers[account.account_id]
        if account.last_success_at is not None:
            succeeded.add(account.last_success_at.timestamp(), account=number)
        paused.add(int(account.pause is not None), account=number)
    yield from (succeeded, paused)


def _age(overview: Overview, since: datetime | None) -> float:
    if since is None:
        return 0.0
    return round(max(0.0, (overview.taken_at - since).total_seconds()), 1)


def _write_labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{pairs}}}"
