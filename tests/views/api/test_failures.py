"""What goes wrong on our side is told to programs in JSON, with when to come back."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from cli.web_server import WAITED_SECONDS, WAITING
from tests.fixtures.databases import only_sqlite
from tests.program import TARO, make_key
from views.api import registering

pytestmark = only_sqlite

REGISTER = "/api/v1/events/spring/registrations"


def ask(site, path=REGISTER, **environ):
    headers = {"Authorization": f"Bearer {make_key(site)}"}
    return site.app.test_client().post(
        path, json=TARO, headers=headers, base_url=site.url, environ_overrides=environ
    )


def check_problem(answer, status):
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_crowd_is_asked_to_come_back(site, program):
    answer = ask(site, **{WAITED_SECONDS: 2.0, WAITING: 900})

    check_problem(answer, 503)
    assert 8 <= int(answer.headers["Retry-After"]) <= 20
    assert site.count_rows("submission") == 0


def test_database_that_does_not_answer_is_told(site, program, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    monkeypatch.setattr(registering, "register", fail)

    answer = ask(site)

    check_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert "disk" not in answer.text


def test_fault_of_ours_tells_nothing_of_itself(site, program, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(registering, "register", fail)

    answer = ask(site)

    check_problem(answer, 500)
    assert "secret" not in answer.text


def test_try_whose_commit_was_lost_is_the_same_registration(site, program, monkeypatch):
    """The view is tried again by itself: its second try finds what the first has stored."""
    points = []

    def lose_answer(name):
        points.append(name)
        if points.count("after_commit") == 1 and name == "after_commit":
            error = OperationalError("COMMIT", {}, Exception("lost"))
            error.connection_invalidated = True
            raise error

    monkeypatch.setattr(registering, "fault_point", lose_answer)

    answer = ask(site)

    assert (answer.status_code, answer.json["link"]) == (201, "shown")
    assert points.count("before_commit") == 2
    assert site.count_rows("submission") == site.count_rows("registration") == 1
