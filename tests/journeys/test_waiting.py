"""Whoever has no link yet is told the truth: once, with the hour, and whom to ask."""

import re
from datetime import timedelta

import pytest

from services.dates import format_short
from storage import job_lists, registrations, zoom_registrants
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text
from tests.people import TARO
from tests.series import list_ids, make_series

TARO_ADDRESS = TARO["email"]
THREE_A_DAY = (
    "You have exceeded the daily rate limit of (3) for Add meeting registrant API requests."
)


def go_to_noon(site):
    """Let the clock be far from midnight UTC, when Zoom's days begin."""
    now = site.clock()
    noon = now.replace(hour=12, minute=0, second=0) + timedelta(days=1)
    site.let_pass(seconds=(noon - now).total_seconds())
    return noon


def register(site, *, hours, locale="ja"):
    """Register somebody whom Zoom takes only after its day; the event is so many hours away."""
    noon = go_to_noon(site)
    site.add_event(slug="spring", starts_at=noon + timedelta(hours=hours))
    site.zoom.fault("add_registrant", count=None, status=429, message=THREE_A_DAY)
    visitor = site.visitor(locale=locale)
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    site.let_pass(seconds=70)
    site.drain()
    return visitor, receipt, noon


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_mail_and_pages_name_the_hour_from_which_the_link_works(site, locale):
    visitor, receipt, noon = register(site, hours=48, locale=locale)
    opens_at = noon.replace(hour=0, minute=10) + timedelta(days=1)
    hour = format_short(opens_at, "Asia/Tokyo", locale)
    assert "9:10" in hour

    mail = site.mailbox.read_only(TARO_ADDRESS)
    late = {"ja": "開始に間に合いません", "en": "The event begins before that."}[locale]
    join_page = visitor.open(find_link(mail, "j"))
    personal = visitor.open(find_link(mail, "r"))
    again = visitor.open(receipt.url)

    for text in (read_text(mail), join_page.text, personal.text, again.text):
        assert hour in text
        assert late not in text


@only_sqlite
def test_mail_and_pages_say_that_the_event_begins_before_that(site):
    visitor, receipt, _ = register(site, hours=8)

    mail = site.mailbox.read_only(TARO_ADDRESS)
    assert "イベントの開始に間に合いません" in read_text(mail)
    assert "contact@example.com" in read_text(mail)
    for page in (visitor.open(find_link(mail, "j")), visitor.open(receipt.url)):
        assert "参加方法を主催者にお問い合わせください" in page.text


@only_sqlite
@pytest.mark.parametrize(("number", "is_late"), [(0, True), (2, False)])
def test_link_comes_in_time_for_a_later_date_though_another_is_before(site, number, is_late):
    noon = go_to_noon(site)
    with site.database.write() as session:
        week_before = noon + timedelta(hours=8) - timedelta(days=7)
        series = make_series(session, site.zoom, now=week_before, slug="course")
    site.zoom.fault("add_registrant", count=None, status=429, message=THREE_A_DAY)
    visitor = site.visitor()
    chosen = {"question_event_dates": [list_ids(series)[number]]}
    receipt = visitor.open("/e/course").form().fill(**TARO, **chosen).submit()
    site.drain()
    site.let_pass(seconds=70)
    site.drain()

    mail = site.mailbox.read_only(TARO_ADDRESS)
    pages = [receipt.url, find_link(mail, "j"), find_link(mail, "r")]
    texts = [visitor.open(page).text for page in pages]
    assert ["9:10" in text for text in texts] == [True] * 3
    assert ["開始に間に合いません" in text for text in [*texts, read_text(mail)]] == [is_late] * 4


@only_sqlite
def test_receipt_says_nothing_of_a_wait_to_who_has_just_come(site):
    noon = go_to_noon(site)
    site.add_event(slug="spring", starts_at=noon + timedelta(hours=8))
    site.zoom.fault("add_registrant", count=None, status=429, message=THREE_A_DAY)
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO).submit()
    site.drain()

    assert "受付上限" not in visitor.open(receipt.url).text
    site.let_pass(seconds=61)
    site.drain()
    assert "受付上限" in visitor.open(receipt.url).text


def test_word_of_delay_comes_once_whatever_holds_zoom_up(site):
    site.add_event(slug="spring")
    granted = site.zoom.state()["scopes"]
    site.zoom.grant_scopes(scope for scope in granted if "write:registrant" not in scope)
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    for minutes in (0, 2, 14, 1, 60, 24 * 60):
        site.let_pass(minutes=minutes)
        site.drain()

    assert site.mailbox.list_subjects(TARO_ADDRESS) == ["受付完了", "参加用URL準備中"]


@only_sqlite
def test_person_whom_the_worker_gave_up_on_is_sent_to_the_organizer(site):
    site.add_event(slug="spring")
    site.stop_zoom()
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    site.let_pass(seconds=70)
    site.drain()
    mail = site.mailbox.read_only(TARO_ADDRESS)
    with site.database.write() as session:
        [person] = registrations.list_registrations_by_email_key(session, TARO_ADDRESS)
        job = job_lists.get_job(session, f"zoom:{person.id}")
        job.state, job.reason = "parked", "GivenUp: unexpected"

    page = site.visitor().open(find_link(mail, "j"))
    personal = site.visitor().open(find_link(mail, "r"))

    for text in (page.text, personal.text):
        assert "参加方法は、主催者にお問い合わせください" in text
    assert not page.root.find_all("form")
    assert "Zoomへの登録を処理しています" not in personal.text


@only_sqlite
@pytest.mark.parametrize("has_fallback", [False, True])
def test_link_that_cannot_be_used_leads_to_the_organizer_not_in_circles(site, has_fallback):
    fallback = {"fallback_url": "https://example.com/room"} if has_fallback else {}
    site.add_event(slug="spring", **fallback)
    site.visitor().open("/e/spring").form().fill(**TARO).submit()
    site.drain()
    mail = site.mailbox.read_only(TARO_ADDRESS)
    with site.database.write() as session:
        [person] = registrations.list_registrations_by_email_key(session, TARO_ADDRESS)
        registrant = zoom_registrants.get_zoom_registrant(session, person.id)
        zoom_registrants.write_join_url(session, registrant, "https://attacker.invalid/j/1")

    page = site.visitor().open(find_link(mail, "j"))

    assert "参加用URLを開けません" in page.text
    assert len(page.root.find_all("form")) == has_fallback
    if has_fallback:
        assert page.form().leave() == "https://example.com/room"
    assert not re.search("attacker", page.text)
