"""Adding people from a table: nothing before it was looked through, nobody twice, nobody mailed."""

import csv
import io
import re
from datetime import timedelta

import pytest

from services import people_imports as importing
from services.fault_points import FAULT_VARIABLE
from services.members import Role
from services.spreadsheets import write_xlsx
from storage import mails, people_imports, registrations
from storage.models import Event, PeopleImport, Registration
from tests.dashboard import make_membership, sign_in
from tests.fixtures.databases import only_sqlite
from tests.views.organizer.test_people import HOSTILE, add, list_actions, list_names, make_event
from worker.people import forget_old_imports

ROWS = [
    ["姓", "名", "メールアドレス", "会社名・団体名", "年代", "備考", "ご案内を受け取る"],
    ["高橋", "次郎", "jiro@example.com", "例, 株式会社", "30代", "x", "はい"],
    ["佐藤", "", "nobody@example.com"],
    ["田中", "花", "not an address"],
    ["'=1+1", "花", "HANA@Example.com", "", "20代", "", "はい"],
    ["高橋", "次郎", "Jiro@example.com"],
]
TABLE = "\r\n".join("\t".join(row) for row in ROWS)


def send(browser, event, table=TABLE, *, status=200):
    address = f"/organizer/events/{event}/people/import"
    return browser.post_form(address, address, {"table": table}, status=status)


def read(site, browser, event, table=TABLE):
    """Send a table and return the page on which its columns are confirmed."""
    page = send(browser, event, table)
    site.drain()
    return browser.open(page.url)


def start(site, page, *, status=200, **fields):
    done = find_form(page).fill(**{"basis": "名刺交換で同意"} | fields).submit(status=status)
    site.drain()
    return done


def find_form(page):
    return page.form(re.search(r"\d+人を追加する", page.text)[0])


def count(site):
    with site.database.read() as session:
        return session.query(Registration).count()


def read_person(site, email):
    with site.database.read() as session:
        [person] = registrations.list_registrations_by_email_key(session, email)
        answers = {a.question_id: a.value for a in registrations.list_answers(session, person.id)}
        boxes = registrations.list_consents(session, person.id)
        [change] = registrations.list_changes(session, person.id)
        return person, answers, boxes, change.after, mails.list_mails(session, person.id)


@only_sqlite
def test_nothing_is_stored_before_the_columns_were_confirmed(site):
    public_id, _ = make_event(site)
    page = read(site, sign_in(site), public_id)
    assert "5行を読み込みました" in page.text
    held = [find_form(page)[f"column-{place}"] for place in range(7)]
    assert held == ["family_name", "given_name", "email", "?company", "?age", "", ""]
    assert "高橋" in page.text
    assert count(site) == 0


@only_sqlite
def test_each_row_has_its_result_and_a_second_import_changes_nothing(site):
    public_id, event_id = make_event(site)
    add(site, event_id, "hana@example.com", family_name="元の名")
    browser = sign_in(site, Role.APPROVER)
    first = start(site, read(site, browser, public_id))
    after = browser.open(first.url)
    assert list_names(after) == ["3", "4", "5", "6"]
    assert [cell.text for cell in after.root.find_all("dd")] == ["1", "2", "2", "0"]
    again = browser.open(start(site, read(site, browser, public_id)).url)
    assert [cell.text for cell in again.root.find_all("dd")] == ["0", "3", "2", "0"]
    assert count(site) == 2
    person, answers, boxes, history, sent = read_person(site, "jiro@example.com")
    assert (person.family_name, person.locale) == ("高橋", "ja")
    assert answers == {"company": "例, 株式会社", "age": "30s"}
    assert (boxes, history) == ([], {"basis": "名刺交換で同意"})
    assert [mail.name for mail in sent] == ["confirmation"]
    assert list_names(browser.open(f"/organizer/events/{public_id}/people?mailable=yes")) == []
    assert list_actions(site).count("people_imported") == 2


@only_sqlite
def test_report_is_the_table_with_its_results_and_no_formula(site):
    public_id, _ = make_event(site)
    browser = sign_in(site)
    page = start(site, read(site, browser, public_id))
    report = browser.fetch(f"{page.url.removeprefix(site.url)}/report").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(report, newline="")))
    assert rows[0] == ["行", "結果", "理由", *ROWS[0]]
    assert [row[:3] for row in rows[1:3]] == [
        ["2", "追加しました", ""],
        ["3", "追加していません：内容に誤りがあります", "お名前（名）を入力してください"],
    ]
    assert rows[4][3] == "'=1+1"
    assert {len(row) for row in rows} == {10}


