"""Writers of one process on SQLite: whose turn it is, and who shares a commit with whom."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as QueueTimeout

from storage import patience, write_queue
from storage.models import RateBucket
from storage.statements import Statement
from tests.fixtures.databases import only_sqlite
from tests.installation import ROOT, wait_until

pytestmark = only_sqlite
SECONDS = 20.0


class Writers:
    """Threads that stand in the queue in the order in which they were added.

    The first one is in the middle of its turn until `finish`, so that the others have to wait.
    """

    def __init__(self, database) -> None:
        self.database = database
        self.order: list[str] = []
        self.done: dict[str, Future[None]] = {}
        self.go_on = threading.Event()
        self._threads = ThreadPoolExecutor(20)

    def add(self, name, work: Callable = lambda session: None, *, is_brief=True):
        queue, is_first = self.database._write_queue, not self.done
        before = queue.count_waiting()
        self.done[name] = self._threads.submit(self._write, name, work, is_brief, is_first)
        wait_until(lambda: self.order if is_first else queue.count_waiting() == before + 1)

    def _write(self, name, work, is_brief, is_first):
        with self.database.write(is_brief=is_brief) as session:
            self.order.append(name)
            add_bucket(session, name)
            if is_first:
                assert self.go_on.wait(SECONDS)
            work(session)

    def finish(self):
        """Return by name what came of each: "stored", or an error."""
        self.go_on.set()
        outcomes = {n: done.exception(SECONDS) or "stored" for n, done in self.done.items()}
        self._threads.shutdown()
        assert not self.database._write_queue.is_taken
        return outcomes


@pytest.fixture
def writers(database):
    return Writers(database)


@pytest.fixture
def ends(database):
    """What ended each transaction, in their order."""
    heard = []

    def hear(statement):
        if statement in ("COMMIT", "ROLLBACK"):
            heard.append(statement)

    @event.listens_for(database._writer, "connect")
    def listen(connection, _record):
        connection.set_trace_callback(hear)

    return heard


def add_bucket(session, name):
    session.execute(insert(RateBucket).values(name=name, full_at=0))


def list_buckets(database):
    with database.read() as session:
        return set(session.scalars(select(RateBucket.name)))


def add_many(session, repeat=20):
    """Change more pages than SQLite would keep in memory of what it may have to take back."""
    rows = [{"name": f"{number}" * repeat, "full_at": 0} for number in range(2_000)]
    session.execute(insert(RateBucket), rows)


def test_brief_writers_share_a_commit_in_the_order_in_which_they_came(writers, database, ends):
    names = ["a", "b", "c", "d", "e"]
    for name in names:
        writers.add(name)

    assert writers.finish() == dict.fromkeys(names, "stored")
    assert writers.order == names
    assert list_buckets(database) == set(names)
    assert ends == ["COMMIT"]


def test_others_share_no_commit_and_are_not_overtaken(writers, database, ends):
    for name in ("a", "b", "LONG", "c", "d"):
        writers.add(name, is_brief=name != "LONG")

    assert set(writers.finish().values()) == {"stored"}
    assert writers.order == ["a", "b", "LONG", "c", "d"]
    assert ends == ["COMMIT"] * 3


def test_brief_writer_does_not_join_one_that_is_not(writers, ends):
    writers.add("LONG", is_brief=False)
    writers.add("a")

    assert set(writers.finish().values()) == {"stored"}
    assert ends == ["COMMIT"] * 2


def test_only_so_many_share_a_commit(writers, database, ends):
    for number in range(write_queue.MOST_AT_ONCE + 1):
        writers.add(str(number))

    assert set(writers.finish().values()) == {"stored"}
    assert len(list_buckets(database)) == write_queue.MOST_AT_ONCE + 1
    assert ends == ["COMMIT"] * 2


@pytest.mark.parametrize("failing", ["a", "b", "c"])
@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_one_that_fails_takes_back_what_is_its_own(writers, database, failing, error):
    def stop(_session):
        raise error

    for name in ("a", "b", "c"):
        writers.add(name, stop if name == failing else lambda session: None)
    outcomes = writers.finish()

    assert isinstance(outcomes.pop(failing), error)
    assert set(outcomes.values()) == {"stored"}
    assert list_buckets(database) == {"a", "b", "c"} - {failing}


def test_statement_that_fails_is_told_to_whose_it_is(writers, database):
    writers.add("a")
    writers.add("b", lambda session: add_bucket(session, "a"))
    writers.add("c")
    outcomes = writers.finish()

    assert isinstance(outcomes.pop("b"), IntegrityError)
    assert set(outcomes.values()) == {"stored"}
    assert list_buckets(database) == {"a", "c"}


def test_who_fails_may_have_seen_what_others_did_and_waits_until_it_is_kept(database, writers):
    seen = []

    def fail():
        try:
            with database.write(is_brief=True) as session:
                assert session.get(RateBucket, "a")
                raise ZeroDivisionError
        except ZeroDivisionError:
            seen.append(list_buckets(database))

    writers.add("a")
    refused = threading.Thread(target=fail)
    refused.start()
    wait_until(lambda: database._write_queue.count_waiting() == 1)
    writers.add("c")
    writers.finish()
    refused.join(SECONDS)

    assert seen == [{"a", "c"}]


def test_pages_are_known_to_have_changed_once_all_is_committed(writers, database):
    seen = []
    writers.add("a")
    writers.add("b", lambda _: seen.append(database.changes))
    writers.finish()

    assert seen == [0] and database.changes == 2


def refuse(_session):
    raise ZeroDivisionError


def break_commit(session):
    """Have COMMIT fail, and no statement before it."""
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    values = "(-1, 1, '[]', '2026-01-01')"
    columns = "(event_id, number, questions, created_at)"
    session.execute(text(f"INSERT INTO form_version {columns} VALUES {values}"))


@pytest.mark.parametrize("breaking", ["a", "b", "c"])
def test_commit_that_fails_is_told_to_all_who_share_it(writers, database, breaking):
    for name in ("a", "b", "c"):
        writers.add(name, break_commit if name == breaking else lambda session: None)
    errors = writers.finish()

    assert {str(error.orig) for error in errors.values()} == {"FOREIGN KEY constraint failed"}
    assert {type(error) for error in errors.values()} == {IntegrityError}
    assert len({id(error) for error in errors.values()}) == 3, "each raises one of their own"
    assert list_buckets(database) == set()
    with database.write() as session:
        add_bucket(session, "later")
    assert list_buckets(database) == {"later"}


def test_who_was_refused_beside_a_commit_that_fails_may_try_again(writers):
    """What they were refused for was perhaps never kept."""
    writers.add("a", break_commit)
    writers.add("b", refuse)

    assert isinstance(writers.finish()["b"], IntegrityError)


@contextmanager
def no_room(database):
    """Let the file not grow any more, which SQLite takes as it takes a full disk."""

    @event.listens_for(database._writer, "checkout")
    def limit(connection, _record, _proxy):
        connection.execute("PRAGMA max_page_count = 1")

    yield
    event.remove(database._writer, "checkout", limit)

    @event.listens_for(database._writer, "checkout")
    def free(connection, _record, _proxy):
        connection.execute("PRAGMA max_page_count = 1000000")


def test_full_disk_at_which_sqlite_rolls_back_is_told_to_all(writers, database):
    with no_room(database):
        writers.add("a")
        writers.add("b", add_many)
        writers.add("c")
        outcomes = writers.finish()

    assert str(outcomes["b"].orig) == "database or disk is full"
    assert isinstance(outcomes["a"], OperationalError)
    assert outcomes["c"] == "stored", "they began anew"
    assert list_buckets(database) == {"c"}


@pytest.mark.parametrize("passing", ["a", "b"])
def test_error_of_a_full_disk_that_was_passed_over_keeps_nobody_by_halves(
    writers, database, passing
):
    def pass_over(session):
        with pytest.raises(OperationalError, match="full"):
            add_many(session)

    with no_room(database):
        for name in ("a", "b", "c"):
            writers.add(name, pass_over if name == passing else lambda session: None)
        outcomes = writers.finish()

    assert isinstance(outcomes[passing], RuntimeError if passing == "a" else OperationalError)
    stored = {name for name, outcome in outcomes.items() if outcome == "stored"}
    assert list_buckets(database) == stored == {"b", "c"} - {passing}


def test_nothing_that_might_be_taken_back_goes_to_a_temporary_file(writers):
    """The folder of temporary files may be full."""
    files = []

    def look(session):
        add_many(session)
        folder = Path("/proc/self/fd")
        files.extend(os.readlink(file) for file in folder.iterdir() if file.is_symlink())

    writers.add("a", lambda session: add_many(session, 21))
    writers.add("b", look)

    assert set(writers.finish().values()) == {"stored"}
    assert files and not [name for name in files if "etilqs" in name]


def test_much_that_might_be_taken_back_fills_no_memory(database):
    places = []
    for is_brief in (True, False):
        with database.write(is_brief=is_brief) as session:
            places.append(session.scalar(text("PRAGMA temp_store")))

    in_memory, by_default = 2, 0
    assert places == [in_memory, by_default]


def test_who_waits_too_long_is_told_and_holds_nobody_up(writers, database, monkeypatch):
    monkeypatch.setattr(write_queue, "WRITE_QUEUE_SECONDS", 1.0)
    writers.add("a")
    writers.add("b")
    wait_until(lambda: writers.done["b"].done())
    assert database._write_queue.count_waiting() == 0
    monkeypatch.setattr(write_queue, "WRITE_QUEUE_SECONDS", SECONDS)
    writers.add("c")
    outcomes = writers.finish()

    assert isinstance(outcomes.pop("b"), QueueTimeout)
    assert set(outcomes.values()) == {"stored"}
    assert list_buckets(database) == {"a", "c"}


def test_what_may_be_left_out_waits_little_and_leaves_the_queue(writers, database, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.05)
    writers.add("a")

    with pytest.raises(QueueTimeout), database.write_if_possible() as session:
        add_bucket(session, "b")

    assert database._write_queue.count_waiting() == 0
    assert writers.finish() == {"a": "stored"}
    with database.write_if_possible() as session:
        add_bucket(session, "c")
    assert list_buckets(database) == {"a", "c"}


def test_who_waits_too_long_for_a_shared_commit_is_told_and_holds_nobody_up(
    writers, database, monkeypatch
):
    is_mended = threading.Event()
    writers.add("a")
    writers.add("b", lambda _: is_mended.wait(SECONDS))
    with monkeypatch.context() as patch:
        patch.setattr(write_queue, "WRITE_QUEUE_SECONDS", 0.05)
        writers.go_on.set()
        assert isinstance(writers.done["a"].exception(SECONDS / 2), QueueTimeout)
    writers.add("c")
    is_mended.set()
    outcomes = writers.finish()

    assert isinstance(outcomes.pop("a"), QueueTimeout)
    assert set(outcomes.values()) == {"stored"}
    assert list_buckets(database) == {"a", "b", "c"}, "they had done their part, and may ask again"


class LateSignal:
    """Gives up waiting in the very moment in which it is signalled."""

    def __init__(self):
        self._lock = threading.Lock()
        self.is_late = False

    def acquire(self, timeout=-1):
        has_come = self._lock.acquire(timeout=SECONDS)
        return has_come and (timeout == -1 or not self.is_late)

    def release(self):
        self._lock.release()


@pytest.mark.parametrize("is_brief", [True, False])
def test_who_gives_up_as_they_are_called_commits_what_others_did(
    writers, database, monkeypatch, is_brief
):
    """Brief, they are handed a transaction; else they are called to begin one."""
    make_turn = write_queue._Turn

    def make_late_turn(is_brief):
        turn = make_turn(is_brief)
        turn.signal = LateSignal()
        turn.signal.acquire()
        turn.signal.is_late = True
        return turn

    writers.add("a")
    with monkeypatch.context() as patch:
        patch.setattr(write_queue, "_Turn", make_late_turn)
        writers.add("b", is_brief=is_brief)
    writers.add("c")
    outcomes = writers.finish()

    assert isinstance(outcomes.pop("b"), QueueTimeout)
    assert set(outcomes.values()) == {"stored"}
    assert list_buckets(database) == {"a", "c"}


KILLED = """
import os, signal, sys, threading, time
from tests.fixtures.databases import open_database
from tests.storage.test_write_queue import add_bucket

