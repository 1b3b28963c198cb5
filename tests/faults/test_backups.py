"""F36: backups taken while the site writes, and a site that was put back from one."""

import stat
import subprocess
import tempfile
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text

from storage import job_lists, migrate
from storage.backups import read_manifest, restore_backup, write_backup
from storage.dumps import BackupError
from storage.models import AuditEntry, Job, Mail, ZoomRegistrant
from storage.secret_keys import FILE_NAME
from tests import factories
from tests.cli.conftest import make_run
from tests.faults.crowd import Crowd
from tests.faults.journals import find_faults, gather, read_copy
from tests.fixtures.databases import only_postgresql, only_sqlite, open_database
from tests.installation import Installation
from tests.live_site import LiveSite
from tests.mailbox import find_link
from tests.people import ANN, TARO

HANAKO = TARO | {"email": "hanako@example.com", "given_name": "花子"}


def register(site, person):
    return Crowd(site.url).register(person)


def open_old_mail(site, mail, kind):
    """Open the link of a mail that another site with the same address had sent."""
    return site.visitor().open(f"/{kind}/{find_link(mail, kind).rsplit('/', 1)[-1]}")


def test_backups_while_people_register_are_whole(site, restored, tmp_path):
    site.add_event(slug="spring")
    site.start_worker()
    is_over = threading.Event()

    def register_many(number):
        count = 0
        while not is_over.is_set():
            register(site, TARO | {"email": f"p{number}-{count}@example.com"})
            count += 1

    threads = [threading.Thread(target=register_many, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        files = [tmp_path / f"{number}.zip" for number in range(4)]
        taken, counts = [], [{"registration": 0}]
        for file in files:
            last = counts[-1]["registration"]
            site.wait_until(lambda last=last: site.count_rows("registration") > last)
            taken.append(make_run(site)("backup", str(file)).output)
            counts.append(read_manifest(file).counts)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()

    rows = [count["registration"] for count in counts]
    assert rows == sorted(set(rows)), "each holds more than the one before"
    assert all(c["registration"] == c["submission"] == c["zoom_registrant"] for c in counts[1:])
    assert all("the secret is not in it" in line for line in taken)
    make_run(restored)("restore", str(files[-1]))
    assert restored.count_rows("registration") == rows[-1]
    assert restored.count_rows("mail") == counts[-1]["mail"]


def test_restored_site_sends_nothing_twice_and_adds_nobody_twice(site, restored, tmp_path):
    event = site.add_event(slug="spring")
    answers = [register(site, TARO)]
    site.drain()
    answers.append(register(site, HANAKO))
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    # What the backup does not know of: Hanako is added and told, and Ann comes and is told.
    site.drain()
    register(site, ANN)
    site.drain()
    before = [site.mailbox.read_only(p["email"]) for p in (TARO, HANAKO, ANN)]

    run = make_run(restored)
    report = run("restore", str(file)).output
    restored.let_pass(minutes=2)
    restored.drain()
    restored.let_pass(minutes=2)
    restored.drain()

    assert "Held back: 1 mails" in report and "In doubt: 1 people" in report
    assert restored.mailbox.list_mails() == [], "nobody is mailed by itself"
    assert [list_adds(site, p) for p in (TARO, HANAKO, ANN)] == [["add"]] * 3
    assert open_old_mail(restored, before[0], "r").text.count("山田 太郎")
    room = open_old_mail(restored, before[1], "j").form().leave()
    assert "hanako@example.com" in site.read_room(room)
    assert "spring  ann@example.com" in run("event", "reconcile", "--all").output

    answers.append(register(restored, ANN))
    restored.drain()
    journals = gather(
        restored.database,
        site.zoom,
        restored.parts.links,
        answers=answers,
        copies=map(read_copy, [*before[:2], *restored.mailbox.list_mails()]),
        now=restored.clock(),
    )
    assert find_faults(journals) == [
        # Zoom answers with whom it has: there is one Ann, who has used two of three adds a day.
        "ann@example.com was added to Zoom 2 times",
        "the job mail:2 is parked: HeldBack: perhaps it was sent before the restore",
        "the mail confirmation to hanako@example.com is still held",
    ]
    assert sorted(p["email"] for p in site.zoom.state()["registrants"]) == sorted(
        person["email"] for person in (ANN, HANAKO, TARO)
    )
    assert "0 people differ" in run("event", "reconcile", event.slug).output


def list_adds(site, person):
    return [effect for effect in site.list_effects(person["email"]) if effect == "add"]


def test_mails_that_were_held_back_are_sent_when_somebody_says_so(site, restored, tmp_path):
    site.add_event(slug="spring")
    register(site, TARO)
    register(site, HANAKO)
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    run = make_run(restored)
    run("restore", str(file))
    with restored.database.read() as session:
        first, second = session.scalars(select(Mail.id).order_by(Mail.id))

    hint = "a restore held it back: flask mails list, then flask mails send or drop"
    assert f"2 put aside (mail, HeldBack): {hint}" in run("status", exit_code=1).output
    assert "taro@example.com" in run("mails", "list").output
    assert "0 jobs are due now. 2 need" in run("jobs", "retry", "--all").output
    run("jobs", "retry", f"mail:{second}", exit_code=1)
    with restored.database.write() as session:
        # As a command of an older version does.
        assert job_lists.retry(session, f"mail:{second}", now=restored.clock())
    restored.drain()
    assert restored.mailbox.list_mails() == [], "to try again is no word that it was not sent"
    run("mails", "send", str(first))
    run("mails", "send", "999", exit_code=1)
    restored.let_pass(minutes=2)
    restored.drain()
    restored.let_pass(minutes=2)
    restored.drain()

    assert [read_copy(mail).to for mail in restored.mailbox.list_mails()] == ["taro@example.com"]
    assert "taro@example.com" not in run("mails", "list").output
    assert run("mails", "send", "--all").output == "1 mails are on their way.\n"
    restored.drain()
    assert len(restored.mailbox.list_mails()) == 2
    assert first != second


def test_mails_that_were_held_back_are_dropped_when_somebody_says_so(site, restored, tmp_path):
    event = site.add_event(slug="spring")
    for person in (TARO, HANAKO, ANN):
        register(site, person)
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    run = make_run(restored)
    report = run("restore", str(file)).output
    assert "flask mails send" in report and "flask mails drop" in report
    with restored.database.read() as session:
        first, *_ = session.scalars(select(Mail.id).order_by(Mail.id))

    assert "flask mails" in run("jobs", "drop", f"mail:{first}", exit_code=1).stderr
    asked = run("mails", "drop", "--all", exit_code=1).output
    assert "Never send 3 mails (3 confirmation)?" in asked
    run("mails", "drop", "999", "--yes", exit_code=1)
    assert run("mails", "drop", str(first), "--yes").output == "1 mails are dropped.\n"
    assert run("mails", "drop", "--all", "--yes").output == "2 mails are dropped.\n"
    assert run("mails", "send", "--all").output == "0 mails are on their way.\n"
    assert "HeldBack" not in run("jobs", "list").output

    restored.let_pass(minutes=3)
    restored.drain()
    assert restored.mailbox.list_mails() == []
    with restored.database.read() as session:
        assert set(session.scalars(select(Mail.state))) == {"failed"}
        entries = session.scalars(select(AuditEntry.facts).order_by(AuditEntry.id)).all()
    assert entries[-2:] == [{"act": "drop_mails", "count": count} for count in (1, 2)]

    # Nobody is silent about it: word of a cancellation that was dropped is told again.
    run("event", "cancel", event.slug, "--yes")
    restored.drain()
    assert len(restored.mailbox.list_mails()) == 3


def test_mail_that_a_worker_holds_is_not_dropped(site, restored, tmp_path):
    """It would go as one that failed and is tried again."""
    site.add_event(slug="spring")
    register(site, TARO)
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    run = make_run(restored)
    run("restore", str(file))
    with restored.database.write() as session:
        [job] = session.scalars(select(Job).where(Job.kind == "mail"))
        job.state = "running"

    assert "1 are with a worker" in run("mails", "drop", "--all", "--yes", exit_code=1).stderr
    with restored.database.read() as session:
        assert session.scalars(select(Mail.state)).all() == ["held"]


def test_mails_that_had_failed_before_a_backup_stay_what_they_were(site, restored, tmp_path):
    """Theirs is no doubt whether they went: the alarm goes on, and they can be tried again."""
    site.add_event(slug="spring")
    register(site, TARO)
    register(site, HANAKO)
    refusal = "MailRefused: 550 5.7.1 relaying denied"
    with site.database.write() as session:
        refused, unknown = session.scalars(select(Mail).order_by(Mail.id))
        refused.state, refused.error, unknown.state = "failed", refusal, "unknown"
        for job in session.scalars(select(Job).where(Job.kind == "mail")):
            is_refused = job.key == f"mail:{refused.id}"
            job.state, job.reason = "parked", refusal if is_refused else "MailOutcomeUnknown: cut"
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    run = make_run(restored)
    run("restore", str(file))

    with restored.database.read() as session:
        jobs = select(Job.reason).where(Job.kind == "mail").order_by(Job.id)
        reasons = [reason.partition(":")[0] for reason in session.scalars(jobs)]
    assert reasons == ["MailRefused", "HeldBack"]
    assert run("jobs", "retry", "--all", "--reason", "MailRefused").output.startswith("1 jobs")
    restored.drain()
    assert [read_copy(mail).to for mail in restored.mailbox.list_mails()] == [TARO["email"]]


def test_restored_site_forgets_who_worked_before(site, restored, tmp_path):
    site.add_event(slug="spring")
    register(site, TARO)
    site.drain()
    with site.database.write() as session:
        session.execute(text("UPDATE job SET state = 'running', owner = 'x', crashes = 2"))
        session.execute(text("INSERT INTO rate_bucket (name, full_at) VALUES ('a', 9999999999)"))
        tokens = session.execute(text("SELECT count(token) FROM zoom_connection")).scalar()
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))

    make_run(restored)("restore", str(file))

    with restored.database.read() as session:
        jobs = session.execute(text("SELECT DISTINCT state, owner, crashes FROM job")).all()
        assert ("running", "x", 2) not in jobs and {job.owner for job in jobs} == {None}
        assert session.execute(text("SELECT count(token) FROM zoom_connection")).scalar() == 0
    assert tokens == 1
    assert restored.count_rows("rate_bucket") == restored.count_rows("worker_heartbeat") == 0


