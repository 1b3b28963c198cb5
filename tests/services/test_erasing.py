"""Erasing somebody: nothing here says who it was any more, and nothing of it comes back."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from services import erasing
from services.addresses import email_key
from services.event_tasks import request_work
from services.events import EventState, LinkPolicy
from services.happenings import Happening
from services.members import Role
from services.moves import move
from services.registration_changes import cancel, register_again
from services.registrations import (
    ChangeRefused,
    RegistrationNotOpen,
    Status,
    register,
    release,
)
from services.restoring import make_safe
from storage import events, registrations
from storage.erasing import read_erased
from storage.models import (
    Base,
    Consent,
    Job,
    Organization,
    PeopleImport,
    PeopleImportRow,
    Registration,
    SubmissionRow,
)
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.installation import wait_until
from tests.mailbox import CODE, read_text
from tests.people import TARO
from tests.program import Program, make_key
from tests.races import count_waiting

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PLANTED = {
    "email": "planted@example.com",
    "family_name": "植田",
    "given_name": "埋子",
    "answers": {"company": "埋蔵商会"},
    "source": {"utm_source": "summer", "gclid": "planted-click"},
}
# As JSON is written into SQLite, and as `str` shows it.
ESCAPED = re.compile(r"\\+u([0-9a-f]{4})")
TRACES = ("planted", "植田", "埋子", "埋蔵")


def add_person(site, **event):
    site.add_event(slug="spring", **event)
    program = Program(site, make_key(site))
    registration = program.register(**PLANTED).json()["registration"]
    return program, f"/events/spring/registrations/{registration}"


def find_traces(site):
    """Look for what was typed in every row of every table."""
    found = set()
    with site.database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(text(f'SELECT * FROM "{table.name}"')):
                written = ESCAPED.sub(lambda code: chr(int(code[1], 16)), str([*map(str, row)]))
                found |= {(table.name, trace) for trace in TRACES if trace in written}
    return found


def test_nothing_is_left_once_zoom_has_let_go(site):
    program, path = add_person(site)
    site.drain()
    program.register(**PLANTED | {"given_name": "埋太"})
    version = program.get(path).headers["ETag"]
    site.clock.move(seconds=1)
    program.ask("PATCH", path, json={"given_name": "埋蔵"}, headers={"If-Match": version})
    link = site.mailbox.read_last("planted@example.com")
    assert {table for table, _ in find_traces(site)} >= {
        *("registration", "submission", "answer", "registration_change", "mail"),
    }

    answer = program.ask("DELETE", path)
    assert (answer.status_code, answer.json()["result"]) == (202, "under_way")
    site.drain()
    site.clock.move(seconds=31)
    site.drain()

    assert site.list_effects("planted@example.com") == ["add", "cancel"]
    assert find_traces(site) == set()
    assert program.get(path).status_code == program.ask("DELETE", path).status_code == 404
    assert program.get("/events/spring/registrations").json()["items"] == []
    assert len(site.mailbox.list_mails("planted@example.com")) == 1, "and no mail about it"
    with site.database.read() as session:
        [box] = session.scalars(select(Consent).where(Consent.question_id == "privacy"))
        assert (box.is_given, box.label) == (True, "「個人情報の取扱い」に同意する")
        assert session.scalar(select(Job.state).where(Job.kind == "erase")) == "done"
    for address in str(link.get_body(("plain",)).get_content()).split():
        if address.startswith(f"{site.url}/j/") or address.startswith(f"{site.url}/r/"):
            assert site.visitor().look("GET", address).status_code == 404


@only_sqlite
def test_whom_zoom_does_not_have_is_erased_at_once(site):
    program, path = add_person(site, approval="manual", capacity=1, has_waitlist=True)
    waiting = program.register().json()
    assert waiting["state"] == "waitlisted"
    receipt = program.register(**PLANTED).json()["receipt"]

    answer = program.ask("DELETE", path)

    assert (answer.status_code, answer.json()["result"]) == (200, "done")
    assert find_traces(site) == set()
    [left] = program.get("/events/spring/registrations").json()["items"]
    assert (left["id"], left["status"]) == (waiting["registration"], "pending")
    assert site.visitor().look("GET", receipt).status_code == 404
    event = program.get("/events/spring").json()["id"]
    owner = sign_in(site)
    person = owner.open(f"/organizer/events/{event}/people").follow("消去済み")
    person.form("メールを再送する").submit()
    assert "個人情報を消去" not in person.text
    site.drain()
    assert site.mailbox.list_mails("planted@example.com") == []
    assert program.register(**PLANTED).status_code == 201, "they may come back as somebody new"


@only_sqlite
def test_index_and_tables_forget_too(site):
    program, path = add_person(site, approval="manual")
    owner = sign_in(site)
    event = program.get("/events/spring").json()["id"]
    assert "植田" in owner.open(f"/organizer/events/{event}/people?q=planted").text
    with site.database.write() as session:
        [person] = session.scalars(select(Registration))
        table = PeopleImport(
            event_id=person.event_id,
            file_name="people.csv",
            locale="ja",
            words_locale="ja",
            created_at=site.clock(),
        )
        session.add(table)
        session.flush()
        for number, cell in enumerate(("Planted@example.com", "other@example.com")):
            row = PeopleImportRow(import_id=table.id, position=number, cells=["植田", cell])
            session.add(row)

        event_row = events.get_event_by_slug(session, "spring")
        held = factories.make_submission(
            event_row, email="planted@example.com", family_name="植田", is_suspicious=True
        )
        register(session, event_row, held, policy=LinkPolicy.SHOW, now=site.clock())

    program.ask("DELETE", path)

    with site.database.read() as session:
        outcomes = sorted(session.scalars(select(SubmissionRow.outcome)))
    assert outcomes == ["created", "dropped"]
    assert "植田" not in owner.open(f"/organizer/events/{event}/people?q=planted").text
    assert find_traces(site) == {("people_import_row", "植田")}, "who is somebody else"
    with site.database.read() as session:
        rows = [row.cells for row in session.scalars(select(PeopleImportRow))]
    assert rows == [[], ["植田", "other@example.com"]]


@pytest.mark.parametrize(
    ("address", "cell"),
    [
        ("taro@例え.jp", "Taro@例え.jp"),
        ("taro@例え.jp", "taro@xn--r8jz45g.jp"),
        ("taro@xn--r8jz45g.jp", "taro@例え.jp"),
        ("Ümit@example.com", "ümit@example.com"),
        ("Ümit@example.com", "Ümit@Example.com"),
        ('"a b_%"@example.com', '"A b_%"@example.com'),
    ],
)
def test_tables_forget_an_address_however_it_is_written(database, address, cell):
    with database.write() as session:
        event = factories.make_event(session, now=NOW, approval="manual")
        sent = factories.make_submission(event, email=address, email_key=email_key(address))
        register(session, event, sent, policy=LinkPolicy.SHOW, now=NOW)
        table = PeopleImport(
            event_id=event.id, file_name="a.csv", locale="ja", words_locale="ja", created_at=NOW
        )
        session.add(table)
        session.flush()
        for number, cells in enumerate((["植田", cell], ["植田", "x" + cell])):
            session.add(PeopleImportRow(import_id=table.id, position=number, cells=cells))
        session.flush()
        [person] = session.scalars(select(Registration))

        erasing.erase(session, event, person, actor="test", note=lambda _: None, now=NOW)

    with database.read() as session:
        rows = session.scalars(select(PeopleImportRow).order_by(PeopleImportRow.position))
        assert [bool(row.cells) for row in rows] == [False, True]


@only_sqlite
def test_who_was_erased_does_not_come_back_with_a_backup(site):
    program, path = add_person(site, approval="manual")
    with site.database.read() as session:
        [before] = session.scalars(select(Registration.public_id))
    program.ask("DELETE", path)
    assert read_erased(site.settings.instance) == [before]
    again = program.register(**PLANTED).json()["registration"]

    with site.database.write() as session:
        restored = make_safe(session, erased=[before, again, "unknown"], now=site.clock())

    assert restored.erased == 1
    assert find_traces(site) == set()


@only_sqlite
def test_others_are_told_and_no_key_of_before_opens_after_a_restore(site, monkeypatch):
    told = []
    monkeypatch.setattr(erasing, "tell", lambda *of, now: told.append(of[3]))
    program, path = add_person(site, approval="manual")
    program.ask("DELETE", path)
    assert told == [Happening.ERASED]

    with site.database.write() as session:
        make_safe(session, now=site.clock())

    assert program.get("/events").status_code == 401


@only_sqlite
def test_who_was_let_in_again_meanwhile_stays(site):
    program, path = add_person(site)
    site.drain()
    assert program.ask("DELETE", path).status_code == 202
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        [person] = session.scalars(select(Registration))
        # As a version did that still let them come back.
        events.lock_seats(session, event.id)
        move(session, event, person, Status.APPROVED, actor="person", now=site.clock())
    site.clock.move(seconds=31)
    site.drain()

    assert program.get(path).json()["email"] == "planted@example.com"
    assert read_erased(site.settings.instance) == []


def ask_by_mail(site, **names):
    """Send the form, and return the link to the button in the mail that asks its sender."""
    sent = TARO | {"email": "planted@example.com"} | names
    asked = site.visitor().open("/e/spring").form().fill(**sent).submit(status=422)
    asked.form().press("確認メールを受け取る").submit()
    site.drain()
    [link] = set(re.findall(r"\S+/v/[\w-]+", read_text(site.mailbox.read_last(sent["email"]))))
    return link


@only_sqlite
def test_nobody_comes_back_who_is_to_be_erased_though_they_had_cancelled_themselves(site):
    program, path = add_person(site, bot_check="always")
    site.drain()
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        [person] = session.scalars(select(Registration))
        cancel(session, event, person, actor="person", now=site.clock())
    site.sandbox.control.fault("set_status", status=503, count=None)
    site.drain()
    assert program.ask("DELETE", path).status_code == 202
    site.clock.move(seconds=1)

    pressed = site.visitor().open(ask_by_mail(site, given_name="帰子")).form().submit()

    assert "/s/" in pressed.url and "埋子" not in pressed.text
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        [person] = session.scalars(select(Registration))
        with pytest.raises(ChangeRefused):
            register_again(session, event, person, now=site.clock())
    assert list_people(site) == [("埋子", "cancelled")]
    let_zoom_go_on(site)
    assert list_people(site) == [("", "cancelled"), ("帰子", "approved")]


@only_sqlite
def test_who_presses_their_button_after_an_erasing_was_asked_for_is_registered(site):
    program, path = add_person(site, bot_check="always")
    site.drain()
    link = ask_by_mail(site, given_name="帰子")
    site.sandbox.control.fault("set_status", status=503, count=None)
    assert program.ask("DELETE", path).status_code == 202
    site.clock.move(seconds=30)
    pressed = site.visitor().open(link).form().submit()
    site.drain()

    assert "今回のお申し込みを新しく登録し" in read_text(
        site.mailbox.read_last("planted@example.com")
    )
    let_zoom_go_on(site)
    assert list_people(site) == [("", "cancelled"), ("帰子", "approved")]
    assert site.visitor().look("GET", pressed.url).status_code == 200


@only_sqlite
def test_who_comes_by_a_clock_that_is_behind_an_erasing_is_registered(site):
    site.sandbox.control.fault("set_status", status=503, count=None)
    program, path = add_person(site)
    site.drain()
    assert program.ask("DELETE", path).status_code == 202
    site.clock.move(seconds=-1)
    site.visitor().open("/e/spring").form().fill(
        **TARO | {"email": "planted@example.com", "given_name": "帰子"}
    ).submit()
    let_zoom_go_on(site)

    assert list_people(site) == [("", "cancelled"), ("帰子", "approved")]


@only_sqlite
def test_whom_an_organizer_lets_in_after_an_erasing_was_asked_for_is_registered(site):
    program, path = add_person(site)
    site.drain()
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        sent = factories.make_submission(
            event, email="planted@example.com", given_name="帰子", is_suspicious=True
        )
        register(session, event, sent, policy=LinkPolicy.SHOW, now=site.clock())
    site.sandbox.control.fault("set_status", status=503, count=None)
    assert program.ask("DELETE", path).status_code == 202
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        [held] = session.scalars(select(SubmissionRow).where(SubmissionRow.outcome == "held"))
        release(session, event, held, policy=LinkPolicy.SHOW, now=site.clock())
    let_zoom_go_on(site)

    assert list_people(site) == [("", "cancelled"), ("帰子", "approved")]


@only_sqlite
def test_job_of_an_older_version_goes_by_the_time(site):
    program, path = add_person(site)
    site.drain()
    program.register(**PLANTED | {"given_name": "埋太"})
    program.ask("DELETE", path)
    with site.database.write() as session:
        [job] = session.scalars(select(Job).where(Job.kind == "erase"))
        names = ("registration_id", "actor", "since")
        job.payload = {name: job.payload[name] for name in names}
    site.clock.move(seconds=1)
    program.register(**PLANTED | {"given_name": "帰子"})
    let_zoom_go_on(site)

    assert list_people(site) == [("", "cancelled"), ("帰子", "approved")]


@only_sqlite
def test_who_is_erased_at_once_by_a_clock_that_is_behind_leaves_nothing(site):
    program, path = add_person(site, approval="manual")
    program.register(**PLANTED | {"given_name": "埋太"})
    site.clock.move(seconds=-1)
    program.ask("DELETE", path)

    assert find_traces(site) == set()


def let_zoom_go_on(site):
    site.sandbox.control.clear_faults()
    for _ in range(4):
        site.let_pass(minutes=10)
        site.drain()


def list_people(site):
    """List the given name and the state of everybody, in the order in which they came."""
    with site.database.read() as session:
        people = session.scalars(select(Registration).order_by(Registration.id))
        return [(person.given_name, person.status) for person in people]


def come_back_meanwhile(site, **event):
    """Be erased, and register again by the form while Zoom has not let go yet."""
    program, path = add_person(site, **event)
    site.drain()
    assert program.ask("DELETE", path).status_code == 202
    site.clock.move(seconds=1)
    sent = {"email": "planted@example.com", "family_name": "植田", "given_name": "帰子"}
    receipt = site.visitor().open("/e/spring").form().fill(**TARO | sent).submit()
    return path, receipt


def test_who_comes_back_meanwhile_is_registered(site):
    _, receipt = come_back_meanwhile(site)
    for seconds in (31, 120):
        site.let_pass(seconds=seconds)
        site.drain()

    with site.database.read() as session:
        erased, back = session.scalars(select(Registration).order_by(Registration.id)).all()
    assert (erased.email, back.given_name, back.status) == ("", "帰子", "approved")
    assert site.list_effects("planted@example.com") == ["add", "cancel", "approve"]
    assert receipt.visitor.open(receipt.url).heading == "お申し込みが完了しました"
    assert len(site.mailbox.list_mails("planted@example.com")) == 2


@only_sqlite
@pytest.mark.parametrize("policy", LinkPolicy)
def test_who_comes_back_meanwhile_reads_that_they_will_be_registered(site, policy):
    site.sandbox.control.fault("set_status", status=503, count=None)
    _, receipt = come_back_meanwhile(site, link_policy=policy)
    site.drain()

    mail = site.mailbox.read_last("planted@example.com")
    text = read_text(mail)
    assert str(mail["Subject"]).startswith("【お申し込みの確認】")
    assert "今回のお申し込みを新しく登録し" in text and "キャンセル" not in text
    assert "数分以内" in text and "主催者にお問い合わせください" in text
    [number] = re.findall(r"受付番号：(\S+)", text)
    assert number in receipt.text
    whole = mail.as_string()
    assert "/r/" not in whole and "/j/" not in whole and CODE.findall(text) == []
    assert "埋子" not in text and "帰子" in text

    site.sandbox.control.clear_faults()
    for _ in range(4):
        site.let_pass(minutes=10)
        site.drain()
    assert "帰子" in read_text(site.mailbox.read_last("planted@example.com"))
    assert site.mailbox.list_subjects("planted@example.com") == [
        *("受付完了", "お申し込みの確認", "受付完了")
    ]


@only_sqlite
def test_who_comes_back_meanwhile_gets_the_code_that_the_organization_asks_for(site):
    come_back_meanwhile(site, link_policy="show")
    with site.database.write() as session:
        [organization] = session.scalars(select(Organization))
        organization.link_policy = "code"
    for seconds in (31, 120):
        site.let_pass(seconds=seconds)
        site.drain()

    text = read_text(site.mailbox.read_last("planted@example.com"))
    assert "帰子" in text and CODE.findall(text)


@only_sqlite
def test_who_comes_back_while_an_erasing_stands_still_is_not_told_of_minutes(site):
    program, path = add_person(site)
    site.drain()
    refuse_to_let_go(site)
    program.ask("DELETE", path)
    for _ in range(2):
        site.let_pass(minutes=10)
        site.drain()
    program.register(**PLANTED | {"given_name": "帰子"})
    site.drain()

    text = read_text(site.mailbox.read_last("planted@example.com"))
    assert "通常より時間がかかっています" in text and "数分以内" not in text


@only_sqlite
def test_who_comes_back_to_a_form_that_takes_nobody_reads_that_the_organizer_looks(site):
    site.sandbox.control.fault("set_status", status=503, count=None)
    come_back_meanwhile(site)
    with site.database.write() as session:
        events.get_event_by_slug(session, "spring").status = "closed"
    site.drain()

    assert "主催者が確認します" in read_text(site.mailbox.read_last("planted@example.com"))


@only_sqlite
def test_what_came_before_somebody_is_erased_is_answered_by_nothing(site):
    site.sandbox.control.fault("set_status", status=503, count=None)
    program, path = add_person(site, link_policy="mail")
    form = site.visitor().open("/e/spring").form().fill(**TARO | {"email": "planted@example.com"})
    receipt = form.submit()
    site.drain()
    before = site.mailbox.list_subjects("planted@example.com")
    assert program.ask("DELETE", path).status_code == 202
    site.let_pass(minutes=5)
    receipt.form("確認メールを再送する").submit()
    site.drain()

    assert site.mailbox.list_subjects("planted@example.com") == before


@only_sqlite
def test_who_comes_back_meanwhile_is_registered_though_it_is_asked_for_again(site):
    path, _ = come_back_meanwhile(site)
    site.clock.move(seconds=1)
    program = Program(site, make_key(site))
    assert program.ask("DELETE", path).json()["result"] == "under_way"
    for seconds in (31, 120):
        site.let_pass(seconds=seconds)
        site.drain()

    [back] = program.get("/events/spring/registrations").json()["items"]
    assert (back["given_name"], back["status"]) == ("帰子", "approved")


@only_sqlite
def test_who_comes_back_before_the_closing_time_is_registered_after_it(site):
    come_back_meanwhile(site)
    with site.database.write() as session:
        events.get_event_by_slug(session, "spring").closes_at = site.clock() + timedelta(seconds=5)
    site.clock.move(seconds=31)
    site.drain()

    with site.database.read() as session:
        erased, back = session.scalars(select(Registration).order_by(Registration.id)).all()
    assert (erased.email, back.given_name, back.status) == ("", "帰子", "approved")


@only_sqlite
def test_who_comes_back_to_a_closed_event_is_held(site):
    come_back_meanwhile(site)
    with site.database.write() as session:
        events.get_event_by_slug(session, "spring").status = "closed"
    site.clock.move(seconds=31)
    site.drain()

    with site.database.read() as session:
        event = events.get_event_by_slug(session, "spring").public_id
    held = sign_in(site).open(f"/organizer/events/{event}/held").text
    assert "帰子" in held and "消去" in held


@only_sqlite
def test_what_was_held_of_somebody_is_nothing_to_decide_about(site):
    program, path = add_person(site, approval="manual")
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        submission = factories.make_submission(event, email=PLANTED["email"], is_suspicious=True)
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=site.clock())
        assert row.outcome == "held"

    program.ask("DELETE", path)

    with site.database.read() as session:
        outcomes = session.scalars(select(SubmissionRow.outcome).order_by(SubmissionRow.id)).all()
    assert outcomes[-1] == "dropped"


@only_sqlite
def test_owner_erases_on_the_dashboard_and_nobody_else(site):
    program, path = add_person(site)
    site.drain()
    event = program.get("/events/spring").json()["id"]
    page = f"/organizer/events/{event}/people/{path.rpartition('/')[2]}"
    assert "個人情報を消去" not in sign_in(site, Role.APPROVER).open(page).text

    owner = sign_in(site)
    asked = owner.open(page).follow("個人情報を消去")
    assert "元に戻せません" in asked.text
    under_way = asked.form("完全に消去する").submit()
    assert "Zoomから外れしだい" in under_way.text
    site.drain()
    site.clock.move(seconds=31)
    site.drain()

    assert find_traces(site) == set()
    assert "消去しました" in owner.open(f"{page}/erase").text
    assert "個人情報を消去" in owner.open("/organizer/settings/audit").text


def refuse_to_let_go(site, count=None):
    """Have Zoom refuse each change of somebody's status."""
    says = {"code": 9999, "message": "Not now."}
    site.sandbox.control.fault("set_status", status=400, count=count, **says)


