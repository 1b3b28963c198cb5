"""What the operator has to know: what is wrong, and whether they were told already.

Each problem has one row, so that of many workers on many machines only one reports it, and only
once: again after a day, or when it comes back. A message that could not be sent stays due.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import alarms
from storage.heartbeats import CLOCKS_DIFFER_BY
from storage.job_requests import ZOOM_SYNC
from storage.models import Alarm
from storage.overview import MAILS
from zoom_client import ScopeMissing, ZoomOutcomeUnknown, ZoomUnreachable

from .overview import EventWork, Overview, Pause

PATIENCE = timedelta(minutes=30)
"""For so long Zoom or the mail server may be away before the operator hears of it."""

BEFORE_START = timedelta(minutes=30)
# Whoever registers just now has no link yet, and nobody has to do anything about it.
_LINK_COMES_WITHIN = timedelta(minutes=2)
# What is asked for by a form shows at its submission, and after a day nobody waits for it.
_MAILS = tuple(kind for kind in MAILS if kind != "proof_mail")
# Mails that nobody has refused, put aside after a day or after a second try whose end is unknown.
_PERHAPS_NEVER_WENT = ("MailOutcomeUnknown", "MailUnavailable", "GivenUp")
# One or two have mistyped their address.
_MANY_REFUSED = 3
# What becomes of these shows at their person or mail, or has an alarm of its own.
_SEEN_ELSEWHERE = (ZOOM_SYNC.kind, *MAILS)

REPEAT_AFTER = timedelta(days=1)
ENDS_TOLD_FOR = timedelta(days=1)
UNCONFIRMED_AFTER = timedelta(hours=1)
"""What was wrong on one machine is over, or the machine gone, if nobody has seen it for so long."""
TELLING_LEASE = timedelta(seconds=90)

_SCOPE = re.compile(r"[a-z_]+(?::[a-z_]+)+")


class AlarmName(StrEnum):
    ZOOM_WAITING = "zoom_waiting"
    NEEDS_SETTING = "needs_setting"
    LINK_TOO_LATE = "link_too_late"
    STARTING_SOON = "starting_soon"
    DATES_UNKNOWN = "dates_unknown"
    MAIL_WAITING = "mail_waiting"
    MAIL_REFUSED = "mail_refused"
    MAIL_GIVEN_UP = "mail_given_up"
    WORK_FAILING = "work_failing"
    WORK_GIVEN_UP = "work_given_up"
    NO_WORKER = "no_worker"
    DISK_FILLING = "disk_filling"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong now; `facts` are counts, classes of errors and scopes, never names.

    Lists in them are words with commas between: `work` has kinds of jobs. `since` is in ISO 8601.
    `place` tells what is wrong on one machine from the same on another one.
    """

    name: AlarmName
    facts: Mapping[str, object]
    place: str = ""

    @property
    def key(self) -> str:
        return f"{self.name}:{self.place}" if self.place else str(self.name)


@dataclass(frozen=True)
class Change:
    """An alarm that began, goes on for another day, or is over."""

    key: str
    is_over: bool
    began_at: datetime
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Telling:
    """One message for the operator, held by one process until it is sent."""

    key: str
    message_id: str
    began_at: datetime
    ended_at: datetime | None
    facts: Mapping[str, object]
    is_doubtful: bool

    @property
    def name(self) -> AlarmName:
        return AlarmName(self.key.partition(":")[0])


def find_problems(overview: Overview) -> list[Problem]:
    """Decide what of an overview the operator has to know."""
    now = overview.taken_at
    events = overview.events
    waiting = [e for e in events if e.waiting_since and now - e.waiting_since >= PATIENCE]
    unset = [
        e
        for e in events
        if e.needs_setting
        or e.pause
        or e.closed_by_zoom
        or (e.waiting and _needs_somebody(e.account_pause))
    ]
    late = [e for e in events if e.late]
    begins = [e for e in events if now >= e.starts_at - BEFORE_START]
    soon = [e for e in begins if e.without_link and _is_stuck(e, now)]
    problems = [
        _describe(AlarmName.ZOOM_WAITING, waiting, sum(e.waiting for e in waiting)),
        _describe(AlarmName.NEEDS_SETTING, unset, sum(e.without_link for e in unset)),
        _describe(AlarmName.LINK_TOO_LATE, late, sum(e.late for e in late)),
        _describe(AlarmName.STARTING_SOON, soon, sum(e.without_link for e in soon)),
    ]
    mails = overview.mails
    if mails.due_since and now - mails.due_since >= PATIENCE:
        problems.append(Problem(AlarmName.MAIL_WAITING, {"mails": mails.due}))
    problems += [_find_refusals(overview), _find_lost_mails(overview)]
    problems += [_find_failing_work(overview), _find_lost_work(overview)]
    problems.append(_find_unfollowed(events))
    if not overview.workers:
        problems.append(Problem(AlarmName.NO_WORKER, {}))
    return [problem for problem in problems if problem is not None]


