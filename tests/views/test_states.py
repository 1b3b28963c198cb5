"""What an event's page says in every state, in both languages, and when it takes anything."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fixtures.databases import only_sqlite
from tests.people import TARO
from tests.stage import Stage

pytestmark = only_sqlite

LOCALES = ("ja", "en")
SHUT = {
    "full": ("満席になりました", "This event is full"),
    "closed": ("受付を終了しました", "Registration is closed"),
    "ended": ("このイベントは終了しました", "This event has ended"),
    "cancelled": ("このイベントは中止になりました", "This event was cancelled"),
}
MEMBERS = {
    "full": {"capacity": 100, "taken": 100},
    "closed": {"status": "closed"},
    "ended": {"starts_in": -timedelta(days=1)},
    "cancelled": {"status": "cancelled"},
}


@pytest.fixture
def stage(site):
    return Stage(site)


def show(stage, locale):
    return stage.site.visitor().open(f"/e/spring?lang={locale}")


def list_headings(page):
    return [heading.text for heading in page.root.find_all("h2")]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", SHUT)
def test_page_of_a_shut_event_says_why_and_has_no_form(stage, state, locale):
    stage.add_event("spring", **MEMBERS[state])

    page = show(stage, locale)

    assert list_headings(page) == [SHUT[state][LOCALES.index(locale)]]
    assert page.root.find_all("form") == []


@pytest.mark.parametrize("locale", LOCALES)
def test_page_before_registration_says_when_it_opens(stage, locale):
    event = stage.add_event("spring", opens_in=timedelta(days=2))
    day = event.opens_at.astimezone(ZoneInfo("Asia/Tokyo"))
    weekday = "月火水木金土日"[day.weekday()]
    expected = {
        "ja": f"受付開始は{day.year}年{day.month}月{day.day}日（{weekday}）14:00（日本時間）です",
        "en": f"Registration opens {day:%a, %b} {day.day}, {day.year}, 14:00 JST (UTC+9)",
    }

    page = show(stage, locale)

    assert list_headings(page) == [expected[locale]]
    assert page.root.find_all("form") == []


@pytest.mark.parametrize(
    ("locale", "words", "heading"),
    [
        ("ja", "400名（残り33名）", "お申し込み"),
        ("en", "400 people (33 left)", "Your registration details"),
    ],
)
def test_page_with_few_seats_left_counts_them_and_has_the_form(stage, locale, words, heading):
    stage.add_event("spring", capacity=400, taken=367)

    page = show(stage, locale)

    assert words in page.text
    assert list_headings(page)[0] == heading
    assert page.form()["form_token"]


def test_page_of_an_event_for_one_speaks_of_a_person(stage):
    stage.add_event("spring", capacity=1)

    assert "1 person" in show(stage, "en").text


@pytest.mark.parametrize(
    ("locale", "words", "heading", "button"),
    [
        (
            "ja",
            "100名（満席・キャンセル待ち受付中）",
            "キャンセル待ちに申し込む",
            "同意してキャンセル待ちに申し込む",
        ),
        (
            "en",
            "100 people (full, waiting list open)",
            "Join the waiting list",
            "Agree and join the waiting list",
        ),
    ],
)
def test_page_with_a_waiting_list_keeps_its_form(stage, locale, words, heading, button):
    stage.add_event("spring", capacity=100, taken=100, has_waitlist=True)

    page = show(stage, locale)

    assert words in page.text
    assert page.link(heading) == "#register"
    assert list_headings(page)[0] == heading
    assert page.form(button)["form_token"]


@pytest.mark.parametrize(
    ("locale", "heading"), [("ja", "ページが見つかりません"), ("en", "This page does not exist")]
)
@pytest.mark.parametrize("slug", ["unknown", "draft"])
def test_unknown_event_and_a_draft_are_one_to_the_public(stage, slug, locale, heading):
    stage.add_event("draft", status="draft", published_at=None)

    page = stage.site.visitor().open(f"/e/{slug}?lang={locale}", status=404)

    assert page.heading == heading
    assert page.root.find_all("form") == []


@pytest.mark.parametrize(
    ("state", "members"),
    [
        ("full", {"capacity": 0}),
        ("closed", {"status": "closed"}),
        ("ended", {"starts_at": datetime(2020, 4, 1, 5, 0, tzinfo=UTC)}),
        ("cancelled", {"status": "cancelled"}),
    ],
)
def test_form_that_was_open_when_the_event_shut_is_not_taken(site, state, members):
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    Stage(site).change_event("spring", **members)

    page = form.submit(status=409)

    assert list_headings(page) == [SHUT[state][0]]
    assert site.count_rows("submission") == 0


@pytest.mark.parametrize("capacity", [None, 1], ids=["seats without end", "last seat"])
def test_form_is_read_anew_after_a_registration_that_changes_it(site, capacity):
    site.add_event(slug="spring", capacity=capacity)
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    before = site.database.changes

    form.submit()

    assert (site.database.changes > before) is (capacity == 1)


def test_notice_is_drawn_as_its_author_meant_it(site):
    site.add_event(slug="spring")

    page = site.visitor().open("/e/spring/notice")

    assert [heading.text for heading in page.root.find_all("h3")] == ["利用目的"]
    assert "#" not in page.text


def test_who_is_too_young_is_turned_away_kindly_and_nothing_is_stored(site):
    event = site.add_event(least_age=16)
    page = site.visitor().open(f"/e/{event.slug}")
    refused = page.form().fill(**TARO).submit(status=422)
    assert refused.errors == ["16歳以上かどうかを選んでください"]

    young = refused.form().fill(old_enough="no").submit(status=409)

    assert "16歳以上の方" in young.text and "保護者" in young.text
    assert "taro@example.com" not in young.response.text
    assert site.count_rows("submission") == site.count_rows("registration") == 0
    refused.form().fill(old_enough="yes").submit()
    assert site.count_rows("registration") == 1
