"""The page with what to paste into other sites, and the list of those that may show the forms."""

import re

import pytest

from services.members import Role
from storage.models import AuditEntry, Organization
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite


@pytest.fixture
def event(site):
    return site.add_event(slug="spring")


@pytest.fixture
def address(event):
    return f"/organizer/events/{event.public_id}/embed"


def list_snippets(page):
    return [pre.text for pre in page.root.find_all("pre")]


def get_origins(site):
    with site.database.read() as session:
        return session.query(Organization).first().embed_origins


def allow(browser, address, origin, *, status=200):
    return (
        browser.open(address).form("このサイトを許可する").fill(origin=origin).submit(status=status)
    )


def test_without_a_site_there_is_a_link_alone(site, address):
    page = sign_in(site).open(address)

    [snippet] = list_snippets(page)
    assert snippet == f'<a href="{site.url}/e/spring">お申し込みはこちら</a>'
    assert "リンクはどのサイトでも使えます" in page.text


def test_allowed_site_gets_snippets_and_may_show_the_form(site, address):
    owner = sign_in(site)

    page = allow(owner, address, "https://WWW.Example.com/")

    assert get_origins(site) == ["https://www.example.com"]
    policy = site.visitor().open("/e/spring/embed").response.headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.example.com;" in policy
    script, box, frame, _link = list_snippets(page)
    version, integrity = re.search(
        r'/(embed-\w+\.js)"\s+integrity="(sha384-[\w+/=]+)"', script
    ).groups()
    assert site.visitor().fetch(f"/{version}").status_code == 200 and integrity
    assert 'crossorigin="anonymous" data-event="spring" async></script>' in script
    assert '<div data-uketsuke-event="spring">' in box
    shown = re.search(r'src="([^"]+)"', frame)[1].replace("&amp;", "&")
    assert site.visitor().open(shown).heading == "春の説明会"


def test_colours_of_the_page_reach_snippets_and_preview(site, address):
    owner = sign_in(site)
    allow(owner, address, "https://www.example.com")

    page = owner.open(f"{address}?theme=dark")

    script, box, frame, _link = list_snippets(page)
    assert 'data-theme="dark"' in script and 'data-theme="dark"' in box
    assert "theme=dark" in frame
    preview = owner.open(page.root.find_all("iframe")[0]["src"])
    assert preview.root.find_all("body")[0]["class"] == "framed"
    assert "frame-ancestors 'self'" in preview.response.headers["Content-Security-Policy"]
    assert "保存していません" in preview.form().submit().text
    assert site.count_rows("submission") == 0


def test_withdrawn_site_shows_the_form_no_more_and_the_log_has_both(site, address):
    owner = sign_in(site)
    allow(owner, address, "https://www.example.com")

    owner.open(address).form("削除").submit()

    assert get_origins(site) == []
    policy = site.visitor().open("/e/spring/embed").response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    with site.database.read() as session:
        facts = [
            row.facts for row in session.query(AuditEntry).filter_by(action="settings_changed")
        ]
    wanted = {"part": "embed", "origin": "https://www.example.com"}
    assert facts == [wanted | {"change": "allowed"}, wanted | {"change": "withdrawn"}]
    assert "https://www.example.com" in owner.open("/organizer/settings/audit").text


REFUSED = {
    "": "サイトを1件",
    "*": "サイトを1件",
    "https:": "サイトを1件",
    "javascript:alert(1)": "サイトを1件",
    "a.com; script-src *": "サイトを1件",
    "https://a.com\nhttps://b.com": "サイトを1件",
    "https://www.example.com/landing": "サイト名より後ろは除いて",
    "http://www.example.com": "https:// から",
    "https://*.example.com": "正確なサイト名",
}


def test_anything_but_one_exact_site_is_refused_in_words(site, address):
    owner = sign_in(site)

    for origin, message in REFUSED.items():
        [error] = allow(owner, address, origin, status=422).errors
        assert message in error, origin
    assert get_origins(site) == []

    with site.database.write() as session:
        origins = [f"https://{number}.example.com" for number in range(50)]
        session.query(Organization).first().embed_origins = origins
    [error] = allow(owner, address, "https://www.example.com", status=422).errors
    assert "50件まで" in error


def test_editor_sees_the_list_and_cannot_change_it(site, address):
    allow(sign_in(site), address, "https://www.example.com")
    editor = sign_in(site, Role.EDITOR)

    page = editor.open(address)

    assert "https://www.example.com" in page.text
    assert page.root.find_all("input", name="origin") == []
    token = editor.open("/organizer").root.find_all("input", name="csrf_token")[0]["value"]
    for path in (address, f"{address}/withdraw"):
        fields = [("csrf_token", token), ("origin", "https://www.example.com")]
        assert editor.try_post(path, fields).status_code == 403
    assert get_origins(site) == ["https://www.example.com"]
