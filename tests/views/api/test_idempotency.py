"""A request that comes again has one effect, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from services.api_requests import REPEATED_WITHIN
from services.questions import question_to_dict
from storage import api_requests, events
from storage.models import ApiRequest
from tests.factories import PRIVACY
from tests.fixtures.databases import only_sqlite
from tests.program import Program, make_key

AT_ONCE = 20
KEY = {"Idempotency-Key": "2f0c9a1e-6d0b-4f9b-9d0c-5f6f6a1a0b11"}


def register_at_once(program):
    with ThreadPoolExecutor(AT_ONCE) as hands:
        return list(hands.map(lambda _: program.register(headers=KEY), range(AT_ONCE)))


def test_twenty_at_once_with_one_key_have_one_effect(site, program):
    answers = register_at_once(program)
    site.drain()

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert (replayed.count("true"), replayed.count(None)) == (AT_ONCE - 1, 1)
    assert site.count_rows("submission") == site.count_rows("registration") == 1
    assert len(site.mailbox.list_mails("taro@example.com")) == 1


def test_twenty_at_once_would_be_many_without_the_key(site, program, monkeypatch):
    """The control: nobody looks at the key, and each is a submission of its own."""
    monkeypatch.setattr(api_requests, "claim", lambda *_, **__: None)

    register_at_once(program)

    assert site.count_rows("submission") == AT_ONCE


@only_sqlite
def test_other_request_under_the_same_key_is_refused(site, program):
    site.add_event(slug="autumn")
    first = program.register(headers=KEY)

    others = [
        program.register(headers=KEY, given_name="次郎"),
        program.register(headers=KEY, email="hanako@example.com"),
        program.register("autumn", headers=KEY),
    ]

    assert {answer.status_code for answer in others} == {422}
    assert {answer.json()["type"].partition("#")[2] for answer in others} == {
        "problem-idempotency-key-reused"
    }
    assert program.register(headers=KEY).text == first.text
    assert site.count_rows("submission") == 1


@only_sqlite
def test_what_was_refused_may_be_sent_again_under_its_key(site, program):
    assert program.register(headers=KEY, family_name="").status_code == 422

    assert program.register(headers=KEY).status_code == 201


@only_sqlite
def test_answer_that_was_lost_is_the_same_although_it_would_be_refused_by_now(site, program):
    """Meanwhile the form has changed, and the last seat, which was this person's, is gone."""
    with site.database.write() as session:
        events.get_event_by_slug(session, "spring").capacity = 1
    first = program.register(headers=KEY)
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        events.add_form_version(session, event, [question_to_dict(PRIVACY)], now=site.clock())
        event.status = "closed"

    again = program.register(headers=KEY)

    assert (again.status_code, again.text) == (201, first.text)
    assert program.register(headers={"Idempotency-Key": "other"}).status_code == 409


@only_sqlite
def test_keys_of_two_programs_have_nothing_to_do_with_each_other(site, program):
    other = Program(site, make_key(site))

    assert program.register(headers=KEY).status_code == 201
    assert other.register(headers=KEY, email="hanako@example.com").status_code == 201


def test_key_is_forgotten_after_a_day(site, program):
    program.register(headers=KEY)
    site.clock.move(seconds=REPEATED_WITHIN.total_seconds() - 60)
    with site.database.write() as session:
        api_requests.forget_old(session, before=site.clock() - REPEATED_WITHIN)
    assert site.count_rows("api_request") == 1
    site.clock.move(seconds=120)

    worker = site.start_worker()
    site.wait_until(lambda: site.count_rows("api_request") == 0)
    worker.stop()

    assert "Idempotent-Replayed" not in program.register(headers=KEY).headers


@only_sqlite
def test_nothing_of_a_request_is_kept_but_hashes(site, program):
    program.register(headers=KEY)

    with site.database.read() as session:
        [row] = session.scalars(select(ApiRequest))
    assert len(row.name) == len(row.digest) == 64
    assert KEY["Idempotency-Key"] not in row.name


@only_sqlite
def test_key_that_cannot_be_one_is_refused(program):
    for key in ("x" * 256, "ü", "a\tb"):
        answer = program.register(headers={"Idempotency-Key": key.encode()})
        assert answer.status_code == 400, key
