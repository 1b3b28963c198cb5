"""People who write what is meant to run, in every field: no page, chart, file or mail runs it."""

import csv
import io
import zipfile

import pytest

from services.people_acts import Act
from services.people_tasks import do_next, start_task
from services.questions import Answer
from services.sources import SOURCE_NAMES
from storage.models import Event, PeopleImport, Registration
from tests.dashboard import make_entrance, make_membership
from tests.dashboard_world import HOSTILE
from tests.fixtures.browsers import Watch
from tests.fixtures.databases import only_sqlite
from tests.views.organizer.test_people import add, make_event
from tests.views.organizer.test_people_imports import begin

pytestmark = [pytest.mark.browser, only_sqlite]

QUOTE = '"'
FORMULA = '=HYPERLINK("http://127.0.0.1/","x")'
FIND_MARKUP = "document.querySelectorAll('main script, main img[src=x], iframe[srcdoc]').length"


@pytest.fixture
def world(site):
    """Fill an event with hostile people; return the address of everything that shows them."""
    public_id, event_id = make_event(site, approval="manual")
    fields = {
        "family_name": HOSTILE,
        "given_name": FORMULA,
        "answers": {"company": Answer((HOSTILE,)), "age": Answer((HOSTILE,))},
        "source": dict.fromkeys(SOURCE_NAMES, HOSTILE),
    }
    person = add(site, event_id, "hostile@example.com", **fields)
    add(site, event_id, "held@example.com", is_suspicious=True, **fields)
    cell, formula = (f'"{text.replace(QUOTE, QUOTE * 2)}"' for text in (HOSTILE, FORMULA))
    table = f"{cell},姓,名,メール\n" + f"{cell},{cell},{formula},{cell}\n" * 2
    import_id = begin(site, event_id, 0, table=table)
    site.drain()
    with site.database.write() as session:
        event = session.get_one(Event, event_id)
        row = session.query(Registration).filter_by(public_id=person).one()
        task = start_task(session, event, Act.RETRY, [row.id], by=None, now=site.clock())
        do_next(session, task.id, by=None, now=site.clock())
        table_id = session.get_one(PeopleImport, import_id).public_id
        base = f"/organizer/events/{public_id}"
        return base, f"{base}/tasks/{task.public_id}", f"{base}/imports/{table_id}", person


def test_nothing_that_people_write_runs_anywhere(site, world, browser):
    base, task, table, person = world
    with site.database.write() as session:
        organizer_id = make_membership(session, name=HOSTILE, now=site.clock()).organizer_id
    context = browser.new_context(locale="ja-JP")
    tab = context.new_page()
    watch = Watch(tab)
    tab.on("dialog", lambda dialog: watch.faults.append(dialog.message))
    tab.goto(make_entrance(site, organizer_id))
    tab.locator("main form button").click()
    one = f"{base}/people/{person}"
    for address in (base, f"{base}/people", one, f"{one}/edit", f"{base}/held", task, table):
        tab.goto(site.url + address)
        assert "<script>alert(1)</script>" in tab.locator("main").inner_html().replace(
            "&lt;", "<"
        ).replace("&gt;", ">"), address
        assert tab.evaluate(FIND_MARKUP) == 0, address
    tab.locator("[name=basis]").fill(HOSTILE)
    tab.locator("form:has([name=basis]) button").click()
    site.drain()
    for address in (table, f"{base}/people/columns", "/organizer/settings/audit", "/mailbox"):
        tab.goto(site.url + address)
        assert tab.evaluate(FIND_MARKUP) == 0, address
    # What a mail looks like, as it is previewed.
    tab.locator("main a").first.click()
    assert tab.evaluate(FIND_MARKUP) == 0
    tab.goto(f"{site.url}{base}/people?q=%3Cscript")
    tab.locator("[name=person]").first.check()
    tab.locator("button[value=deny]").first.click()
    assert HOSTILE.split("\u202e")[0] in tab.locator("main").inner_text()
    files = {
        kind: context.request.get(f"{site.url}{base}/people/export?format={kind}").body()
        for kind in ("csv", "xlsx")
    }
    report = context.request.get(f"{site.url}{table}/report").body()
    context.close()

    assert watch.faults == []
    for content in (files["csv"], report):
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        assert len(rows) >= 2
        assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))] == []
    sheet = zipfile.ZipFile(io.BytesIO(files["xlsx"])).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b"<script" not in sheet
