"""Counting views, starts and mistakes of a form, whoever sends what."""

import pytest
import requests
from sqlalchemy.exc import OperationalError

from storage import visits as stored
from storage.visits import sum_by_origin
from tests.fixtures.databases import only_sqlite
from tests.organizer import Organizer
from tests.people import TARO
from views import visit_counts

pytestmark = only_sqlite


@pytest.fixture
def event(site):
    return site.add_event(slug="spring")


@pytest.fixture
def send(site, event):
    def send(what="view", query="", status=204, slug="spring", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"{site.url}/e/{slug}/seen/{what}?{query}"
        answer = requests.post(address, headers=named, timeout=10)
        assert (answer.status_code, answer.content if status == 204 else b"") == (status, b"")
        assert "Set-Cookie" not in answer.headers

    return send


@pytest.fixture
def read_sums(site, event):
    """Return what is counted, by what happened."""

    def read():
        site.parts.visits.store()
        with site.database.read() as session:
            sums = {}
            for (_, name), value in sum_by_origin(session, event.id).items():
                sums[name] = sums.get(name, 0) + value
        return sums

    return read


def test_page_tells_of_a_view_and_a_start(site, send, read_sums):
    send()
    send(Sec_Fetch_Site="same-origin")
    send("start", DNT="0")
    changes = site.database.changes

    assert read_sums() == {"view": 2, "start": 1}
    assert site.database.changes == changes, "what is kept of pages stays"


def test_who_asks_not_to_or_sends_from_elsewhere_is_not_counted(site, event, send, read_sums):
    send(Sec_GPC="1")
    send(DNT="1")
    for place in ("cross-site", "same-site", "none"):
        send(Sec_Fetch_Site=place)
    send("buy", status=404)
    send(slug="unknown", status=404)
    Organizer(site, event).change_event(status="cancelled")
    send()

    assert read_sums() == {}


def test_hostile_tags_are_counted_under_their_clean_names(site, event, send):
    hostile = "%3Cscript%3E" + "x" * 500
    send(query=f"utm_source={hostile}&utm_medium=taro%40example.com&page=javascript:1&evil=1")
    send(query="utm_source=a%E2%80%AE%00%0Ab")
    send(query="utm_medium=taro%40example.com")
    site.parts.visits.store()

    with site.database.read() as session:
        origins = [origin for origin, _ in sum_by_origin(session, event.id)]
        tags = stored.list_tags(session, event.id, origins)
    assert sorted(tag["utm_source"] for tag in tags.values()) == ["<script>" + "x" * 92, "a b"]
    assert [set(tag) for tag in tags.values()] == [{"utm_source"}] * 2
    assert "direct" in origins


def test_counts_that_cannot_be_stored_are_stored_with_the_next(send, read_sums, site, monkeypatch):
    def fail(*_):
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    send()
    with monkeypatch.context() as patched:
        patched.setattr(visit_counts, "add_visits", fail)
        site.parts.visits.store()
    send()

    assert read_sums() == {"view": 2}


def test_form_is_given_back_where_no_thread_can_be_had(site, read_sums, monkeypatch):
    def fail(_timer):
        raise RuntimeError("can't start new thread")

    form = site.visitor().open("/e/spring").form().fill(**TARO | {"given_name": ""})
    with monkeypatch.context() as patched:
        patched.setattr(visit_counts.threading.Timer, "start", fail)
        form.submit(status=422)
    form.submit(status=422)

    assert site.parts.visits._timer.is_alive()
    assert read_sums()["failed"] == 2


def test_memory_is_bounded_whatever_comes(send, read_sums, monkeypatch):
    monkeypatch.setattr(visit_counts, "MOST_COUNTS", 3)
    for number in range(5):
        send(query=f"utm_source={number}")

    assert read_sums() == {"view": 5}


def test_mistakes_are_counted_by_field_and_never_by_what_was_typed(site, event, read_sums):
    form = site.visitor().open("/e/spring?utm_source=letter").form()
    form.fill(**TARO | {"given_name": "", "email": "secret@"}).submit(status=422)

    assert read_sums() == {"failed": 1, "error:given_name": 1, "error:email": 1}
    with site.database.read() as session:
        sums = sum_by_origin(session, event.id)
        [tags] = stored.list_tags(session, event.id, [o for o, _ in sums]).values()
    assert tags == {"utm_source": "letter"}
    assert [name for origin, name in sums if origin] == ["failed"]


def test_form_that_comes_back_is_not_seen_anew(site, event):
    page = site.visitor().open("/e/spring")
    again = page.form().fill(**TARO | {"given_name": ""}).submit(status=422)

    assert 'data-seen="/e/spring/seen/"' in page.response.text
    assert "data-seen" not in again.response.text