def test_whom_zoom_does_not_let_go_is_not_forgotten_and_the_owner_sees_why(site):
    program, path = add_person(site)
    site.drain()
    refuse_to_let_go(site)
    program.ask("POST", f"{path}/cancel")
    site.drain()
    event = program.get("/events/spring").json()["id"]
    page = f"/organizer/events/{event}/people/{path.rpartition('/')[2]}"
    owner = sign_in(site)
    assert "Zoomの登録を取り消せていません" in owner.open(page).text

    asked = owner.open(page).follow("個人情報を消去").form("完全に消去する").submit()
    assert "1分以内" in asked.text
    for _ in range(2):
        site.let_pass(minutes=10)
        site.drain()
    assert find_traces(site) != set()
    seen = owner.open(page).follow("消去の状況を見る")
    assert "Zoomの登録を取り消せていません" in seen.text and "Not now." in seen.text

    site.sandbox.control.clear_faults()
    seen.form("再試行する").submit()
    for _ in range(2):
        site.let_pass(seconds=31)
        site.drain()
    assert site.list_effects("planted@example.com") == ["add", "cancel"]
    assert find_traces(site) == set()


@only_sqlite
def test_whom_zoom_never_lets_go_is_forgotten_once_the_event_is_over(site):
    program, path = add_person(site)
    site.drain()
    refuse_to_let_go(site)
    program.ask("DELETE", path)
    for _ in range(2):
        site.drain()
        site.let_pass(seconds=31)
    assert find_traces(site) != set()
    with site.database.write() as session:
        events.get_event_by_slug(session, "spring").starts_at = site.clock()
    site.let_pass(days=1)
    site.drain()

    assert find_traces(site) == set()