def test_database_that_holds_something_is_replaced_only_if_told_and_kept(site, restored, tmp_path):
    site.add_event(slug="spring")
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    run = make_run(restored)
    run("migrate")
    run("restore", str(file))
    restored.add_event(slug="later")

    refused = run("restore", str(file), exit_code=1).stderr
    events_before = restored.count_rows("event")
    run("restore", "--replace", str(file))

    assert refused == (
        "Error: Nothing was restored: the database holds something already: "
        "--replace keeps it aside.\n"
    )
    assert (events_before, restored.count_rows("event")) == (2, 1)
    assert count_events_kept(restored) == 2


def count_events_kept(site):
    """Count the events in the one database that was kept aside."""
    if site.database.is_sqlite:
        path = Path(site.database.url.database)
        [kept] = path.parent.glob(f"{path.name}.before_*")
        aside = open_database(f"sqlite:///{kept}")
        with aside.read() as session:
            count = session.scalar(text("SELECT count(*) FROM event"))
        aside.dispose()
        return count
    with site.database.read() as session:
        schemas = session.scalars(text("SELECT nspname FROM pg_namespace")).all()
        [kept] = [schema for schema in schemas if schema.startswith("public_before_")]
        return session.scalar(text(f"SELECT count(*) FROM {kept}.event"))


