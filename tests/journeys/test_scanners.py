"""Mail scanners and preview programs open every link: that alone changes nothing."""

import re
from urllib.parse import urljoin, urlsplit

from sqlalchemy import select

from storage.models.base import Base
from tests.mailbox import read_text
from tests.organizer import Organizer
from tests.people import HANAKO, TARO

LINK = re.compile(r"https?://[^\s\"<>]+")


def dump(site):
    """Read every row of every table."""
    with site.database.read() as session:
        return {
            table.name: sorted(map(repr, session.execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
        }


def crawl(site, addresses):
    """Open addresses and all that they link to on the site, by HEAD and by GET."""
    visitor = site.visitor()
    waiting, seen = list(addresses), set()
    while waiting:
        address = urlsplit(waiting.pop())._replace(query="").geturl()
        if address in seen or urlsplit(address).netloc != urlsplit(site.url).netloc:
            continue
        seen.add(address)
        expected = 405 if is_posted_to(address) else 200
        assert visitor.look("HEAD", address).status_code == expected, address
        answer = visitor.look("GET", address)
        assert answer.status_code == expected, address
        if answer.headers["Content-Type"].startswith("text/html"):
            links = re.findall(r'(?:href|action)="([^"]+)"', answer.text)
            found = {urljoin(address, link.replace("&amp;", "&")) for link in links}
            waiting += [link for link in found if urlsplit(link).path[:3] in ("/s/", "/j/", "/r/")]
    return seen


def is_posted_to(address):
    """Tell whether an address only takes what a button sends."""
    return urlsplit(address).path.endswith(("/resend", "/code", "/news"))


def test_opening_every_link_of_receipts_and_mails_changes_nothing(site):
    organizer = Organizer(site, site.add_event(slug="spring", link_policy="code"))
    site.add_event(slug="summer", approval="manual", capacity=2, has_waitlist=True)
    visitor = site.visitor()
    receipts = [
        visitor.open(f"/e/{slug}").form().fill(**person).submit().url
        for slug in ("spring", "summer")
        for person in (TARO, HANAKO, TARO | {"given_name": "次郎"})
    ]
    organizer.run("registrations", "approve", TARO["email"], "--event", "summer")
    site.drain()
    mails = map(read_text, site.mailbox.list_mails())
    links = {link for text in mails for link in LINK.findall(text)}
    before = dump(site)

    seen = crawl(site, [*receipts, *links])

    assert dump(site) == before
    kinds = {re.sub(r"[\w-]{45}", "…", urlsplit(address).path) for address in seen}
    assert kinds >= {
        "/s/…",
        "/s/…/address",
        "/s/…/invite.ics",
        "/j/…",
        "/r/…",
        "/r/…/edit",
        "/r/…/cancel",
        "/r/…/data.json",
        "/r/…/invite.ics",
    }
    assert any("/answers/" in kind for kind in kinds)