@only_sqlite
def test_organizer_sees_who_was_erased_before_the_event_was_postponed(site):
    program, path = add_person(site)
    site.drain()
    postpone(site, days=-1)
    program.ask("DELETE", path)
    assert find_traces(site) == set()
    postpone(site, days=7)
    site.drain()

    address = f"/organizer/events/{program.get('/events/spring').json()['id']}"
    owner = sign_in(site)
    assert "Zoomではまだ参加できる可能性があります" in owner.open(address).text
    owner.open(f"{address}/people/{path.rpartition('/')[2]}").form(
        "Zoomへの登録を再試行する"
    ).submit()
    site.drain()
    assert "Zoomではまだ参加できる可能性があります" not in owner.open(address).text


def postpone(site, *, days):
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        event.starts_at = site.clock() + timedelta(days=days)
        request_work(session, event, now=site.clock())


@only_sqlite
def test_erasing_that_waits_for_zoom_says_for_what(site):
    program, path = add_person(site)
    site.drain()
    site.sandbox.control.fault("set_status", status=503, count=None)
    program.ask("DELETE", path)
    site.drain()

    event = program.get("/events/spring").json()["id"]
    page = f"/organizer/events/{event}/people/{path.rpartition('/')[2]}/erase"
    seen = sign_in(site).open(page).text
    assert "Zoomから外れしだい" in seen and "まだ消去されていない理由" in seen


@only_postgresql
def test_form_that_comes_while_its_sender_is_erased_is_refused_as_of_somebody_unknown(database):
    with database.write() as session:
        event = factories.make_event(session, now=NOW, approval="manual")
        first, again = (factories.make_submission(event) for _ in range(2))
        row = register(session, event, first, policy=LinkPolicy.SHOW, now=NOW)
        event_id, person_id = event.id, row.registration_id
        event.status = "closed"

    def send():
        with database.write() as session:
            event = events.need_event(session, event_id)
            register(session, event, again, policy=LinkPolicy.SHOW, now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            event = events.need_event(session, event_id)
            person = registrations.get_registration(session, person_id)
            erasing.erase(session, event, person, actor="organizer", note=lambda _: None, now=NOW)
            session.flush()
            sent = pool.submit(send)
            wait_until(lambda: count_waiting(database) == 1, seconds=10)
        with pytest.raises(RegistrationNotOpen) as refusal:
            sent.result(timeout=20)

    assert refusal.value.state is EventState.CLOSED
    with database.read() as session:
        assert [row.email for row in session.scalars(select(SubmissionRow))] == [""]