@only_sqlite
def test_workbook_in_english_with_one_name_and_each_ones_language(site):
    public_id, _ = make_event(site)
    rows = [["Full name", "Mail", "Language"], ["Ann Mary Smith", "ann@example.com", "English"]]
    browser = sign_in(site)
    address = f"/organizer/events/{public_id}/people/import"
    token = browser.open(address).root.find_all("input", name="csrf_token")[0]["value"]
    file = ("people.xlsx", b"".join(write_xlsx([*rows, ["山田 太郎", "taro@example.com", ""]])))
    page = browser.send_file(address, {"csrf_token": token}, file=file)
    site.drain()
    assert "people.xlsx" in browser.open(page.url).text
    start(site, browser.open(page.url))
    ann, taro = (read_person(site, f"{name}@example.com")[0] for name in ("ann", "taro"))
    assert (ann.family_name, ann.given_name, ann.locale) == ("Smith", "Ann Mary", "en")
    assert (taro.family_name, taro.given_name, taro.locale) == ("山田", "太郎", "ja")


@only_sqlite
@pytest.mark.parametrize(
    "fields",
    [{"basis": " "}, {"column-2": ""}, {"column-5": "email"}],
    ids=["no basis", "no address", "one thing twice"],
)
def test_import_without_basis_or_columns_does_not_start(site, fields):
    public_id, _ = make_event(site)
    page = start(site, read(site, sign_in(site), public_id), status=422, **fields)
    assert len(page.root.find_all("div", role="alert")) == 1
    assert count(site) == 0


@only_sqlite
def test_file_that_is_no_table_is_refused_in_words(site):
    public_id, _ = make_event(site)
    browser = sign_in(site)
    assert "1行目の見出しの下に" in read(site, browser, public_id, "姓,名,メール").text
    send(browser, public_id, "", status=422)


@only_sqlite
def test_row_of_somebody_who_was_cancelled_says_what_to_do(site):
    public_id, event_id = make_event(site)
    person = add(site, event_id, "hana@example.com")
    browser = sign_in(site)
    address = f"/organizer/events/{public_id}/people/{person}"
    browser.post_form(address, address, {"act": "cancel"})

    done = start(site, read(site, browser, public_id))

    words = "この方のページでキャンセルを取り消してください"
    assert words in browser.open(done.url).text
    report = browser.fetch(f"{done.url.removeprefix(site.url)}/report").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(report, newline="")))
    assert [words in row[2] for row in rows] == [False, False, False, False, True, False]


@only_sqlite
def test_event_that_takes_nobody_is_the_reason(site):
    public_id, event_id = make_event(site)
    page = read(site, sign_in(site), public_id)
    with site.database.write() as session:
        session.get_one(Event, event_id).status = "closed"
    done = start(site, page)
    assert "受付を終了しました" in sign_in(site).open(done.url).text
    assert count(site) == 0


@only_sqlite
def test_hostile_cells_are_only_text(site):
    public_id, _ = make_event(site)
    cell = '"' + HOSTILE.replace('"', '""') + '"'
    table = f"姓,名,メールアドレス,{cell}\n{cell},太郎,h@example.com,x\n{cell},{cell},{cell},x"
    browser = sign_in(site)
    page = read(site, browser, public_id, table)
    scripts = len(browser.open("/organizer").root.find_all("script"))
    done = browser.open(start(site, page).url)
    assert [len(shown.root.find_all("img")) for shown in (page, done)] == [0, 0]
    assert {len(shown.root.find_all("script")) for shown in (page, done)} == {scripts}


def begin(site, event_id, rows, table=""):
    """Store a table of so many people, or the one given, for a worker to read."""
    lines = "".join(f"山田,太郎,p{n}@example.com\n" for n in range(rows))
    table = table or f"姓,名,メール\n{lines}"
    with site.database.write() as session:
        event = session.get_one(Event, event_id)
        sent = importing.begin_import(
            session, event, table.encode(), file_name="", locale="ja", now=site.clock()
        )
        return sent.id


