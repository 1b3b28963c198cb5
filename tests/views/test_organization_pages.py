"""The page of an organization's coming events, and what search engines are told of it."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest

from cli.web_server import WAITED_SECONDS, WAITING
from services.organization_pages import EVENTS_A_PAGE, change_slug
from storage import organizations, public_pages
from tests.fixtures.databases import only_sqlite
from tests.views.test_embedding import fail, list_origins, read_ancestors
from tests.views.test_sharing import HOSTILE, change, read_head, read_schema

pytestmark = only_sqlite

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def rename(site, slug):
    with site.database.write() as session:
        organization = organizations.get_first_organization(session)
        organization.version += 1
        change_slug(session, organization, slug, now=site.clock())


@pytest.fixture
def listed(site):
    """A site with one event, and a list."""
    site.add_event(slug="spring", lead={"ja": "一行"})
    rename(site, "sample")
    return site


def list_links(page):
    return [a["href"] for a in page.root.find_all("a") if a["href"].startswith("/e/")]


def read_map(site):
    answer = site.visitor().fetch("/sitemap.xml")
    assert answer.headers["Content-Type"].startswith("application/xml")
    root = ElementTree.fromstring(answer.content)
    return [url.find(f"{MAP}loc").text.removeprefix(site.url) for url in root]


def test_list_leads_to_the_events_with_the_tags_it_came_with(listed):
    page = listed.visitor().open("/o/sample?utm_source=mail&x=1")

    assert page.heading == "例の会のイベント"
    assert "受付中" in page.text
    assert list_links(page)[0] == "/e/spring?lang=ja&utm_source=mail"
    again = listed.visitor().open("/o/sample?utm_source=web")
    assert list_links(again)[0] == "/e/spring?lang=ja&utm_source=web"
    english = listed.visitor().open("/o/sample?lang=en")
    assert (english.locale, "Spring briefing" in english.text) == ("en", True)


def test_list_follows_what_changes(listed):
    visitor = listed.visitor()
    visitor.open("/o/sample")
    change(listed, "spring", title={"ja": "夏の説明会"})
    assert "夏の説明会" in visitor.open("/o/sample").text
    change(listed, "spring", capacity=0)
    assert "満席" in visitor.open("/o/sample").text
    change(listed, "spring", is_listed=False)
    assert "予定されているイベントはありません" in visitor.open("/o/sample").text


def test_former_address_leads_to_the_present_one(listed):
    rename(listed, "new-name")
    answer = listed.visitor().look("GET", "/o/sample?utm_source=mail")

    assert answer.status_code == 301
    assert answer.headers["Location"] == "/o/new-name?utm_source=mail"
    assert listed.visitor().look("GET", "/o/sample?a=%FF\xff").status_code == 301
    framed = listed.visitor().look("GET", "/o/sample/embed")
    assert framed.headers["Location"] == "/o/new-name/embed"
    rename(listed, "")
    for slug in ("sample", "new-name", "unknown"):
        listed.visitor().open(f"/o/{slug}", status=404)


def test_listed_origins_alone_may_show_the_list(listed):
    visitor = listed.visitor()
    assert read_ancestors(visitor.open("/o/sample/embed").response) == "'none'"
    list_origins(listed, "https://www.example.com")
    page = visitor.open("/o/sample/embed?theme=dark&page=https://www.example.com/a")

    assert read_ancestors(page.response) == "https://www.example.com"
    assert read_ancestors(visitor.open("/o/sample").response) == "'none'"
    assert read_head(page)["robots"] == "noindex"
    links = [a for a in page.root.find_all("a") if a["href"].startswith("/e/spring")]
    assert {link["target"] for link in links} == {"_top"}
    assert links[0]["href"].endswith("&page=https%3A%2F%2Fwww.example.com%2Fa")


def test_pages_that_say_what_is_wrong_are_shown_in_the_frame_of_the_list(listed, monkeypatch):
    origin = "https://www.example.com"
    address = f"/o/sample/embed?theme=dark&parent={origin}"
    list_origins(listed, origin)
    listed.visitor().open(address)
    crowd = {WAITED_SECONDS: 60.0, WAITING: 1_000}
    busy = listed.app.test_client().get(address, environ_overrides=crowd, base_url=listed.url)
    monkeypatch.setattr(public_pages, "find_organization", fail)
    away = listed.visitor().open(address, status=503).response

    for answer in (busy, away):
        assert answer.status_code == 503
        assert read_ancestors(answer) == origin
        assert 'class="framed"' in answer.text and "&amp;theme=dark" in answer.text
        assert f'data-view="other" data-parent="{origin}"' in answer.text
    other = listed.visitor().open("/o/sample/embed?parent=https://other.example", status=503)
    assert "data-parent" not in other.response.text
    assert read_ancestors(listed.visitor().open("/o/sample", status=503).response) == "'none'"


def test_list_tells_programs_of_its_events(listed):
    page = listed.visitor().open("/o/sample")

    [item] = read_schema(page)["itemListElement"]
    assert (
        item["item"]["url"]
        if "url" in item["item"]
        else item["item"]["location"]["url"] == (f"{listed.url}/e/spring?lang=ja")
    )
    head = read_head(page)
    assert head["canonical"] == f"{listed.url}/o/sample?lang=ja"
    assert "robots" not in head


def test_moved_event_says_so_on_its_page_and_in_the_list(listed):
    change(listed, "spring", former_starts_at=listed.clock())
    page = listed.visitor().open("/e/spring")
    [item] = read_schema(listed.visitor().open("/o/sample"))["itemListElement"]

    assert "日時が変更されました。変更前：" in page.text
    for schema in (read_schema(page), item["item"]):
        assert schema["eventStatus"] == "https://schema.org/EventRescheduled"
        assert schema["previousStartDate"] < schema["startDate"]


def test_long_list_goes_on(listed):
    for number in range(EVENTS_A_PAGE):
        later = listed.clock() + timedelta(days=20, minutes=number)
        listed.add_event(slug=f"summer-{number}", starts_at=later)
    first = listed.visitor().open("/o/sample")
    second = first.follow("次のイベントを見る")

    assert f"/e/summer-{EVENTS_A_PAGE - 1}?lang=ja" in list_links(second)
    assert "/e/spring?lang=ja" not in list_links(second)
    assert read_head(second)["robots"] == "noindex"
    for page, has_place in ((first, False), (second, True)):
        english = [a["href"] for a in page.root.find_all("a", hreflang="en")]
        assert ("after=" in english[0]) is has_place


def test_list_whose_first_events_are_all_over_is_not_empty(listed):
    for number in range(EVENTS_A_PAGE):
        listed.add_event(starts_at=listed.clock() - timedelta(hours=12, minutes=number))
    first = listed.visitor().open("/o/sample")

    assert "予定されているイベントはありません" not in first.text
    assert "/e/spring?lang=ja" in list_links(first.follow("次のイベントを見る"))


def test_list_begins_where_nothing_is_named(listed):
    for after in ("%00", "%F0%9F", "a" * 5_000, "x' or 1=1", "unknown"):
        page = listed.visitor().open(f"/o/sample?after={after}")
        assert "/e/spring?lang=ja" in list_links(page)


def test_hostile_texts_stay_texts(site):
    site.add_event(slug="spring", title={"ja": HOSTILE}, lead={"ja": HOSTILE})
    rename(site, "sample")
    for end in ("", "/embed"):
        page = site.visitor().open(f"/o/sample{end}?utm_source=%22%3E%3Cscript%3E&after=%22%3E")
        assert "<script>alert" not in page.response.text
        assert "><script>" not in page.response.text.replace("</script>", "")
        assert HOSTILE.split("\u2028")[0] in page.text


def test_map_names_what_is_to_be_found(listed):
    listed.add_event(slug="ja-only", title={"ja": "日本語"})
    listed.add_event(slug="unlisted", is_listed=False)
    listed.add_event(slug="draft", status="draft")
    listed.add_event(slug="cancelled", status="cancelled")
    ago = listed.clock() - timedelta(days=31)
    listed.add_event(slug="long-over", starts_at=ago)

    assert sorted(read_map(listed)) == [
        "/e/ja-only?lang=ja",
        "/e/spring?lang=en",
        "/e/spring?lang=ja",
        "/o/sample?lang=en",
        "/o/sample?lang=ja",
    ]


def test_map_is_put_together_once_a_minute(listed):
    listed.clock.move(seconds=60 - listed.clock().timestamp() % 60)
    assert "/e/spring?lang=ja" in read_map(listed)
    change(listed, "spring", is_listed=False)
    assert "/e/spring?lang=ja" in read_map(listed)
    listed.clock.move(minutes=1)
    assert "/e/spring?lang=ja" not in read_map(listed)


def test_events_of_who_has_no_list_are_in_no_map(site):
    site.add_event(slug="spring")

    assert read_map(site) == []


def test_robots_are_led_past_what_is_somebodys_own(site):
    lines = site.visitor().fetch("/robots.txt").text.splitlines()

    rules = [rule.rule for rule in site.app.url_map.iter_rules()]
    # Within the address of an event they cannot be told apart, and say noindex themselves.
    tokens = {rule.partition("<token>")[0] for rule in rules if "<token>" in rule}
    own = {place for place in tokens if not place.startswith("/e/")} | {"/organizer/"}
    assert own >= {"/j/", "/r/", "/s/", "/v/"}
    closed = tuple(line.removeprefix("Disallow: ") for line in lines if "Disallow: /" in line)
    assert [place for place in own if not place.startswith(closed)] == []
    assert f"Sitemap: {site.url}/sitemap.xml" in lines
    assert not any(line.startswith(("Disallow: /e", "Disallow: /o/")) for line in lines)
