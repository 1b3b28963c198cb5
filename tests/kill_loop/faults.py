"""What may happen in a round: each is named, and does one thing at a random moment."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from .rig import Rig

Injection = Callable[[Rig, random.Random], None]

LONGEST_WAIT = 0.5
"""Seconds after the first people have begun; most of them are done by then."""

PLACES = (
    *("before_commit", "after_commit"),
    *("after_claim", "before_zoom", "after_zoom", "before_status", "before_save_link"),
    *("before_mail", "after_mail"),
)


def list_faults(*, has_cluster: bool) -> dict[str, Injection]:
    """List by name what may happen on a kind of database."""
    at_places = {f"killed at {place}": _kill_at(place) for place in PLACES}
    return at_places | AT_ANY_TIME | (ON_POSTGRESQL if has_cluster else {})


def _kill_at(place: str) -> Injection:
    return lambda rig, _: rig.arm(f"{place}:kill")


def kill_web_child(rig: Rig, dice: random.Random) -> None:
    _wait(dice)
    if children := rig.list_children("web"):
        _kill(dice.choice(children))


def kill_web(rig: Rig, dice: random.Random) -> None:
    """Kill the process that looks after those which answer pages."""
    _wait(dice)
    _kill(rig.find("web"))


def kill_worker(rig: Rig, dice: random.Random) -> None:
    _wait(dice)
    _kill(rig.find(dice.choice(("worker-1", "worker-2"))))


def kill_both_workers(rig: Rig, dice: random.Random) -> None:
    _wait(dice)
    for name in ("worker-1", "worker-2"):
        _kill(rig.find(name))


def kill_sandbox(rig: Rig, dice: random.Random) -> None:
    _wait(dice)
    _kill(rig.find("sandbox"))


def lose_an_answer_of_zoom(rig: Rig, dice: random.Random) -> None:
    operation = dice.choice(("add_registrant", "add_batch", "set_status", "get_registrant"))
    rig.zoom.fault(operation, does="close", when=dice.choice(("before", "after")))


def lose_an_answer_of_the_mail_server(rig: Rig, _: random.Random) -> None:
    rig.post_box.cuts = 1


def kill_backend(rig: Rig, dice: random.Random) -> None:
    """Kill a process of the database outright; it then ends all others and recovers."""
    _wait(dice)
    with rig.without_database():
        found = _ask(rig, "SELECT pid FROM pg_stat_activity WHERE datname = 'site'")
        if found:
            _kill(dice.choice(found))
        time.sleep(0.2)


def crash_database(rig: Rig, dice: random.Random) -> None:
    assert rig.cluster is not None
    _wait(dice)
    with rig.without_database():
        rig.cluster.stop("immediate")
        time.sleep(dice.uniform(0, 0.5))
        rig.cluster.start()


def cut_connections(rig: Rig, dice: random.Random) -> None:
    _wait(dice)
    with rig.without_database():
        _ask(
            rig,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = 'site' AND pid <> pg_backend_pid()",
        )


AT_ANY_TIME: dict[str, Injection] = {
    "web child killed": kill_web_child,
    "web killed": kill_web,
    "worker killed": kill_worker,
    "both workers killed": kill_both_workers,
    "Zoom killed": kill_sandbox,
    "Zoom's answer lost": lose_an_answer_of_zoom,
    "mail server's answer lost": lose_an_answer_of_the_mail_server,
}
ON_POSTGRESQL: dict[str, Injection] = {
    "database's process killed": kill_backend,
    "database crashed": crash_database,
    "connections cut": cut_connections,
}


def _wait(dice: random.Random) -> None:
    time.sleep(dice.uniform(0, LONGEST_WAIT))


def _kill(number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def _ask(rig: Rig, statement: str) -> list[int]:
    assert rig.cluster is not None
    with psycopg.connect(rig.cluster.make_url("postgres"), autocommit=True) as connection:
        return [number for (number,) in connection.execute(statement.encode())]
