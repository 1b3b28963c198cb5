"""Looking at an account of Zoom before it is relied on: what the app may do, and who can host.

Everything here asks Zoom and stores nothing; no transaction may be open meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from zoom_client import (
    HostNotAllowed,
    Kind,
    ScopeMissing,
    User,
    ZoomClient,
    ZoomError,
    describe_scope,
    find_missing_scopes,
)

MOST_HOSTS = 100
MOST_USERS = 3_000
"""So many are looked through for a licensed one: ten pages of Zoom's list."""

MOST_HOSTS_TRIED = 3


class Task(StrEnum):
    """What the site does at Zoom, each with the scopes of its calls."""

    SET_UP = "set_up"
    REGISTER = "register"
    BATCH = "batch"
    LOOK_UP = "look_up"
    ANSWERS = "answers"
    PICK = "pick"
    CREATE = "create"
    DATES = "dates"
    HOSTS = "hosts"
    ATTENDANCE = "attendance"


_CALLS: dict[Task, tuple[str, ...]] = {
    Task.SET_UP: ("get_meeting", "update_meeting"),
    Task.REGISTER: ("add_registrant", "set_registrant_status"),
    Task.BATCH: ("add_registrants",),
    Task.LOOK_UP: ("list_registrants", "get_registrant"),
    Task.ANSWERS: ("get_questions", "update_questions"),
    Task.PICK: ("list_meetings",),
    Task.CREATE: ("create_meeting",),
    Task.DATES: ("delete_registrant",),
    Task.HOSTS: ("list_users", "get_user"),
    Task.ATTENDANCE: ("list_instances", "list_participants"),
}
_OPTIONAL = (Task.ATTENDANCE,)

CALLS = tuple(call for calls in _CALLS.values() for call in calls)
"""What the site asks of an account at Zoom, by the names of the client's methods."""

NEEDED_CALLS = tuple(
    call for task, calls in _CALLS.items() if task not in _OPTIONAL for call in calls
)
"""Those of them that an app should have the scopes for; the others only add something."""


@dataclass(frozen=True)
class Scope:
    """One permission: its granular name, and the classic one that holds it too."""

    name: str
    classic: str
    is_granted: bool


@dataclass(frozen=True)
class TaskFinding:
    """One thing that the site does, for one kind of event, and what it needs for that."""

    task: Task
    kind: Kind
    scopes: tuple[Scope, ...]

    @property
    def is_optional(self) -> bool:
        return self.task in _OPTIONAL

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(scope.name for scope in self.scopes if not scope.is_granted)


class Webinars(StrEnum):
    """Whether the account has the add-on, as far as its hosts could be asked."""

    HAD = "had"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Host:
    email: str
    name: str
    is_licensed: bool


@dataclass(frozen=True)
class Preflight:
    """What was found. `hosts` is None where the app may not list them or Zoom did not answer.

    `has_more_users`: the account is so large that not all were looked through.
    """

    findings: tuple[TaskFinding, ...]
    hosts: tuple[Host, ...] | None
    webinars: Webinars
    has_more_users: bool = False

    @property
    def has_licensed_host(self) -> bool:
        return any(host.is_licensed for host in self.hosts or ())

    def list_missing(self, kind: Kind) -> list[TaskFinding]:
        """List what lacks a permission that an app should have; the optional ones stay out."""
        return [
            found
            for found in self.findings
            if found.kind is kind and found.missing and not found.is_optional
        ]


def look_at_account(client: ZoomClient) -> Preflight:
    """Ask for a new token and say what it opens, then look for hosts as far as it lets us.

    Raises:
        ZoomError: there is no token; `AuthenticationFailed` where the credentials are refused.
    """
    granted = client.scopes()
    hosts, has_more_users = _list_hosts(client)
    return Preflight(
        findings=tuple(_find_scopes(granted)),
        hosts=hosts,
        webinars=_look_for_webinars(client, hosts or ()),
        has_more_users=has_more_users,
    )


def _find_scopes(granted: Collection[str]) -> Iterator[TaskFinding]:
    for kind in Kind:
        for task, calls in _CALLS.items():
            if task is Task.HOSTS and kind is not Kind.MEETING:
                continue  # Users are of no kind.
            yield TaskFinding(
                task,
                kind,
                tuple(
                    Scope(
                        *describe_scope(call, kind),
                        is_granted=not find_missing_scopes(granted, kind, (call,)),
                    )
                    for call in calls
                ),
            )


def _list_hosts(client: ZoomClient) -> tuple[tuple[Host, ...] | None, bool]:
    """List the first users, with the first licensed one wherever it stands; and if there are more.

    Most of a large account have no licence, and Zoom lists them in an order of its own.
    """
    users = client.list_users()
    try:
        found = list(islice(users, MOST_HOSTS))
        if not any(user.is_licensed for user in found):
            others = islice(users, MOST_USERS - MOST_HOSTS)
            found += islice((user for user in others if user.is_licensed), 1)
        has_more = next(users, None) is not None
    except ZoomError:
        return None, False
    return tuple(_describe(user) for user in found), has_more


def _describe(user: User) -> Host:
    name = " ".join(part for part in (user.first_name, user.last_name) if part)
    return Host(user.email, name, is_licensed=user.is_licensed)


def _look_for_webinars(client: ZoomClient, hosts: Collection[Host]) -> Webinars:
    """Have some hosts' webinars listed: Zoom refuses that where the add-on is missing."""
    outcome = Webinars.UNKNOWN
    for host in [host for host in hosts if host.is_licensed][:MOST_HOSTS_TRIED]:
        try:
            next(client.list_meetings(Kind.WEBINAR, host.email), None)
        except ScopeMissing:
            return Webinars.UNKNOWN
        except HostNotAllowed:
            outcome = Webinars.MISSING
        except ZoomError:
            continue
        else:
            return Webinars.HAD
    return outcome
