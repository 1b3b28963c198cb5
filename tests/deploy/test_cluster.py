"""Many processes behind nginx on one PostgreSQL: restarted or killed while people come."""

import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from sqlalchemy import select, text

from services.keys import KeyRing
from services.links import Links
from services.tokens import TokenSigner
from storage.models import Mail
from tests import factories
from tests.faults.crowd import Crowd, FilledIn
from tests.faults.journals import check, gather, read_copy
from tests.fixtures.databases import SECRET, open_database
from tests.installation import ROOT, Installation, find_free_port, wait_until
from tests.mailbox import Mailbox, find_link
from tests.page import Visitor
from tests.people import TARO
from zoom_sandbox import SandboxSettings
from zoom_sandbox.server import SandboxServer

SCRIPT = ROOT / "deploy" / "cluster.sh"
PEOPLE_AT_ONCE = 3
THINKING_SECONDS = 0.3
NEW = b"a new secret that nobody has used before"

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.slow,  # leases and the two looks of a walk take minutes
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux's /proc is missing"),
    pytest.mark.skipif(
        not (shutil.which("nginx") and shutil.which("curl")),
        reason="nginx or curl is missing: apt-get install nginx-light curl",
    ),
]


class Cluster(Installation):
    """What `deploy/cluster.sh` runs."""

    def __init__(self, folder, url, zoom):
        ports = find_free_port()
        super().__init__(
            folder,
            FIRST_PORT=str(ports),
            UKETSUKE_DATABASE_URL=url,
            UKETSUKE_SECRET_KEY_FILE=str(folder / "secrets"),
            UKETSUKE_FORM_MIN_SECONDS="0",
            UKETSUKE_RATE_LIMITS="off",
            UKETSUKE_DEMO="on",  # mails are files
            UKETSUKE_ZOOM_ACCOUNT_ID="sandbox-account",
            UKETSUKE_ZOOM_CLIENT_ID="sandbox-client",
            UKETSUKE_ZOOM_CLIENT_SECRET="sandbox-secret",
            UKETSUKE_ZOOM_API_URL=f"{zoom.url}/v2",
            UKETSUKE_ZOOM_OAUTH_URL=zoom.url,
        )
        self.fault, self.secrets = folder / "fault", folder / "secrets"
        self.secrets.write_bytes(SECRET)
        self.environ |= {
            "UKETSUKE_BASE_URL": self.url,
            "UKETSUKE_FAULT_POINT": f"@{self.fault}",
        }
        self.run_folder = Path(self.environ["UKETSUKE_INSTANCE"]) / "cluster"
        self.mailbox = Mailbox(Path(self.environ["UKETSUKE_INSTANCE"]) / "mailbox")
        self.zoom = zoom
        self.database = open_database(url)

    def do(self, command):
        with (self.folder / "script.err").open("ab") as err:
            done = subprocess.run(
                [SCRIPT, command], env=self.environ, stdout=subprocess.PIPE, stderr=err, timeout=240
            )
        assert done.returncode == 0, self.read("script.err")
        return done.stdout.decode()

    def has_work(self):
        """Tell whether anything is left to do, but for words of delay much later."""
        waits = text(
            "SELECT count(*) FROM job WHERE state IN ('ready', 'running')"
            " AND run_at < now() + interval '3 minutes'"
        )
        with self.database.read() as session:
            return session.scalar(waits)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, postgresql_databases):
    url = postgresql_databases.make_migrated()
    with SandboxServer(SandboxSettings()) as zoom:
        made = Cluster(tmp_path_factory.mktemp("cluster"), url, zoom)
        with made.database.write() as session:
            factories.make_event_at_zoom(session, zoom.control, now=read_now(), slug="spring")
        try:
            assert "4 web processes and 3 workers answer" in made.do("start")
            yield made
            assert made.do("stop") == "All have ended.\n"
            wait_until(lambda: made.list_processes() == {}, seconds=20)
        finally:
            made.kill()
            made.database.dispose()
    postgresql_databases.drop(url)


def read_now():
    return datetime.now(UTC)