def test_database_in_use_is_not_replaced(site, restored, tmp_path):
    site.add_event(slug="spring")
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    make_run(restored)("migrate")

    with connected(restored.settings.database_url):
        refused = make_run(restored)("restore", str(file), exit_code=1).stderr

    assert "the database is in use: stop every flask serve, web and worker first" in refused
    make_run(restored)("restore", str(file))


@only_postgresql
def test_connection_that_is_just_ending_is_waited_for(site, restored, tmp_path):
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    make_run(restored)("migrate")
    ending = open_database(restored.settings.database_url)
    connection = ending.engine.connect()
    connection.execute(text("SELECT 1"))

    def end():
        connection.close()
        ending.dispose()

    timer = threading.Timer(0.5, end)
    timer.start()
    make_run(restored)("restore", str(file))
    timer.join()


@contextmanager
def connected(url):
    database = open_database(url)
    with database.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        yield
    database.dispose()


def test_backup_of_an_older_version_is_brought_to_this_one(database, databases, tmp_path):
    with database.write() as session:
        factories.make_event(session)
    with migrate._exclusive(database) as connection:
        command.downgrade(migrate._configure(connection, None), "0001")
    file = tmp_path / "old.zip"
    write_backup(database, file, secrets=["a"], now=factories.NOW)
    url = databases.make_empty()
    target = open_database(url)

    restore_backup(target, file, keep_aside_as=None, make_safe=lambda session: None)

    assert read_manifest(file).schema == "0001"
    assert migrate.describe_misfit(target) == ""
    target.dispose()
    databases.drop(url)


def test_restore_that_fails_leaves_everything_as_it_was(site, restored, tmp_path):
    site.add_event(slug="spring")
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    make_run(restored)("restore", str(file))
    restored.add_event(slug="later")

    def fail(session):
        session.execute(text("DELETE FROM event_counter"))
        raise BackupError("on purpose")

    with pytest.raises(BackupError, match="on purpose"):
        restore_backup(restored.database, file, keep_aside_as="before", make_safe=fail)

    assert restored.count_rows("event") == restored.count_rows("event_counter") == 2
    assert make_run(restored)("event", "list").output.count("\n") == 3