def keep_alarms(session: Session, problems: Iterable[Problem], *, now: datetime) -> list[Change]:
    """Store what is wrong now and what is over; return the changes, to be logged once.

    What was wrong on one machine is over once it was not seen for an hour: whoever looks does not
    see it elsewhere, several machines may have one name, and one that is gone never looks again.
    What only a newer version knows of is left to its processes: this one sees neither that it is
    wrong nor that it is over.
    """
    found = {problem.key: problem for problem in problems}
    stored = _forget_ended(session, alarms.lock_alarms(session), now)
    changes = []
    for key, problem in found.items():
        alarm = stored.get(key)
        if alarm is not None and problem.place:
            alarm.confirmed_at = now
        is_news = (
            alarms.add_alarm(session, key, facts=problem.facts, message_id=_new_id(), now=now)
            if alarm is None
            else _go_on(alarm, problem, now)
        )
        if is_news:
            began_at = alarm.began_at if alarm else now
            changes.append(Change(key, False, began_at, problem.facts))
    for key, alarm in stored.items():
        if not _is_known(key):
            if _is_left_behind(alarm, now):
                alarms.delete_alarm(session, key)
            continue
        if key in found or alarm.ended_at is not None or _is_told_now(alarm, now):
            continue
        if _was_given_up(alarm, found):
            alarms.delete_alarm(session, key)
            continue
        is_of_machine = ":" in key
        if not is_of_machine or _is_unconfirmed(alarm, now):
            _end(session, alarm, now)
            changes.append(Change(key, True, alarm.began_at, alarm.facts))
    return changes


def take_telling(session: Session, *, now: datetime) -> Telling | None:
    """Take the next message for the operator, for 90 seconds."""
    names = [str(name) for name in AlarmName]
    alarm = alarms.take_untold(session, names, until=now + TELLING_LEASE, now=now)
    if alarm is None:
        return None
    return Telling(
        key=alarm.name,
        message_id=alarm.message_id,
        began_at=alarm.began_at,
        ended_at=alarm.ended_at,
        facts=alarm.facts,
        is_doubtful=alarm.is_doubtful,
    )


def _describe(name: AlarmName, events: list[EventWork], people: int) -> Problem | None:
    if not events:
        return None
    pauses = [pause for e in events for pause in (e.account_pause, e.pause) if pause]
    closed = {event.closed_by_zoom for event in events if event.closed_by_zoom}
    facts: dict[str, int | str] = {"registrations": people, "events": len(events)}
    return Problem(name, facts | _explain(pauses, closed))


def _explain(pauses: list[Pause], closed: Set[str] = frozenset()) -> dict[str, int | str]:
    reasons = {pause.problem for pause in pauses} | closed
    scopes = {scope for pause in pauses for scope in _find_scopes(pause)}
    found = (("reason", reasons), ("scopes", scopes))
    return {label: ", ".join(sorted(words)) for label, words in found if words}


def _find_unfollowed(events: Iterable[EventWork]) -> Problem | None:
    troubles = [event.dates_trouble for event in events if event.dates_trouble]
    if not troubles:
        return None
    facts: dict[str, int | str] = {"events": len(troubles)}
    return Problem(AlarmName.DATES_UNKNOWN, facts | _explain(troubles))


def _find_scopes(pause: Pause) -> list[str]:
    """Return the scopes that Zoom's words name, as `meeting:write:registrant:admin`."""
    return _SCOPE.findall(pause.reason) if pause.problem == ScopeMissing.__name__ else []


def _find_refusals(overview: Overview) -> Problem | None:
    runs = [count for count in overview.refusals if count >= _MANY_REFUSED]
    return Problem(AlarmName.MAIL_REFUSED, {"recipients": sum(runs)}) if runs else None


def _find_lost_mails(overview: Overview) -> Problem | None:
    found = [
        parked
        for parked in overview.parked
        if parked.kind in _MAILS and parked.problem in _PERHAPS_NEVER_WENT
    ]
    if not found:
        return None
    facts: dict[str, int | str] = {
        "mails": sum(parked.count for parked in found),
        "reason": ", ".join(sorted({parked.problem for parked in found})),
    }
    return Problem(AlarmName.MAIL_GIVEN_UP, facts)


def _find_failing_work(overview: Overview) -> Problem | None:
    """Find what has failed for half an hour.

    Told once, it is over when it is done: what fails anew or was not tried yet, as somebody has
    asked for it by hand, is not.
    """
    stored = {alarm.name: alarm.facts for alarm in overview.alarms}
    before = stored.get(AlarmName.WORK_FAILING, {})
    told = _list_work(before)
    found = [
        work
        for work in overview.work.failing
        if work.kind in told or (work.since and overview.taken_at - work.since >= PATIENCE)
    ]
    open_yet = told & set(overview.work.untried)
    if not found and open_yet:
        return Problem(AlarmName.WORK_FAILING, before)
    if not found:
        return None
    facts: dict[str, int | str] = {
        "jobs": sum(work.count for work in found),
        "work": ", ".join(sorted({work.kind for work in found} | open_yet)),
        "reason": ", ".join(sorted({work.problem for work in found})),
        "times": max(work.times for work in found),
    }
    if begun := [work.since for work in found if work.since]:
        facts["since"] = min(begun).isoformat()
    return Problem(AlarmName.WORK_FAILING, facts)