def confirm(site, import_id, *, by=None):
    with site.database.write() as session:
        columns = {0: "family_name", 1: "given_name", 2: "email"}
        table = session.get_one(PeopleImport, import_id)
        importing.start_import(
            session,
            table,
            columns,
            basis="x",
            locale="ja",
            words_locale="ja",
            by=by,
            now=site.clock(),
        )


def read_import(site, import_id):
    with site.database.read() as session:
        table = people_imports.get_import_by_id(session, import_id)
        return table.done, people_imports.count_results(session, import_id)


@pytest.mark.real_time
@only_sqlite
def test_worker_killed_in_the_middle_loses_and_doubles_nobody(site, tmp_path):
    """SIGKILL falls after somebody was registered and before that is committed."""
    _, event_id = make_event(site)
    import_id = begin(site, event_id, 40)
    site.drain()
    confirm(site, import_id)
    fault = tmp_path / "fault"
    worker = site.start_worker_process(**{FAULT_VARIABLE: f"@{fault}"})
    site.wait_until(lambda: read_import(site, import_id)[0] >= 3)
    fault.write_text("mid_import:kill")
    site.wait_until(lambda: worker.poll() is not None)
    done = read_import(site, import_id)[0]
    assert 3 <= done < 40
    assert count(site) == done
    site.end_leases()
    site.drain()
    assert read_import(site, import_id) == (40, {"added": 40})
    assert count(site) == site.count_rows("mail") == 40


@only_sqlite
def test_worker_that_dies_while_it_reads_goes_on_where_it_stopped(site, monkeypatch):
    _, event_id = make_event(site)
    import_id = begin(site, event_id, 1_100)
    stored = people_imports.add_rows

    def die_at_last(session, number, first, rows):
        if first == 1_000:
            raise RuntimeError
        stored(session, number, first, rows)

    monkeypatch.setattr(people_imports, "add_rows", die_at_last)
    site.drain()
    with site.database.read() as session:
        assert people_imports.count_rows(session, import_id) == 1_000
    monkeypatch.undo()
    site.let_pass(minutes=5)
    site.drain()
    with site.database.read() as session:
        table = people_imports.get_import_by_id(session, import_id)
        rows = people_imports.list_rows(session, import_id, after=0, limit=2_000)
        assert (table.state, table.total, people_imports.read_file(session, import_id)) == (
            "ready",
            1_100,
            None,
        )
    assert [row.cells[2] for row in rows] == [f"p{n}@example.com" for n in range(1_100)]


@only_sqlite
def test_tables_are_forgotten_after_a_month(site):
    _, event_id = make_event(site)
    begin(site, event_id, 2)
    site.drain()
    for days, left in ((29, 2), (31, 0)):
        forget_old_imports(site.database, now=site.clock() + timedelta(days=days))
        assert site.count_rows("people_import_row") == left


@only_sqlite
def test_import_ends_with_the_right_of_whoever_started_it(site):
    _, event_id = make_event(site)
    with site.database.write() as session:
        approver, viewer = (make_membership(session, role) for role in (Role.APPROVER, Role.VIEWER))
    for member, added in ((viewer, 0), (approver, 3)):
        import_id = begin(site, event_id, 3)
        site.drain()
        confirm(site, import_id, by=member.organizer_id)
        site.drain()
        assert count(site) == added
        assert read_import(site, import_id)[0] == added


@only_sqlite
def test_stopped_import_adds_nobody_more(site):
    public_id, event_id = make_event(site)
    import_id = begin(site, event_id, 3)
    site.drain()
    confirm(site, import_id)
    with site.database.read() as session:
        sent = people_imports.get_import_by_id(session, import_id).public_id
    page = sign_in(site).open(f"/organizer/events/{public_id}/imports/{sent}")
    assert "中止：" in page.form("中止する").submit().text
    site.drain()
    assert count(site) == 0


@only_sqlite
def test_table_that_waits_is_named_in_the_list_and_can_be_left_out(site):
    public_id, _ = make_event(site)
    browser = sign_in(site)
    page = read(site, browser, public_id)
    words, address = "列の内容を確認する", f"/organizer/events/{public_id}/people"
    assert words in browser.open(address).text

    assert "中止：" in page.form("読み込みを取り消す").submit().text
    assert words not in browser.open(address).text
    assert count(site) == 0
