"""The form within pages of others: who may show it, and that it is the same form."""

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from cli.web_server import WAITED_SECONDS, WAITING
from services.events import LinkPolicy
from storage import events
from storage.models import Organization, SubmissionRow
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_code
from tests.people import TARO
from views.headers import POLICY

pytestmark = only_sqlite

ORIGINS = ["https://www.example.com", "https://xn--r8jz45g.jp:8443"]


def list_origins(site, *origins):
    with site.database.write() as session:
        organization = session.query(Organization).one()
        organization.embed_origins = list(origins)
        events.raise_versions(session, organization.id, now=site.clock())


@pytest.fixture
def framed(site):
    site.add_event(slug="spring")
    list_origins(site, *ORIGINS)
    return site


def read_ancestors(response):
    return re.search(r"frame-ancestors ([^;]*)", response.headers["Content-Security-Policy"])[1]


def test_listed_origins_alone_may_show_the_form(framed):
    visitor = framed.visitor()
    form = visitor.open("/e/spring/embed")
    refused = form.form().submit(status=422)
    receipt = refused.form().fill(**TARO).submit()
    gone = visitor.open(f"/e/spring/embed/done/s{'a' * 44}", status=404)

    pages = (form, refused, receipt, gone)
    assert {read_ancestors(page.response) for page in pages} == {" ".join(ORIGINS)}
    for page in pages:
        assert page.response.headers["Content-Security-Policy"].count("frame-ancestors") == 1


def test_empty_list_lets_nobody_show_it(framed):
    list_origins(framed)

    assert read_ancestors(framed.visitor().open("/e/spring/embed").response) == "'none'"


def test_no_other_route_can_be_framed(framed):
    """Every route that anybody can ask for, whatever it answers."""
    client = framed.app.test_client()
    wrong = {}
    for rule in framed.app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.rule.startswith("/e/<slug>/embed"):
            continue
        path = re.sub(r"<[^>]*slug>", "spring", rule.rule)
        path = re.sub(r"<(?:int|string)[^>]*>", "123456", path)
        path = re.sub(r"<any\('([^']*)'.*?>", r"\1", path)
        answer = client.get(re.sub(r"<[^>]*>", "x" * 22, path), base_url=framed.url)
        policy = answer.headers["Content-Security-Policy"]
        if not re.search(r"frame-ancestors 'none'|; sandbox$", policy):
            wrong[rule.rule] = policy

    assert wrong == {}


def find_targets(address):
    """Return where an address of a framed page may open."""
    if re.search(r"/[jr]/", address):
        return ["_top"]
    is_here = address.startswith(("#", "?", "mailto:", "/e/spring/embed"))
    return ["_self"] if is_here and "invite.ics" not in address else ["", "_blank"]


def test_registration_stays_in_its_frame_and_leads_out_of_it(framed):
    query = "lang=ja&theme=dark&parent=https://www.example.com&utm_source=letter"
    form = framed.visitor().open(f"/e/spring/embed?{query}")
    receipt = form.form().fill(**TARO).submit()

    assert urlsplit(receipt.url).path.startswith("/e/spring/embed/done/")
    assert parse_qs(urlsplit(receipt.url).query) == {
        "lang": ["ja"],
        "theme": ["dark"],
        "parent": ["https://www.example.com"],
    }
    for page in (form, receipt, receipt.follow("メールアドレスを訂正する")):
        assert page.root.find_all("base")[0]["target"] == "_blank"
        assert page.root.find_all("header") == page.root.find_all("footer") == []
        for element in page.root.find_all("a", "form"):
            address = element["href"] + element["action"]
            assert element["target"] in find_targets(address), address
    with framed.database.read() as session:
        row = session.query(SubmissionRow).one()
        assert (row.surface, row.source) == ("embed", {"utm_source": "letter"})


def test_receipt_acts_within_its_frame(site):
    site.add_event(slug="spring", link_policy=LinkPolicy.CODE)
    receipt = site.visitor().open("/e/spring/embed?theme=light").form().fill(**TARO).submit()

    resent = receipt.form("確認メールを再送する").submit()
    form = resent.follow("メールアドレスを訂正する").form()
    corrected = form.fill(email="t@example.com").submit()
    wrong = corrected.form("参加用URLを表示する").fill(code="000000").submit(status=422)
    site.drain()
    code = find_code(site.mailbox.read_last("t@example.com"))
    shown = wrong.form("参加用URLを表示する").fill(code=code).submit()

    assert "/j/" in shown.text
    for page in (resent, corrected, shown):
        assert urlsplit(page.url).path.startswith("/e/spring/embed/done/")
        assert "theme=light" in page.url


