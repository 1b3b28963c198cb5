"""The page that says where people came from."""

import csv
import io

import pytest
import requests

from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.people import HANAKO, TARO

pytestmark = only_sqlite

LETTER = "utm_source=letter&utm_campaign=%E6%98%A5&page=https://www.example.com/a?email=x"


@pytest.fixture
def event(site):
    """An event that somebody saw with a letter, twice, and somebody without anything."""
    event = site.add_event(slug="spring")
    for person, query in ((TARO, LETTER), (HANAKO, "")):
        site.visitor().open(f"/e/spring?{query}").form().fill(**person).submit()
    for query, what in ((LETTER, "view"), (LETTER, "view"), (LETTER, "start"), ("", "view")):
        requests.post(f"{site.url}/e/spring/seen/{what}?{query}", timeout=10)
    form = site.visitor().open("/e/spring").form()
    form.fill(**TARO | {"email": "secret@"}).submit(status=422)
    site.parts.visits.store()
    return event.public_id


def read_table(browser, event, query=""):
    answer = browser.fetch(f"/organizer/events/{event}/sources.csv{query}")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_numbers_lead_to_the_people_behind_them(site, event):
    owner = sign_in(site, locale="en")
    page = owner.open(f"/organizer/events/{event}/sources")
    numbers = [dd.text for dd in page.root.find_all("dd") if dd.text.isdigit()]
    to_letter, to_direct = [a["href"] for a in page.root.find_all("a") if "origin=" in a["href"]]

    assert numbers[:4] == ["3", "1", "1", "2"]
    assert "https://www.example.com/a" in page.text and "email=x" not in page.response.text
    assert "Email address" in page.text and "secret" not in page.response.text
    found, others = owner.open(to_letter), owner.open(to_direct)
    assert "taro@example.com" in found.text and "hanako@" not in found.text
    assert "hanako@example.com" in others.text and "taro@" not in others.text
    assert "letter / 春 / https://www.example.com/a" in found.text


def test_table_can_be_saved(site, event):
    rows = read_table(sign_in(site, locale="en"), event)

    assert [(row["Source"], row["Views"], row["Registrations"]) for row in rows] == [
        ("letter / 春 / https://www.example.com/a", "2", "1"),
        ("Direct or unknown", "1", "1"),
    ]
    assert rows[0]["Page with the form"] == "https://www.example.com/a"


def test_rows_are_put_together_by_one_tag(site, event):
    site.visitor().open("/e/spring?utm_source=letter").form().fill(
        **TARO | {"email": "jiro@example.com"}
    ).submit()
    owner = sign_in(site, locale="en")

    counts = {by: count_rows(owner, event, by) for by in ("utm_source", "page", "evil")}
    assert counts["utm_source"] == {"letter": ("2", "2"), "Without it": ("1", "1")}
    assert counts["page"] == {"https://www.example.com/a": ("2", "1"), "Without it": ("1", "2")}
    assert len(counts["evil"]) == 3
    page = owner.open(f"/organizer/events/{event}/sources?by=utm_source&days=7")
    assert page.link("Page with the form").endswith("/sources?days=7&by=page")


def count_rows(browser, event, by):
    rows = read_table(browser, event, f"?by={by}")
    return {row["Source"]: (row["Views"], row["Registrations"]) for row in rows}


def test_last_days_are_chosen_by_address(site, event):
    site.clock.move(days=8)
    owner = sign_in(site, locale="en")

    assert read_table(owner, event, "?days=7") == []
    assert len(read_table(owner, event, "?days=30")) == 2
    assert len(read_table(owner, event, "?days=x")) == 2
    page = owner.open(f"/organizer/events/{event}/sources?days=7")
    assert "Nothing was counted in this time." in page.text