def test_second_start_is_refused_and_changes_nothing(cluster):
    before = cluster.do("status")
    done = subprocess.run([SCRIPT, "start"], env=cluster.environ, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (1, "") and "It runs already" in done.stderr
    assert cluster.do("status") == before and "does not run" not in before
    assert requests.get(f"{cluster.url}/healthz", timeout=10).ok


def test_start_that_fails_leaves_nothing_behind(cluster, tmp_path):
    """The port is taken, so nginx does not start when all the others have."""
    environ = cluster.environ | {
        "UKETSUKE_INSTANCE": str(tmp_path / "instance"),
        "FIRST_PORT": str(find_free_port()),
        "WEBS": "1",
    }
    done = subprocess.run([SCRIPT, "start"], env=environ, capture_output=True, text=True)

    assert done.returncode == 1 and "Address already in use" in done.stderr
    again = subprocess.run([SCRIPT, "status"], env=environ, capture_output=True, text=True)
    assert again.stdout == "Nothing runs.\n"


class StrictPeople:
    """People who register one after the other; nobody tries anything a second time."""

    def __init__(self, cluster, name):
        self.crowd = Crowd(cluster.url)
        self._url = cluster.url
        self.failures = []
        self._name = name
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._register, args=(number,))
            for number in range(PEOPLE_AT_ONCE)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _register(self, number):
        count = 0
        while not self._is_over.is_set():
            person = TARO | {"email": f"{self._name}-{number}-{count}@example.com"}
            count += 1
            try:
                with closing(Visitor(self._url)) as visitor:
                    form = visitor.open("/e/spring").form().fill(**person)
            except (AssertionError, requests.RequestException) as error:
                self.failures.append(f"the form: {error!r:.300}")
                continue
            answer = self.crowd.send(FilledIn(person["email"], form.action, form.fields))
            if answer.receipt is None:
                self.failures.append(f"{answer.email}: {answer.text[:300]}")
            time.sleep(THINKING_SECONDS)


def check_journals(cluster, answers, in_doubt):
    keys = KeyRing([SECRET])
    check(
        gather(
            cluster.database,
            cluster.zoom.control,
            Links(cluster.url, TokenSigner(keys)),
            answers=answers,
            copies=[read_copy(mail) for mail in cluster.mailbox.list_mails()],
            in_doubt=in_doubt,
            now=read_now(),
        )
    )


def list_mails_asked_for(cluster):
    with cluster.database.read() as session:
        return session.scalars(select(Mail.message_id)).all()


def kill_one_after_the_other(cluster, rounds):
    for round_ in range(rounds):
        kind = ("web", "worker")[round_ % 2]
        number = random.choice(sorted(cluster.find_processes(kind)))
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        time.sleep(0.7)
    wait_until(lambda: "does not run" not in cluster.do("status"))


def cut_off_after_the_commit(cluster):
    """End a process that has stored a form and answered nothing: nginx asks another one."""
    cluster.fault.write_text("after_commit:kill")
    wait_until(lambda: not cluster.fault.exists())
    time.sleep(0.5)


def restart_all(cluster):
    before = cluster.find_processes("web") | cluster.find_processes("worker")
    assert cluster.do("restart") == "All were restarted, one after the other.\n"
    after = cluster.find_processes("web") | cluster.find_processes("worker")
    assert len(after) == 4 * 2 + 3 and after.isdisjoint(before)


def test_nobody_notices_that_processes_end(cluster):
    """One test, since what workers left behind when they were killed is taken up a minute later."""
    with StrictPeople(cluster, "cut") as cut:
        cut_off_after_the_commit(cluster)
    with StrictPeople(cluster, "kill") as killed:
        kill_one_after_the_other(cluster, rounds=8)
    asked = list_mails_asked_for(cluster)
    wait_until(lambda: not cluster.has_work(), seconds=300)
    answers = cut.crowd.answers + killed.crowd.answers
    check_journals(cluster, answers, in_doubt=asked)
    with StrictPeople(cluster, "added") as added, keep_form_open(cluster) as send_form:
        exchange_secrets(cluster, SECRET, NEW)
    with StrictPeople(cluster, "in-front") as in_front:
        exchange_secrets(cluster, NEW, SECRET)
    everybody = (cut, killed, added, in_front)

    assert [people.failures for people in everybody] == [[]] * 4
    assert all(people.crowd.answers for people in everybody)
    assert send_form().receipt is not None, "a form from before both steps is taken"
    for people in everybody:
        for answer in people.crowd.answers[::10]:
            assert requests.get(cluster.url + answer.receipt, timeout=10).status_code == 200
    mails = [mail for mail in cluster.mailbox.list_mails() if mail["To"].startswith("cut-0-")]
    assert {requests.get(find_link(mail, "r"), timeout=10).status_code for mail in mails} == {200}
    check_logs(cluster, answers)


def exchange_secrets(cluster, *secrets):
    """Have each process started anew, with other secrets, the newest first."""
    cluster.secrets.write_bytes(b",".join(secrets))
    restart_all(cluster)


@contextmanager
def keep_form_open(cluster):
    """Open a form now, to be sent later by the function that is handed out."""
    with closing(Visitor(cluster.url)) as visitor:
        form = visitor.open("/e/spring").form().fill(**TARO)
    crowd = Crowd(cluster.url)
    yield lambda: crowd.send(FilledIn(str(TARO["email"]), form.action, form.fields))


def check_logs(cluster, answers):
    """No log of nginx holds what opens a page."""
    requests.get(f"{cluster.url}{answers[0].receipt}?code=123456", timeout=10)
    requests.get(f"{cluster.url}{answers[0].receipt}", timeout=10)
    logs = cluster.run_folder.glob("nginx*.log")
    written = "".join(file.read_text() for file in logs)
    assert "GET /s/..." in written
    assert answers[0].receipt not in written and "123456" not in written
    assert not re.search(r"/[a-z]/[a-z][\w-]{44}", written)
