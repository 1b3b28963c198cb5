"""Robots, scanners and browsers that open what they find: no GET or HEAD anywhere changes anything.

Everything is opened that a page or a mail has an address of, by a stranger and by an owner.
"""

import re
from collections import Counter
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from sqlalchemy import select

from storage.models.base import Base
from tests.dashboard_gallery import OWNER, PLACES
from tests.dashboard_world import build_world
from tests.fixtures.databases import only_sqlite
from tests.mailbox import read_text

ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
LINK = re.compile(r"""\b(?:href|src|action)=["']([^"'<>]+)["']""")
ID = re.compile(r"[\w-]{20,}|\d+")
OF_A_KIND = 2
"""So many pages are opened that differ in nothing but ids and values."""

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "ja,en;q=0.5",
    "Sec-Fetch-Site": "none",
}

UNLIKE = {
    "audit_entry": "what organizers look at is written down",
    "audit_head": "what organizers look at is written down",
    "zoom_budget": "pages that ask Zoom share its limits",
    "zoom_connection.token": "and its token",
    "zoom_connection.token_expires_at": "and its token",
    "organizer_session.seen_at": "sessions end that nobody uses",
}
"""What an owner's visit may change, and why."""

DERIVED = re.compile("index_")
"""Counts and words to search by, made anew from the people whenever somebody looks."""


def dump(site, *, but=()):
    """Read what every column holds, except for what is derived, and some."""
    with site.database.read() as session:
        return {
            str(column): sorted(map(repr, session.scalars(select(column))))
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if not DERIVED.match(table.name) and not {table.name, str(column)} & set(but)
        }


class Crawler:
    """Opens addresses of the site and what they lead to, each by HEAD and by GET."""

    def __init__(self, site, cookies=None):
        self._site = site
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(BROWSER)
        self._session.cookies.update(cookies or {})
        self._of_a_kind = Counter()
        self.opened = set()
        site.close_later(self._session.close)

    def crawl(self, addresses):
        waiting = list(addresses)
        while waiting:
            address = urlsplit(urljoin(self._site.url, waiting.pop()))._replace(fragment="")
            if address.netloc == urlsplit(self._site.url).netloc and self._is_new(address):
                waiting += self._open(address.geturl())

    def _is_new(self, address):
        kind = (ID.sub("…", address.path), tuple(name for name, _ in parse_qsl(address.query)))
        if address.geturl() in self.opened or self._of_a_kind[kind] >= OF_A_KIND:
            return False
        self._of_a_kind[kind] += 1
        self.opened.add(address.geturl())
        return True

    def _open(self, address):
        head = self._ask("HEAD", address)
        answer = self._ask("GET", address)
        # Company sign-in leads to a provider that is not there: 503.
        assert head.status_code == answer.status_code != 500, address
        assert not head.content, address
        found = [answer.headers["Location"]] if "Location" in answer.headers else []
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            found += LINK.findall(answer.text.replace("&amp;", "&"))
        if kind.startswith(("text/", "application/xml", "application/json")):
            found += ADDRESS.findall(answer.text)
        return [urljoin(address, link) for link in found]

    def _ask(self, method, address):
        return self._session.request(method, address, allow_redirects=False, timeout=20)


def list_kinds(crawler):
    return {ID.sub("…", urlsplit(address).path) for address in crawler.opened}


@only_sqlite
def test_nothing_is_changed_by_opening_everything_there_is(site):
    world = build_world(site)
    with site.database.read() as session:
        slugs = session.scalars(select(Base.metadata.tables["event"].c.slug)).all()
    mails = [read_text(mail) for mail in site.mailbox.list_mails()]
    # In their order: of each kind only some are opened, and not everybody's page offers everything.
    in_mails = dict.fromkeys(link for text in mails for link in ADDRESS.findall(text))
    forms = [f"/e/{slug}{way}" for slug in slugs for way in ("", "/embed")]
    public = ["/", "/robots.txt", "/sitemap.xml", *forms, *in_mails]
    places = [
        f"/organizer{place.address.format(**world.ids)}" for place in PLACES if place.who == OWNER
    ]
    before = dump(site)

    stranger = Crawler(site)
    stranger.crawl([*public, *places])

    assert dump(site) == before
    assert list_kinds(stranger) >= {"/e/crowded", "/e/crowded/notice", "/j/…", "/r/…/cancel"}
    before = dump(site, but=UNLIKE)

    owner = Crawler(site, world.browsers[OWNER]["ja"])
    owner.crawl(places)

    assert dump(site, but=UNLIKE) == before
    assert list_kinds(owner) >= {"/organizer/events/…/people/…", "/organizer/sign-in"}
