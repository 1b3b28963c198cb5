"""F20: PostgreSQL restarts, drops connections, ends transactions, is full or stalls."""

import os
import signal
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from services.access_links import LinkPurpose, add_link
from services.codes import CODE_TRIES
from services.members import Role
from storage import migrate, organizations, session
from storage.pg_connections import ImpatientConnection
from tests.dashboard import Dashboard, sign_in
from tests.faults.crowd import Crowd
from tests.faults.journals import settle
from tests.fixtures.databases import open_database
from tests.fixtures.postgresql import Cluster, PostgresqlMissing
from tests.live_site import LiveSite
from tests.mailbox import find_code, find_link
from tests.organizer import Organizer
from tests.people import HANAKO, TARO
from tests.program import Program, make_key

pytestmark = pytest.mark.postgresql

CONNECTIONS = 20
KEPT = "入力内容は"
KEYS = "/organizer/settings/api-keys"


@pytest.fixture(scope="module")
def cluster():
    """A cluster that may crash, and takes few connections."""
    try:
        made = Cluster(f"-c max_connections={CONNECTIONS}")
    except PostgresqlMissing as missing:
        pytest.skip(str(missing))
    yield made
    made.remove()


@pytest.fixture
def url(cluster):
    made = cluster.create("site")
    database = open_database(made)
    migrate.upgrade(database)
    database.dispose()
    yield made
    cluster.drop("site")


@pytest.fixture
def start(url, tmp_path):
    """Start a site with an event that is open."""
    with closing_all() as sites:

        def start_site(database_url=url):
            site = LiveSite(database_url, tmp_path / "instance")
            sites.append(site)
            site.event = site.add_event(slug="spring")
            site.crowd = Crowd(site.url)
            return site

        yield start_site


@contextmanager
def closing_all():
    sites = []
    yield sites
    for site in sites:
        site.close()


@pytest.fixture
def site(start):
    return start()


@pytest.fixture
def server(cluster):
    """A connection of the superuser, that sees everything and is no part of the site."""
    with psycopg.connect(cluster.make_url("site"), autocommit=True) as connection:
        yield connection


def register_past(site, form):
    """Send the form once: what happened in between is no matter of the person's."""
    assert site.crowd.send(form).receipt is not None
    settle(site, site.crowd.answers)


def hear_regrets(site, send):
    """Send the form while it cannot be stored, then the one that came back, as it is."""
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    again = send(form)
    assert KEPT in again.text and int(again.response.headers["Retry-After"]) > 0
    filled = again.form()
    assert {name: filled[name] for name in TARO} == TARO
    return filled


def test_f20_server_that_crashed_and_is_back_costs_nobody_an_answer(site, cluster):
    form = site.crowd.fill_in(TARO)
    cluster.stop("immediate")
    cluster.start()

    register_past(site, form)


def test_f20_server_that_is_away_gives_the_form_back_filled_in(site, cluster):
    def send(form):
        cluster.stop("immediate")
        try:
            return form.submit(status=503)
        finally:
            cluster.start()

    filled = hear_regrets(site, send)

    assert filled.submit().heading == "お申し込みが完了しました"
    settle(site, site.crowd.answers)


def test_f20_server_that_is_away_gives_buttons_without_fields_back(site, cluster):
    visitor = site.visitor()
    visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    mail = site.mailbox.read_only(TARO["email"])
    join = visitor.open(find_link(mail, "j")).form()
    cancel = visitor.open(f"{find_link(mail, 'r')}/cancel").form()

    cluster.stop("immediate")
    try:
        unopened, undone = (form.submit(status=503) for form in (join, cancel))
    finally:
        cluster.start()

    assert "Zoomへご案内できません" in unopened.text
    assert f"form-action 'self' https: {site.sandbox.url}" in str(unopened.response.headers)
    assert site.sandbox.url in unopened.form().leave()
    assert "ただいま保存ができません" in undone.text and "入力内容" not in undone.text
    assert undone.form().submit().heading, "the personal page"
    assert Organizer(site, site.event).find(TARO["email"]).status == "cancelled"


