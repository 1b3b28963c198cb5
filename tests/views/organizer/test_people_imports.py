"""Adding people from a table: looked through first, told row by row, and never twice."""

import pytest

from services.members import Role
from services.people_imports import read_table
from services.registration_exports import defuse
from storage import mails, registrations
from storage.models import Registration
from tests.dashboard import sign_in
from tests.factories import COMPANY
from tests.fixtures.databases import only_sqlite
from tests.views.organizer.test_people import AGE, HOSTILE, add, find, list_names, make_event

TABLE = """姓,名,メールアドレス,会社名・団体名,年代,備考,ご案内を受け取る
高橋,次郎,jiro@example.com,"例, 株式会社",30代,x,はい
佐藤,,nobody@example.com,,,,
田中,花,not an address,,,,
伊藤,花,HANA@Example.com,,20代,,はい
"""


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_table_is_read_whatever_parts_its_columns(delimiter):
    text = delimiter.join(["First name", "Last name", "E-mail", "会社名・団体名"]) + "\r\n"
    text += delimiter.join(["Ann", "Smith", "ann@example.com", "例"]) + "\r\n"
    table = read_table("\ufeff" + text, (COMPANY, AGE))
    assert table.columns == {0: "given_name", 1: "family_name", 2: "email", 3: "?company"}
    assert table.rows == [["Ann", "Smith", "ann@example.com", "例"]]
    assert table.missing == []


def test_what_an_export_has_defused_comes_back_as_it_was():
    table = read_table(f"姓\t名\n{defuse('=1+1')}\t'普通'", ())
    assert table.rows == [["=1+1", "'普通'"]]
    assert table.missing == ["email"]


def post(browser, event, **fields):
    address = f"/organizer/events/{event}/people/import"
    status = fields.pop("status", 200)
    return browser.post_form(address, address, {"basis": "名刺交換で同意"} | fields, status=status)


def count(site):
    with site.database.read() as session:
        return session.query(Registration).count()


@only_sqlite
def test_nothing_is_stored_before_the_rows_were_seen(site):
    public_id, event_id = make_event(site)
    add(site, event_id, "hana@example.com")
    page = post(sign_in(site), public_id, table=TABLE)
    texts = [cell.text for cell in page.root.find_all("td", data_label="結果")]
    assert (texts[0], texts[3]) == ("追加できます", "登録済み（変更しません）")
    assert "備考" in page.text
    assert count(site) == 1


@only_sqlite
def test_second_import_changes_nothing_and_mails_nobody(site):
    public_id, event_id = make_event(site)
    browser = sign_in(site, Role.APPROVER)
    for _ in range(2):
        post(browser, public_id, table=TABLE, sure="yes")
        assert count(site) == 2
    with site.database.read() as session:
        [person] = registrations.list_registrations_by_email_key(session, "jiro@example.com")
        answers = {a.question_id: a.value for a in registrations.list_answers(session, person.id)}
        assert registrations.list_consents(session, person.id) == []
        assert len(mails.list_mails(session, person.id)) == 1
    assert answers == {"company": "例, 株式会社", "age": "30s"}
    people = browser.open(f"/organizer/events/{public_id}/people?mailable=yes")
    assert list_names(people) == []


@only_sqlite
@pytest.mark.parametrize(
    "fields", [{"table": ""}, {"table": "姓,名\n山田,太郎"}, {"table": TABLE, "basis": ""}]
)
def test_table_without_columns_or_basis_is_not_taken(site, fields):
    public_id, _ = make_event(site)
    post(sign_in(site), public_id, status=422, **fields, sure="yes")
    assert count(site) == 0


@only_sqlite
def test_hostile_cells_are_only_text(site):
    public_id, _ = make_event(site)
    cell = '"' + HOSTILE.replace('"', '""') + '"'
    table = f"姓,名,メールアドレス,{cell}\n{cell},太郎,h@example.com,x\n{cell},{cell},{cell},x"
    page = post(sign_in(site), public_id, table=table)
    assert len(page.root.find_all("script")) == 2
    assert find(site, "x") is None
