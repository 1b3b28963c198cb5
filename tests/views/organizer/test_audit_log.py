"""The audit log as owners see it."""

import csv
import io

from sqlalchemy import update

from services.audit import Action, find_break, record_as
from services.members import Role
from storage import audit
from storage.audit import AuditFilter
from storage.models import AuditEntry
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from views.organizer import audit_log
from views.organizer.audit_log import ACTIONS
from views.organizer.audit_words import describe_facts

AUDIT = "/organizer/settings/audit"


def list_actions(page):
    rows = page.root.find_all("tbody")[0].find_all("tr")
    return [row.find_all("td")[2].text for row in rows]


def fill_log(site):
    with site.database.write() as session:
        for _ in range(101):
            record_as(session, "somebody", Action.AUDIT_SEEN, chain=1, now=site.clock())


@only_sqlite
def test_log_tells_who_did_what(site):
    owner = sign_in(site, email="hanako@example.com")
    viewer = sign_in(site, Role.VIEWER, email="jiro@example.com")
    viewer.look("GET", AUDIT)

    page = owner.open(AUDIT)

    assert list_actions(page)[0] == "ページの表示を拒否された"
    assert "jiro@example.com" in page.root.text
    assert "ログを閲覧" in list_actions(owner.open(AUDIT))[0]


@only_sqlite
def test_log_is_filtered(site):
    owner = sign_in(site)
    sign_in(site, Role.VIEWER).look("GET", AUDIT)

    assert set(list_actions(owner.open(f"{AUDIT}?action=signed_in"))) == {"サインイン"}
    assert "該当する記録" in owner.open(f"{AUDIT}?until=2020-01-01").root.text
    assert owner.look("GET", f"{AUDIT}?since=x&before=y&actor=%00&action='").status_code == 200


@only_sqlite
def test_log_is_paged_by_key(site):
    owner = sign_in(site)
    fill_log(site)

    first = owner.open(AUDIT)
    second = first.follow("以前の記録を表示")

    assert len(list_actions(first)) == 100
    assert len(list_actions(second)) >= 2


@only_sqlite
def test_file_has_the_whole_chain_and_its_reader_holds_no_transaction(site, monkeypatch):
    monkeypatch.setattr(audit, "CHUNK", 2)
    owner = sign_in(site)
    for _ in range(3):
        owner.open(AUDIT)
    text = owner.fetch(f"{AUDIT}.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    with site.database.read() as session:
        stored = list(audit.stream_entries(session, 1, AuditFilter()))
        broken = find_break(stored, audit.get_head(session, 1))

    assert broken is None
    assert [row["hash"] for row in rows] == [entry.hash for entry in stored]
    assert rows[-1]["action"] == "audit_exported"
    lines = audit_log._list_rows(site.database, 1, AuditFilter())
    assert [next(lines)[0] for _ in range(2)] == ["number", "1"]
    assert site.database.engine.pool.checkedout() == 0


@only_sqlite
def test_page_says_whether_its_entries_fit_together(site):
    owner = sign_in(site)
    fill_log(site)
    first = owner.open(AUDIT)
    assert "食い違いはありません" in first.text
    assert "食い違いはありません" in first.follow("以前の記録を表示").text
    assert "食い違い" not in owner.open(f"{AUDIT}?action=signed_in").text
    with site.database.write() as session:
        session.execute(update(AuditEntry).where(AuditEntry.number == 50).values(actor="another"))

    assert "50番目の記録" in owner.open(AUDIT).text
    assert "食い違いはありません" in owner.open(f"{AUDIT}?before=50").text
    done = site.app.test_cli_runner().invoke(args=["audit", "verify"])
    assert done.exit_code == 1
    assert "BROKEN at entry 50" in done.output
    with site.database.write() as session:
        [entry] = session.query(AuditEntry).filter_by(number=51)
        session.delete(entry)
    assert "50番目の記録" in owner.open(f"{AUDIT}?before=53").text


@only_sqlite
def test_command_checks_the_log_of_every_organization(site):
    sign_in(site)
    with site.database.write() as session:
        other = factories.make_organization(session, name="別の会", now=site.clock())
    sign_in(site, organization=other)

    done = site.app.test_cli_runner().invoke(args=["audit", "verify"])

    assert done.exit_code == 0, done.output
    assert [line.split()[-2] for line in done.output.splitlines()[1:]] == ["holds", "holds"]


@only_sqlite
def test_log_of_another_organization_is_not_shown(site):
    sign_in(site, email="hanako@example.com")
    with site.database.write() as session:
        other = factories.make_organization(session, name="別の会", now=site.clock())
    owner = sign_in(site, organization=other)

    page = owner.open(AUDIT)

    assert "hanako@example.com" not in page.root.text
    assert len(list_actions(page)) == 1


@only_sqlite
def test_fields_and_filters_are_named_as_their_pages_name_them(site):
    with site.app.test_request_context("/?lang=ja"):
        told = describe_facts(
            {"fields": "capacity,legal_name,logo,title", "change": "mended", "mend": "x"}
        )
        filtered = describe_facts({"filters": "delivery status"})

    assert told == "変更：Zoomの設定を変更、項目：定員、正式名称、ロゴ、タイトル"
    assert filtered == "絞り込み：Zoomへの登録、状態"


def test_every_action_has_words():
    assert set(ACTIONS) == set(Action)
