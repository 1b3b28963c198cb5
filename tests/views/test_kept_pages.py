"""Pages that are drawn once: what differs is put in, escaped, and never kept."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from markupsafe import escape

from storage import events
from storage.models import Event
from storage.session import Database
from tests.fixtures.databases import only_sqlite
from tests.people import HANAKO, TARO
from tests.stage import Stage
from views import event_pages
from views.kept_pages import MAX_KEPT, Kept, KeptPages, fill, mark

HOSTILE = '"><script>alert(1)</script>&amp;%s{{ 7 * 7 }}'


def test_page_is_drawn_once_for_a_key():
    pages, drawn = KeptPages(), []

    def draw():
        drawn.append(1)
        return f"<p>{mark('name')} and {mark('other')} and {mark('name')}</p>"

    first = pages.fill("a", {"name": "太郎", "other": "1"}, draw)
    second = pages.fill("a", {"name": "花子", "other": "2"}, draw)

    assert first.decode() == "<p>太郎 and 1 and 太郎</p>"
    assert second.decode() == "<p>花子 and 2 and 花子</p>"
    assert len(drawn) == 1


def test_values_are_escaped_once():
    page = fill(f"<p>{mark('typed')}</p>{mark('drawn')}", {"typed": "<b>", "drawn": escape("<i>")})

    assert page == b"<p>&lt;b&gt;</p>&lt;i&gt;"


def test_page_may_begin_and_end_with_a_value():
    assert fill(f"{mark('a')}{mark('b')}", {"a": "1", "b": "2"}) == b"12"


def test_oldest_values_are_forgotten():
    kept = Kept()
    for number in range(MAX_KEPT + 1):
        kept.get(number, lambda number=number: f"value {number}")

    assert kept.get(0, lambda: "made again") == "made again"
    assert kept.get(MAX_KEPT, lambda: "made again") == f"value {MAX_KEPT}"


@only_sqlite
def test_receipts_of_two_people_share_nothing(site):
    site.add_event(slug="spring")
    pages = [
        site.visitor().open("/e/spring").form().fill(**person).submit()
        for person in (TARO | {"family_name": HOSTILE}, HANAKO)
    ]
    taro, hanako = [page.text for page in pages]

    assert HOSTILE in taro
    assert "太郎" in taro and "t***@example.com" in taro
    assert "花子" in hanako and "h***@example.com" in hanako
    assert "太郎" not in hanako and "t***" not in hanako
    links = [page.root.find_all("span", data_copy_source="")[0].text for page in pages]
    assert links[0] != links[1]
    for page, link in zip(pages, links, strict=True):
        google = parse_qs(urlsplit(page.link("Google")).query)
        assert google["details"] == [link]


@only_sqlite
def test_receipt_is_drawn_once_for_all_in_one_state(site, monkeypatch):
    site.add_event(slug="spring")
    kept = site.parts.receipts._pages._values

    for number in range(3):
        person = TARO | {"email": f"taro{number}@example.com"}
        site.visitor().open("/e/spring").form().fill(**person).submit()

    assert len(kept) == 1
    assert b"taro" not in b"".join(
        part for part in next(iter(kept.values())) if bytes is type(part)
    )


@pytest.fixture
def reads(monkeypatch):
    """Note each time that somebody reads what decides which page an event's address shows."""
    noted, find_head = [], events.find_head

    def find_and_note(database, slug):
        noted.append(slug)
        return find_head(database, slug)

    monkeypatch.setattr(events, "find_head", find_and_note)
    return noted


@only_sqlite
def test_crowd_that_opens_a_form_reads_its_event_once(site, reads, monkeypatch):
    monkeypatch.setattr(event_pages, "GLANCE_SECONDS", 1e9)
    site.add_event(slug="spring")

    for _ in range(5):
        site.visitor().open("/e/spring").form()
    assert len(reads) == 1

    # Whoever changes it in this process sees the change at once.
    Stage(site).change_event("spring", status="closed")
    assert "受付を終了しました" in site.visitor().open("/e/spring").text


@only_sqlite
def test_change_of_another_process_shows_within_a_moment(site):
    event = site.add_event(slug="spring")
    site.visitor().open("/e/spring").form()
    with Database(str(site.database.url), cipher=None).write() as session:
        session.get_one(Event, event.id).status = "closed"

    deadline = time.monotonic() + 30
    while "受付を終了しました" not in site.visitor().open("/e/spring").text:
        assert time.monotonic() < deadline


@only_sqlite
def test_nobody_fills_what_is_kept_with_words_of_their_own(site, monkeypatch):
    site.add_event(slug="spring")
    receipt = site.visitor().open("/e/spring").form().fill(**TARO).submit()
    drawn = []
    keep = site.parts.receipts.fill
    monkeypatch.setattr(
        KeptPages,
        "fill",
        lambda pages, key, values, draw: keep(key, values, lambda: drawn.append(key) or draw()),
    )

    for number in range(3):
        site.visitor().open(f"{receipt.url}&theme={number}&parent=https://e{number}.example")

    assert len(drawn) < 2


@only_sqlite
def test_head_draws_the_same_page_as_get(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    assert visitor.look("HEAD", "/e/spring").status_code == 200

    assert "data-seen" in visitor.look("GET", "/e/spring").text