def test_receipt_is_not_shown_in_the_frame_of_another_event(framed):
    framed.add_event(slug="autumn")
    visitor = framed.visitor()
    receipt = visitor.open("/e/spring/embed").form().fill(**TARO).submit()

    visitor.open(receipt.url.replace("/e/spring/", "/e/autumn/"), status=404)


def test_token_of_one_surface_is_refused_on_the_other(framed):
    visitor = framed.visitor()
    for here, there in (("/e/spring", "/e/spring/embed"), ("/e/spring/embed", "/e/spring")):
        fields = [*visitor.open(here).form().fields, *TARO.items()]
        assert "時間が経過した" in visitor.post(there, fields, status=422).text
    assert framed.count_rows("submission") == 0


def test_frame_is_drawn_once_whatever_its_address_carries(framed):
    visitor = framed.visitor()
    for number in range(3):
        page = visitor.open(f"/e/spring/embed?gclid={number}&utm_term={number}&parent=https://x.y")
        assert f"utm_term={number}" in page.form().action

    assert len(framed.parts.framed_forms._pages._values) == 1


def test_other_pages_keep_their_policy(framed):
    for path in ("/e/spring", "/e/spring/notice"):
        answer = framed.visitor().open(path).response
        assert answer.headers["Content-Security-Policy"] == POLICY


def test_page_says_in_the_frame_why_nobody_can_register(framed):
    framed.add_event(slug="over", status="closed")

    page = framed.visitor().open("/e/over/embed")

    assert "受付を終了しました" in page.text
    assert page.root.find_all("body")[0]["data-view"] == "closed"


def test_form_tells_the_listed_page_what_it_may_fill_in(framed):
    listed, other = (
        framed.visitor().open(f"/e/spring/embed?parent={origin}").form().element
        for origin in (ORIGINS[0], "https://other.example")
    )

    fillable = [name for name, _label in json.loads(listed["data-fillable"])]
    assert fillable == ["family_name", "given_name", "email", "question_company"]
    assert "data-fillable" not in other


def test_link_fills_in_text_alone(framed):
    hostile = '"><svg onload=alert(1)>'
    query = urlencode({"email": hostile, "question_privacy": "yes", "status": "approved"})
    page = framed.visitor().open(f"/e/spring/embed?{query}")

    assert page.form()["email"] == hostile
    assert page.form()["question_privacy"] == ""
    assert "approved" not in page.form().action


def test_busy_page_is_shown_in_the_frame(framed):
    framed.visitor().open("/e/spring/embed")
    answer = ask_in_a_crowd(framed, f"/e/spring/embed?theme=dark&lang=en&parent={ORIGINS[0]}", TARO)
    other = ask_in_a_crowd(framed, "/e/spring/embed?parent=https://other.example", TARO)

    assert answer.status_code == 503
    assert read_ancestors(answer) == " ".join(ORIGINS)
    assert 'class="framed"' in answer.text and "&amp;theme=dark" in answer.text
    assert TARO["family_name"] in answer.text
    assert f'data-view="form" data-parent="{ORIGINS[0]}"' in answer.text
    assert "data-parent" not in other.text


def ask_in_a_crowd(site, address, fields):
    crowd = {WAITED_SECONDS: 60.0, WAITING: 1_000}
    return site.app.test_client().post(
        address, data=fields, environ_overrides=crowd, base_url=site.url
    )


def test_page_without_a_database_is_shown_in_the_frame(framed, monkeypatch):
    visitor = framed.visitor()
    form = visitor.open(f"/e/spring/embed?parent={ORIGINS[0]}").form()
    monkeypatch.setattr(events, "get_head", fail)

    page = form.fill(**TARO).submit(status=503)

    assert read_ancestors(page.response) == " ".join(ORIGINS)
    assert page.form()["family_name"] == "山田"

    monkeypatch.setattr("views.registration.load_event", fail)
    page = form.submit(status=503)

    assert read_ancestors(page.response) == " ".join(ORIGINS)
    assert f'data-view="form" data-parent="{ORIGINS[0]}"' in page.response.text
    assert page.form()["family_name"] == "山田"


def fail(*_, **__):
    raise OperationalError("SELECT", {}, Exception("no database"))