def _find_lost_work(overview: Overview) -> Problem | None:
    found = [parked for parked in overview.parked if parked.kind not in _SEEN_ELSEWHERE]
    if not found:
        return None
    kinds = {parked.kind for parked in found}
    facts: dict[str, int | str] = {
        "jobs": sum(parked.count for parked in found),
        "work": ", ".join(sorted(kinds)),
    }
    return Problem(AlarmName.WORK_GIVEN_UP, facts)


def _is_stuck(event: EventWork, now: datetime) -> bool:
    """Tell whether somebody has no link who should have had it by now."""
    since = event.waiting_since
    has_waited = since is not None and now - since >= _LINK_COMES_WITHIN
    return has_waited or bool(event.needs_setting or event.refused)


def _needs_somebody(pause: Pause | None) -> bool:
    """Tell whether an account stands still until somebody mends it; an event never does else."""
    return pause is not None and pause.problem not in (
        ZoomUnreachable.__name__,
        ZoomOutcomeUnknown.__name__,
    )


def _go_on(alarm: Alarm, problem: Problem, now: datetime) -> bool:
    """Update an alarm that is known already; return whether to report it again."""
    if _is_told_now(alarm, now):
        return False
    if alarm.ended_at is not None:
        # It is back before anybody heard that it was over.
        alarm.ended_at, alarm.message_id, alarm.refused_at = None, "", None
    is_more = bool(_list_work(problem.facts) - _list_work(alarm.facts))
    alarm.facts = dict(problem.facts)
    if (is_more or _was_told_long_ago(alarm, now)) and not alarm.message_id:
        alarm.message_id = _new_id()
        return True
    return False


def _was_given_up(alarm: Alarm, found: Mapping[str, Problem]) -> bool:
    """Tell whether work fails no more because nobody tries it any more: that is no end."""
    given_up = found.get(AlarmName.WORK_GIVEN_UP)
    is_failing = alarm.name == AlarmName.WORK_FAILING
    return is_failing and bool(given_up and _list_work(alarm.facts) & _list_work(given_up.facts))


def _list_work(facts: Mapping[str, object]) -> set[str]:
    """Return the kinds of jobs that facts name."""
    return set(str(facts.get("work", "")).split(", ")) - {""}


def _was_told_long_ago(alarm: Alarm, now: datetime) -> bool:
    """Tell whether to tell again; when it was told by a clock of the future, nobody knows."""
    told_at = alarm.told_at
    if told_at is None:
        return False
    return now - told_at >= REPEAT_AFTER or told_at > now + CLOCKS_DIFFER_BY


def _forget_ended(session: Session, stored: Mapping[str, Alarm], now: datetime) -> dict[str, Alarm]:
    """Delete what has been over for a day, told or not, and return the others.

    No process may have the operator's address any more; and what is wrong by then is another time.
    """
    kept = {}
    for key, alarm in stored.items():
        ended_at = alarm.ended_at
        is_old = ended_at is not None and abs(now - ended_at) >= ENDS_TOLD_FOR
        if is_old and _is_known(key) and not _is_told_now(alarm, now):
            alarms.delete_alarm(session, key)
        else:
            kept[key] = alarm
    return kept


def _is_known(key: str) -> bool:
    return key.partition(":")[0] in set(AlarmName)


def _is_left_behind(alarm: Alarm, now: datetime) -> bool:
    """Tell whether nobody is left who knows an alarm: it would have been told again by now."""
    last = alarm.told_at or alarm.began_at
    return abs(now - last) >= REPEAT_AFTER + UNCONFIRMED_AFTER


def _is_unconfirmed(alarm: Alarm, now: datetime) -> bool:
    seen_at = alarm.confirmed_at
    if seen_at is None or seen_at > now + CLOCKS_DIFFER_BY:
        # An older version did not note it, or a clock that was set back since.
        alarm.confirmed_at = now
        return False
    return now - seen_at >= UNCONFIRMED_AFTER


def _end(session: Session, alarm: Alarm, now: datetime) -> None:
    if alarm.told_at is None and not alarm.is_doubtful:
        # Whoever never heard of it need not hear that it is over.
        alarms.delete_alarm(session, alarm.name)
        return
    alarm.ended_at = now
    alarm.message_id = _new_id()
    alarm.is_doubtful = False


def _is_told_now(alarm: Alarm, now: datetime) -> bool:
    """Tell whether somebody is sending a message about it: then it is left alone."""
    lease = alarm.lease_until
    return bool(alarm.message_id) and lease is not None and now < lease <= now + TELLING_LEASE


def _new_id() -> str:
    return secrets.token_hex(16)
