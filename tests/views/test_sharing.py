"""What an event's page tells programs, and the picture of its card."""

import json
import threading
from io import BytesIO

import pytest
from PIL import Image

from services import sharing_cards
from storage import events
from tests.fixtures.databases import only_sqlite
from tests.stage import Stage
from views import card_shelf

pytestmark = only_sqlite

HOSTILE = "</script><script>alert(1)</script><!--\u2028\"'&amp;"


def read_head(page):
    """Return the meta tags and links of a page by their names."""
    found = {}
    for element in page.root.find_all("meta", "link"):
        name = element["name"] or element["property"] or element["rel"] + element["hreflang"]
        found[name] = element["content"] or element["href"]
    return found


def read_schema(page):
    [script] = page.root.find_all("script", type="application/ld+json")
    return json.loads("".join(script.children))


def change(site, slug, **members):
    with site.database.write() as session:
        event = events.get_event_by_slug(session, slug)
        for name, value in members.items():
            setattr(event, name, value)
        event.version += 1


def test_page_says_where_it_is_and_in_which_languages(site):
    site.add_event(slug="spring", lead={"ja": "一行"})
    head = read_head(site.visitor().open("/e/spring?lang=en&utm_source=mail"))

    url = f"{site.url}/e/spring"
    assert head["canonical"] == f"{url}?lang=en"
    assert head["alternateja"] == f"{url}?lang=ja"
    assert head["alternateen"] == f"{url}?lang=en"
    assert head["alternatex-default"] == url
    assert head["og:url"] == f"{url}?lang=en"
    assert (head["og:title"], head["og:locale"]) == ("Spring briefing", "en_US")
    assert head["og:site_name"] == "例の会"
    assert "robots" not in head


def test_page_in_a_language_that_it_lacks_is_the_other_ones(site):
    site.add_event(slug="spring", title={"ja": "春の説明会"})
    head = read_head(site.visitor(locale="en").open("/e/spring"))

    assert head["canonical"] == f"{site.url}/e/spring?lang=ja"
    assert "alternateen" not in head


@pytest.mark.parametrize(
    "members",
    [{}, {"capacity": 0}, {"status": "closed"}, {"status": "cancelled"}],
    ids=["open", "full", "closed", "cancelled"],
)
def test_only_listed_events_are_to_be_found(site, members):
    site.add_event(slug="spring", **members)
    assert "robots" not in read_head(site.visitor().open("/e/spring"))

    change(site, "spring", is_listed=False)
    assert read_head(site.visitor().open("/e/spring"))["robots"] == "noindex"
    change(site, "spring", status="draft", is_listed=True)
    assert read_head(site.visitor().open("/e/spring", status=404))["robots"] == "noindex"


def test_other_pages_are_not_to_be_found(site):
    site.add_event(slug="spring")
    visitor = site.visitor()

    for address in ("/e/spring/notice", "/e/spring/embed", "/", "/e/unknown"):
        status = 404 if "unknown" in address else 200
        assert read_head(visitor.open(address, status=status))["robots"] == "noindex"
    wrong = visitor.open("/e/spring").form().submit(status=422)
    assert read_head(wrong)["robots"] == "noindex"


def test_hostile_title_stays_data(site):
    site.add_event(slug="spring", title={"ja": HOSTILE}, lead={"ja": HOSTILE})
    page = site.visitor().open("/e/spring")

    assert read_schema(page)["name"] == HOSTILE
    assert read_head(page)["og:title"] == HOSTILE
    assert "<script>alert" not in page.response.text


def test_card_is_a_picture_for_ever(site):
    Stage(site).add_examples()
    head = read_head(site.visitor().open("/e/demo"))
    answer = site.visitor().fetch(head["og:image"])

    assert answer.headers["Content-Type"] == head["og:image:type"] == "image/jpeg"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    size = (int(head["og:image:width"]), int(head["og:image:height"]))
    assert Image.open(BytesIO(answer.content)).size == size == (1200, 630)


def test_card_follows_the_event_and_a_draft_has_none(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    former = read_head(visitor.open("/e/spring"))["og:image"]
    change(site, "spring", title={"ja": "夏の説明会"})
    new = read_head(visitor.open("/e/spring"))["og:image"]

    assert former != new
    answer = visitor.look("GET", former)
    assert (answer.status_code, site.url + answer.headers["Location"]) == (302, new)
    assert "no-store" in answer.headers["Cache-Control"]
    assert visitor.look("GET", new.replace("/ja/", "/fr/")).status_code == 404
    change(site, "spring", status="draft")
    assert visitor.look("GET", new).status_code == 404
    assert visitor.look("GET", "/e/unknown/card/ja/x.png").status_code == 404


def test_many_who_ask_at_once_have_it_drawn_once_and_hold_up_few(site, monkeypatch):
    site.add_event(slug="spring")
    address = read_head(site.visitor().open("/e/spring"))["og:image"]
    drawn, statuses, are_answered = [], [], threading.Event()

    def draw(*args, **options):
        drawn.append(1)
        assert are_answered.wait(timeout=30)
        return sharing_cards.draw_card(*args, **options)

    monkeypatch.setattr(card_shelf, "draw_card", draw)
    monkeypatch.setattr(card_shelf, "WAITED_SECONDS", 30.0)

    def ask():
        statuses.append(site.visitor().look("GET", address).status_code)
        if statuses.count(503) == 6:
            are_answered.set()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # All but who draws and who waits were answered while it was drawn.
    assert (sorted(statuses), len(drawn)) == ([200] * 2 + [503] * 6, 1)


def test_who_would_wait_for_long_is_asked_to_come_back(site, monkeypatch):
    site.add_event(slug="spring")
    address = read_head(site.visitor().open("/e/spring"))["og:image"]
    monkeypatch.setattr(card_shelf, "WAITED_SECONDS", 0.01)

    with site.parts.cards._drawing:
        answer = site.visitor().look("GET", address)

    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
    assert site.visitor().look("GET", address).status_code == 200


def test_cards_that_are_kept_are_few(site):
    shelf, card = card_shelf.Cards(), sharing_cards.Card("a", "b", "c")
    shelf._kept = card_shelf.Kept(2)
    for title in "abcd":
        shelf.draw(sharing_cards.Card(title, "", ""), {}, "")

    assert shelf.find(card.name) is None
    assert len(shelf._kept._values) == 2
