"""Requests that go on where PostgreSQL ends a connection or one of two colliding transactions."""

import threading
from contextlib import contextmanager

import psycopg
import pytest

from tests.dashboard import sign_in
from tests.fixtures.databases import only_postgresql
from tests.people import HANAKO, TARO
from views import retries

pytestmark = only_postgresql

END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

LOCK_COUNTER = "SELECT value FROM event_counter WHERE name = %s FOR UPDATE"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@contextmanager
def connect(site):
    address = site.database.url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(address) as connection:
        yield connection


def end_connections(site):
    with connect(site) as own:
        own.execute(END_ALL)


def wait_for_waiting(site):
    with connect(site) as own:
        own.autocommit = True
        site.wait_until(lambda: own.execute(WAITING).fetchone() == (1,))


def open_form(site, person):
    return site.visitor().open("/e/spring").form().fill(**person)


def send(form):
    return form.page.visitor.try_post(form.action, form.fields).status_code


def collide(site, form):
    """Send a form whose transaction waits for ours, which then waits for it: one has to end."""
    answers = []
    with connect(site) as ours:
        # Ours is in no hurry, so theirs is the one that PostgreSQL ends.
        ours.execute("SET deadlock_timeout = '60s'")
        ours.execute(LOCK_COUNTER, ["status:approved"])
        theirs = threading.Thread(target=lambda: answers.append(send(form)))
        theirs.start()
        wait_for_waiting(site)
        # Granted as theirs ends: a row might be theirs again before we have it.
        ours.execute("LOCK TABLE event_counter IN EXCLUSIVE MODE")
    theirs.join()
    return answers


def test_visitor_does_not_notice_that_connections_were_lost(site):
    site.add_event(slug="spring")
    send(open_form(site, HANAKO))

    end_connections(site)
    form = open_form(site, TARO)
    end_connections(site)
    page = form.submit()
    end_connections(site)
    again = form.page.visitor.open(page.url)

    assert again.heading == page.heading
    assert site.count_rows("registration") == 2


def test_organizer_does_not_notice_that_connections_were_lost(site):
    event = site.add_event(slug="spring")
    owner = sign_in(site)

    end_connections(site)
    page = owner.open(f"/organizer/events/{event.public_id}/content")
    end_connections(site)

    assert "保存しました" in page.form("保存").submit().text


@pytest.mark.parametrize("tries", [1, 2])
def test_one_of_two_that_wait_for_each_other_is_tried_again(start_site, monkeypatch, tries):
    monkeypatch.setattr(retries, "TRIES", tries)
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    send(open_form(site, HANAKO))

    answers = collide(site, open_form(site, TARO))

    assert answers == ([303] if tries > 1 else [503])
    assert site.count_rows("registration") == tries
