"""Setting the address of the page of coming events."""

import pytest

from services.organization_pages import change_slug
from storage import organizations
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

SAVE = "保存"
URL = "/organizer/settings/list"


@pytest.fixture
def owner(site):
    site.add_event(slug="spring")
    return sign_in(site)


def test_page_is_there_once_it_has_an_address(site, owner):
    page = owner.open(URL).form(SAVE).fill(slug="sample").submit()

    assert "保存しました" in page.text
    assert "現在1件を掲載しています" in page.text
    assert f'<iframe src="{site.url}/o/sample/embed"' in page.root.text
    assert '<div data-uketsuke-organization="sample"' in page.root.text
    assert "春の説明会" in site.visitor().open("/o/sample").text
    page.form(SAVE).fill(slug="").submit()
    site.visitor().open("/o/sample", status=404)


def test_second_editor_is_told(site, owner):
    other = sign_in(site)
    mine = owner.open(URL).form(SAVE)
    other.open(URL).form(SAVE).fill(slug="theirs").submit()

    page = mine.fill(slug="mine").submit(status=409)

    assert "theirs" in page.text
    page.form(SAVE).submit()
    site.visitor().open("/o/mine")


def test_address_that_is_anothers_is_refused(site, owner):
    with site.database.write() as session:
        other = factories.make_organization(session, name="よその会")
        change_slug(session, other, "former", now=site.clock())
        change_slug(session, other, "taken", now=site.clock())
    for slug in ("taken", "former", "A b"):
        assert owner.open(URL).form(SAVE).fill(slug=slug).submit(status=422).errors, slug
    with site.database.read() as session:
        assert organizations.get_first_organization(session).slug is None


def test_what_was_saved_already_is_no_second_editor(site, owner):
    form = owner.open(URL).form(SAVE).fill(slug="sample")
    form.submit()

    assert "保存しました" in form.submit().text
