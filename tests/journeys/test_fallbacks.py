"""The organizer's own link stands in while Zoom fails, for those who came by mail."""

from urllib.parse import urlsplit

import pytest

from tests.fixtures.databases import only_sqlite
from tests.organizer import Organizer
from tests.people import TARO

pytestmark = only_sqlite

FALLBACK = "https://live.example.com/spring?key=open"


@pytest.fixture
def organizer(site):
    return Organizer(site, site.add_event(slug="spring", fallback_url=FALLBACK))


@pytest.fixture
def by_screen(site, organizer):
    """Register somebody, and return the receipt's link."""
    return site.visitor().open("/e/spring").form().fill(**TARO).submit().link("Zoomで参加する")


def by_mail(site, organizer):
    return site.parts.links.join_from_mail(organizer.find("taro@example.com"))


def list_form_targets(page):
    policy = page.response.headers["Content-Security-Policy"]
    [rule] = [rule for rule in policy.split("; ") if rule.startswith("form-action ")]
    return rule.split()[1:]


def test_reader_of_the_mail_is_let_in_another_way_while_zoom_is_silent(site, organizer, by_screen):
    page = site.visitor().open(by_mail(site, organizer))

    assert "主催者が用意した" in page.text
    assert list_form_targets(page) == ["'self'", site.sandbox.url, "https://live.example.com"]
    assert page.form("Zoomで参加する").leave() == FALLBACK


def test_link_of_a_receipt_waits_for_zoom(site, by_screen):
    page = site.visitor().open(by_screen)
    answer = site.visitor().try_post(by_screen, [])

    assert page.root.find_all("form") == []
    assert "live.example.com" not in page.text
    assert answer.status_code == 200


def test_zooms_own_link_comes_first_once_it_is_there(site, organizer, by_screen):
    site.drain()

    room = site.visitor().open(by_mail(site, organizer)).form().leave()

    assert urlsplit(room).netloc == urlsplit(site.sandbox.url).netloc


def test_person_whom_zoom_refused_is_let_in_another_way(site, organizer, by_screen):
    site.zoom.fault("add_registrant", does="answer", status=400, code=3027, message="No.")
    site.drain()

    page = site.visitor().open(by_mail(site, organizer))

    assert page.form().leave() == FALLBACK


def test_event_without_such_a_link_offers_none(site, organizer, by_screen):
    organizer.change_event(fallback_url="")

    page = site.visitor().open(by_mail(site, organizer))

    assert page.root.find_all("form") == []
    assert list_form_targets(page) == ["'self'", site.sandbox.url]