@pytest.fixture
def backup(site, tmp_path):
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    return file


def test_backup_is_for_its_owner_alone_and_leaves_nothing_beside_it(site, backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir() if path.name != "instance"] == [
        "night.zip"
    ]
    with zipfile.ZipFile(backup) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert site.settings.secret_key.encode() not in content


@only_sqlite
def test_f18_backup_without_room_or_folder_says_so_in_one_line(site, small_disk):
    (small_disk / "logs").write_bytes(bytes(2_000_000))
    full = make_run(site)("backup", str(small_disk / "night.zip"), exit_code=1).stderr
    away = make_run(site)("backup", str(small_disk / "none" / "night.zip"), exit_code=1).stderr
    assert full.startswith("Error: No backup was made: the database could not be copied: ")
    assert away == f"Error: No backup was made: there is no folder {small_disk / 'none'}.\n"


def test_f18_backup_onto_a_disk_that_may_only_be_read_says_so(site, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    refused = make_run(site)("backup", str(small_disk / "night.zip"), exit_code=1).stderr

    assert refused == (
        f"Error: No backup was made: {small_disk} cannot be written to: Read-only file system.\n"
    )


@only_postgresql
def test_f18_restore_without_room_to_unpack_names_the_place(site, backup, small_disk, monkeypatch):
    (small_disk / "logs").write_bytes(bytes(2_090_000))
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))

    refused = make_run(site)("restore", str(backup), exit_code=1).stderr

    assert refused == (
        f"Error: Nothing was restored: it cannot be unpacked in {small_disk}: "
        "No space left on device.\n"
    )


@only_sqlite
def test_damaged_backup_is_refused(restored, backup):
    content = bytearray(backup.read_bytes())
    middle = len(content) // 2
    # Several, as a single bit may be one that the format does not use.
    content[middle : middle + 20] = bytes(byte ^ 1 for byte in content[middle : middle + 20])
    backup.write_bytes(content)

    refused = make_run(restored)("restore", str(backup), exit_code=1).stderr

    assert "damaged" in refused
    assert migrate.describe_misfit(restored.database) != ""


@only_sqlite
def test_backup_of_a_newer_version_is_refused(site, restored, tmp_path):
    with site.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    make_run(site)("backup", str(tmp_path / "new.zip"))

    refused = make_run(restored)("restore", str(tmp_path / "new.zip"), exit_code=1).stderr

    assert "the backup is of a newer version of Uketsuke (schema 9999): install it" in refused


@only_sqlite
def test_backup_needs_its_secret(databases, backup, tmp_path):
    other = LiveSite(databases.make_empty(), tmp_path / "other", secret_key="o" * 32)
    run = make_run(other)

    refused = run("restore", str(backup), exit_code=1).stderr
    run("restore", "--without-secret", str(backup))
    unknown = run("event", "list", exit_code=1).stderr
    run("accept-secret", "--yes")
    run("event", "list")
    other.close()

    assert refused.startswith("Error: The backup was made with another secret")
    assert "does not belong to this database" in unknown


@only_sqlite
def test_restore_without_any_secret_writes_none(backup, tmp_path):
    place = Installation(tmp_path / "new")
    secret = tmp_path / "new" / "instance" / FILE_NAME

    refused = place.run("restore", str(backup))
    left = [path.name for path in (tmp_path / "new").rglob("*")]
    done = place.run("restore", "--without-secret", str(backup))

    assert (refused.returncode, refused.stderr.count("\n"), left) == (1, 1, ["instance"])
    assert f"There is no secret: put that of the backup into {secret}, or set" in refused.stderr
    assert (done.returncode, secret.exists()) == (0, True)
    assert place.run("accept-secret", "--yes").returncode == 0


@pytest.mark.postgresql
@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_missing_program_of_postgresql_is_named(site, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")

    refused = make_run(site)("backup", str(tmp_path / "night.zip"), exit_code=1).stderr

    assert refused == (
        "Error: No backup was made: pg_dump is missing: install PostgreSQL's client programs.\n"
    )
    assert not (tmp_path / "night.zip").exists()


def test_doubt_of_a_restore_ends_for_who_never_came_to_zoom(site, restored, tmp_path):
    site.add_event(slug="spring")
    register(site, TARO)
    file = tmp_path / "night.zip"
    make_run(site)("backup", str(file))
    make_run(restored)("restore", str(file))

    for _ in range(3):
        restored.drain()
        restored.let_pass(minutes=2)

    assert list_adds(site, TARO) == ["add"]
    with restored.database.read() as session:
        [registrant] = session.scalars(select(ZoomRegistrant))
        assert (registrant.delivery, registrant.zoom_status) == ("registered", "approved")
