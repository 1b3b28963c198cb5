"""Pages show the visitor's own time beside the event's, where the two differ."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

WINTER = datetime(2030, 12, 12, 4, 30, tzinfo=UTC)  # half past one in the afternoon in Japan
SUMMER = datetime(2030, 7, 11, 4, 30, tzinfo=UTC)


def own_time(tab):
    return tab.locator("[data-zone]")


@pytest.mark.parametrize(
    ("starts_at", "zone", "written"),
    [
        (WINTER, "America/New_York", "12月11日（水）23:30〜12月12日（木）00:30（UTC-5）"),
        (SUMMER, "America/New_York", "7月11日（木）00:30〜01:30（UTC-4）"),
        (WINTER, "Asia/Kolkata", "12月12日（木）10:00〜11:00（UTC+5:30）"),
    ],
)
def test_visitor_of_another_zone_reads_their_own_time(stage, open_tab, starts_at, zone, written):
    stage.add_event("spring", starts_at=starts_at)
    tab = open_tab(timezone_id=zone)

    tab.goto(stage.address("spring"))

    expect(own_time(tab)).to_have_text(f"お使いの地域では {written}")
    expect(own_time(tab)).to_be_visible()


def test_own_time_is_written_as_english_does(stage, open_tab):
    stage.add_event("spring", starts_at=WINTER)
    tab = open_tab(locale="en", timezone_id="America/New_York")

    tab.goto(stage.address("spring"))

    written = "Wed, Dec 11, 23:30 – Thu, Dec 12, 00:30 (UTC-5)"
    expect(own_time(tab)).to_have_text(f"In your time zone: {written}")


def test_every_page_of_a_person_shows_their_own_time(stage, open_tab):
    stage.add_event("spring", starts_at=WINTER)
    receipt = stage.register("spring", "taro@example.com")
    tab = open_tab(timezone_id="America/New_York")

    for address in (receipt, stage.join("taro@example.com"), stage.personal("taro@example.com")):
        tab.goto(address)
        expect(own_time(tab)).to_contain_text("12月11日（水）23:30")


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Seoul"])
def test_visitor_whose_clock_agrees_reads_nothing_more(stage, open_tab, zone):
    stage.add_event("spring", starts_at=WINTER)
    tab = open_tab(timezone_id=zone)

    tab.goto(stage.address("spring"), wait_until="networkidle")

    expect(own_time(tab)).to_be_hidden()


def test_zone_of_the_event_is_what_counts(stage, open_tab):
    stage.add_event("spring", starts_at=WINTER, timezone="America/New_York")
    tab, local = open_tab(), open_tab(timezone_id="America/New_York")

    tab.goto(stage.address("spring"))
    local.goto(stage.address("spring"), wait_until="networkidle")

    expect(own_time(tab)).to_contain_text("12月12日（木）13:30〜14:30（UTC+9）")
    expect(own_time(local)).to_be_hidden()


def test_without_javascript_the_line_stays_away(stage, open_tab):
    stage.add_event("spring", starts_at=WINTER)
    tab = open_tab(timezone_id="America/New_York", java_script_enabled=False)

    tab.goto(stage.address("spring"))

    expect(own_time(tab)).to_be_hidden()
    expect(tab.get_by_text("2030年12月12日（木）13:30〜14:30（日本時間）")).to_be_visible()