def test_f20_connections_that_are_cut_cost_nobody_an_answer(site, server):
    form = site.crowd.fill_in(TARO)
    cut_others(server)

    register_past(site, form)


def cut_others(server):
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = 'site' AND pid <> pg_backend_pid()"
    )


def test_f20_connection_that_is_cut_in_the_middle_costs_nobody_an_answer(site, cluster, server):
    form = site.crowd.fill_in(TARO)
    with psycopg.connect(cluster.make_url("site")) as other:
        other.execute("LOCK TABLE registration IN SHARE MODE")
        sending = threading.Thread(target=site.crowd.send, args=(form,))
        sending.start()
        wait_for_waiting(server)
        cut_others(server)  # the one that waits, and the one that holds the lock
        with suppress(psycopg.OperationalError):
            other.rollback()
    sending.join()

    assert site.crowd.answers[-1].receipt is not None
    settle(site, site.crowd.answers)


def wait_for_waiting(server):
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    deadline = time.monotonic() + 30
    while server.execute(waiting).fetchone()[0] == 0:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.02)


def test_f20_deadlock_costs_nobody_an_answer(site, cluster, server):
    form = site.crowd.fill_in(TARO)
    with psycopg.connect(cluster.make_url("site")) as other:
        # The other one is in no hurry, so that ours is the one that PostgreSQL ends.
        other.execute("SET deadlock_timeout = '60s'")
        # A registration takes a seat, and only then is the event looked at that its row names.
        other.execute("SELECT FROM event FOR UPDATE")
        sending = threading.Thread(target=site.crowd.send, args=(form,))
        sending.start()
        wait_for_waiting(server)
        # Granted as ours ends: a row might be ours again before the other one has it.
        other.execute("LOCK TABLE event_counter IN EXCLUSIVE MODE")
        other.rollback()
    sending.join()

    assert count_deadlocks(server) >= 1
    assert site.crowd.answers[-1].receipt is not None
    settle(site, site.crowd.answers)


def count_deadlocks(server):
    deadline = time.monotonic() + 30
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = 'site'"
    while (count := server.execute(counted).fetchone()[0]) == 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    return count


def refuse(server, times):
    """Have PostgreSQL find no order for so many transactions, as at a stricter isolation."""
    server.execute("CREATE SEQUENCE refused")
    server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('refused') <= {times} THEN"
        " RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END IF;"
        " RETURN NEW; END $$"
    )
    server.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON registration FOR EACH ROW EXECUTE FUNCTION refuse()"
    )


def test_f20_serialization_failure_costs_nobody_an_answer(site, server):
    form = site.crowd.fill_in(TARO)
    refuse(server, 2)

    register_past(site, form)


def test_f20_serialization_failure_without_end_gives_the_form_back(site, server):
    refuse(server, 3)

    filled = hear_regrets(site, lambda form: form.submit(status=503))

    assert filled.submit().heading == "お申し込みが完了しました"
    settle(site, site.crowd.answers)


def test_f20_stall_gives_the_form_back_filled_in(start, cluster, monkeypatch):
    monkeypatch.setattr(session, "BUSY_TIMEOUT_MS", 300)
    site = start()

    def send(form):
        with psycopg.connect(cluster.make_url("site")) as other:
            other.execute("LOCK TABLE registration IN ACCESS EXCLUSIVE MODE")
            return form.submit(status=503)

    filled = hear_regrets(site, send)

    assert filled.submit().heading == "お申し込みが完了しました"
    settle(site, site.crowd.answers)


def test_f20_server_without_a_free_connection_gives_the_form_back(site, cluster):
    def send(form):
        site.database.dispose()
        with closing_all() as taken:
            with suppress(psycopg.OperationalError):
                while True:
                    taken.append(psycopg.connect(cluster.make_url("site")))
            return form.submit(status=503)

    filled = hear_regrets(site, send)

    assert filled.submit().heading == "お申し込みが完了しました"
    settle(site, site.crowd.answers)