database = open_database(sys.argv[1])
is_handed_on = threading.Event()

def write(name, work):
    with database.write(is_brief=True) as session:
        add_bucket(session, name)
        work()
    print(name, "is stored", flush=True)

def wait_for_another():
    print("begun", flush=True)
    while not database._write_queue.count_waiting():
        time.sleep(0.001)

def die():
    print("handed on", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

first = threading.Thread(target=write, args=("a", wait_for_another))
first.start()
while not database._write_queue.is_taken:
    time.sleep(0.001)
write("b", die)
"""


def test_killed_before_the_shared_commit_nobody_was_promised_anything(database_url, database):
    command = [sys.executable, "-c", KILLED, database_url]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert killed.stdout.split("\n") == ["begun", "handed on", ""]
    assert list_buckets(database) == set()
    with database.write() as session:
        add_bucket(session, "later")
    assert list_buckets(database) == {"later"}


def test_interrupted_while_waiting_leaves_the_queue(writers, database, monkeypatch):
    """As by Ctrl+C, which comes to the main thread while it waits."""
    writers.add("a")

    class Interrupted(write_queue._Turn):
        def __init__(self, is_brief):
            super().__init__(is_brief)
            self.signal = self

        def acquire(self, *, timeout):
            assert database._write_queue.count_waiting() == 1
            raise KeyboardInterrupt

    monkeypatch.setattr(write_queue, "_Turn", Interrupted)
    with pytest.raises(KeyboardInterrupt), database.write(is_brief=True) as session:
        add_bucket(session, "b")

    assert database._write_queue.count_waiting() == 0
    assert writers.finish() == {"a": "stored"}
    assert list_buckets(database) == {"a"}


def test_connection_that_is_closed_holds_nobody_up(writers, database):
    """Whatever goes wrong as the transaction is handed on, the next one begins their own."""
    writers.add("a", lambda session: session.pooled.driver_connection.close())
    writers.add("b")
    writers.add("c")

    outcomes = writers.finish()

    assert outcomes.pop("a") != "stored"
    assert outcomes == {"b": "stored", "c": "stored"}
    assert list_buckets(database) == {"b", "c"}


def test_who_was_refused_by_what_was_lost_is_not_told_the_refusal(writers, database, monkeypatch):
    nothing = Statement(lambda _: text("ROLLBACK TO nothing"))
    monkeypatch.setattr(write_queue, "_ROLLBACK_TO", nothing)

    def refuse(session):
        assert session.get(RateBucket, "a")
        raise KeyError

    writers.add("a")
    writers.add("b", refuse)

    assert isinstance(writers.finish()["b"], OperationalError)
    assert list_buckets(database) == set()