@contextmanager
def frozen(cluster):
    """Have all of the server's processes stand still, with their connections open."""
    children = Path(f"/proc/{cluster.pid}/task/{cluster.pid}/children").read_text().split()
    processes = [cluster.pid, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_f20_server_that_stands_still_for_a_moment_is_waited_for(site, cluster):
    form = site.crowd.fill_in(TARO)
    sending = threading.Thread(target=site.crowd.send, args=(form,))
    with frozen(cluster):
        sending.start()
        time.sleep(1)
    sending.join()

    assert site.crowd.answers[-1].receipt is not None
    settle(site, site.crowd.answers)


def test_f20_server_that_stands_still_gives_the_form_back_filled_in(site, cluster, monkeypatch):
    site.crowd.register(HANAKO)

    def send(form):
        with frozen(cluster), monkeypatch.context() as hasty:
            hasty.setattr(ImpatientConnection, "patience_seconds", 0.5)
            began = time.monotonic()
            page = form.submit(status=503)
            assert time.monotonic() - began < 20, "nor does a new connection wait for long"
            return page

    filled = hear_regrets(site, send)

    assert filled.submit().heading == "お申し込みが完了しました"
    settle(site, site.crowd.answers)


class CommitCutter:
    """Stands before the server, and once lets a COMMIT through and its answer not.

    `mark` is what it knows one by: a form's statement is its own commit.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.commits_cut = 0
        self.is_armed = False
        self.mark = b"COMMIT"
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(str(self._server / ".s.PGSQL.5432"))
            is_cut = threading.Event()
            answers = threading.Thread(target=_pass_on, args=(server, client, is_cut), daemon=True)
            answers.start()
            while sent := client.recv(65_536):
                if self.is_armed and self.mark in sent:
                    self.is_armed = False
                    self.commits_cut += 1
                    is_cut.set()
                server.sendall(sent)


def _pass_on(source: socket.socket, target: socket.socket, is_cut: threading.Event) -> None:
    with suppress(OSError):
        while received := source.recv(65_536):
            if is_cut.is_set():
                target.shutdown(socket.SHUT_RDWR)  # it is done by now
                return
            target.sendall(received)


@pytest.fixture
def site_behind(start, url, tmp_path_factory):
    """A site, and what can cut its line to the database at a COMMIT."""
    folder = tmp_path_factory.mktemp("s")
    address = make_url(url)
    with closing(CommitCutter(folder, Path(address.query["host"]))) as cutter:
        yield start(str(address.set(query={"host": str(folder)}))), cutter


def test_f20_commit_whose_answer_is_lost_is_found_again(site_behind):
    site, cutter = site_behind
    # Each process begins a transaction for its first, as it reads the form's questions then.
    site.crowd.register(HANAKO)
    before = site.count_rows("submission")
    form = site.crowd.fill_in(TARO)
    cutter.mark, cutter.is_armed = b"INSERT INTO registration", True

    receipt = site.crowd.send(form).receipt

    assert cutter.commits_cut == 1
    assert receipt is not None and receipt == site.crowd.send(form).receipt
    assert site.count_rows("submission") == before + 1
    settle(site, site.crowd.answers)


def test_f20_change_whose_answer_is_lost_is_answered_as_done(site_behind):
    site, cutter = site_behind
    site.add_event(slug="code", link_policy="code")
    visitor = site.visitor()
    receipt = visitor.open("/e/code").form().fill(**TARO).submit()

    def submit(form):
        cutter.is_armed = True
        return form.submit()

    site.drain()
    submit(receipt.form("確認メールを再送する"))
    site.drain()
    _first, confirmation = site.mailbox.list_mails(TARO["email"])
    code = find_code(confirmation)
    visitor.open("/e/code").form().fill(**TARO | {"given_name": "太朗"}).submit()
    personal = visitor.open(find_link(confirmation, "r"))

    with_code = receipt.form("参加用URLを表示する")
    for _ in range(CODE_TRIES - 1):
        with_code.fill(code=f"{(int(code) + 1) % 1_000_000:06d}").submit(status=422)
    assert submit(with_code.fill(code=code)).heading == "お申し込みが完了しました"
    [proposal] = [a["href"] for a in personal.root.find_all("a") if "/answers/" in a["href"]]
    use_it = visitor.open(proposal).form("この内容に変更する")
    assert "登録内容を変更しました。" in submit(use_it).text
    cancelled = submit(personal.follow("参加をキャンセルする").form("キャンセルする"))
    assert "参加をキャンセルしました。" in cancelled.text
    back = cancelled.follow("もう一度申し込む").form("もう一度申し込む")
    assert "あらためてお申し込みを受け付けました。" in submit(back).text
    assert cutter.commits_cut == 5


def test_f20_correction_whose_answer_is_lost_is_answered_as_done(site_behind):
    site, cutter = site_behind
    program = Program(site, make_key(site))
    receipt = site.visitor().open("/e/spring").form().fill(**TARO).submit()
    people = "/events/spring/registrations"

    address = receipt.follow("メールアドレスを訂正する").form().fill(email=HANAKO["email"])
    cutter.is_armed = True
    corrected = address.submit()
    assert corrected.heading == "お申し込みが完了しました"
    details = corrected.follow("登録内容の変更・キャンセル").follow("登録内容を変更する").form()
    cutter.is_armed = True
    assert "登録内容を変更しました。" in details.fill(given_name="太朗").submit().text
    former, person = program.get(people).json()["items"]
    cutter.is_armed = True
    cancelled = program.ask("POST", f"{people}/{person['id']}/cancel")

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (person["email"], person["given_name"]) == (HANAKO["email"], "太朗")
    assert cutter.commits_cut == 3
    assert former["status"] == "cancelled"


def test_f20_act_whose_answer_is_lost_is_said_to_be_perhaps_done(site_behind):
    """What an organizer does is done once, not denied, and not sent again by itself."""
    site, cutter = site_behind
    owner = sign_in(site)
    with site.database.write() as session:
        organization = organizations.get_first_organization(session)
        invited = {"organization_id": organization.id, "email": TARO["email"], "role": Role.EDITOR}
        link = add_link(session, LinkPurpose.MEMBER, now=site.clock(), **invited)
        address = site.parts.links.access(link)
    newcomer = Dashboard(site.url)
    site.close_later(newcomer.close)
    joining = newcomer.open(address).form()
    joining.fill(name="次郎", password="seventeen green umbrellas")
    key = owner.open(f"{KEYS}/new").form("キーを作成する").fill(name="CRM", scopes=["events:read"])

    for form, place in ((key, KEYS), (joining, "/organizer/sign-in")):
        cutter.is_armed = True
        page = form.submit(status=503)
        assert page.heading == "すでに完了している可能性があります"
        assert page.link("新しいタブで確かめる") == place
        assert "data-again" not in page.response.text
        assert "umbrellas" not in page.response.text
        assert page.form()["name"] == form["name"]

    assert cutter.commits_cut == 2
    assert site.count_rows("api_key") == 1
    assert site.count_rows("membership") == 2


def test_f20_program_hears_that_its_change_is_perhaps_done(site_behind):
    site, cutter = site_behind
    program = Program(site, make_key(site))
    site.crowd.register(TARO)
    people = "/events/spring/registrations"
    [person] = program.get(people).json()["items"]
    cutter.is_armed = True

    answer = program.ask("DELETE", f"{people}/{person['id']}")

    assert (answer.status_code, answer.headers.get("Retry-After")) == (500, None)
    assert "may have been done" in answer.json()["detail"]
    assert program.get(f"{people}/{person['id']}").status_code == 404


def test_f21_commit_waits_for_the_disk(site):
    """A commit is answered once it is on the disk; what the disk does then is not ours to test."""
    with site.database.engine.connect() as connection:
        asked = connection.exec_driver_sql("SHOW synchronous_commit").scalar()

    assert asked == "on"
