"""How much work is asked for, and what is taken for it."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from altcha import Challenge, Payload, solve_challenge

from services.keys import KeyRing
from services.proofs_of_work import COST, TRIES, ProofsOfWork, WorkRefused, weigh
from services.submission_limits import FLOOD, Load
from services.submissions import Submission
from tests.factories import NOW

OLD, NEW = (word * 32 for word in (b"o", b"n"))
CALM = Load()
MINE = Submission("a@example.com", "a@example.com", "a", "b", {}, (), "ja", 1, "nonce")


def solve(challenge: str) -> str:
    whole = Challenge.from_dict(json.loads(challenge))
    solution = solve_challenge(whole)
    return Payload(whole, solution).to_base64()


def make(load=CALM, *, keys=(OLD,)):
    return ProofsOfWork(KeyRing(keys)).make_challenge("event", MINE, load, now=NOW)


def check(payload, *, keys=(OLD,), event="event", submission=MINE, now=NOW):
    ProofsOfWork(KeyRing(keys)).check(payload, event, submission, now=now)


@pytest.mark.parametrize(
    ("load", "weight"),
    [(CALM, 1), (Load(network=1.5), 1), (Load(event=2.5), 2), (FLOOD, 2), (Load(0, 5), 4)]
    + [(Load(5, 8.1), 8), (Load(0, 1000), 8)],
)
def test_work_rises_with_what_comes(load, weight):
    assert weigh(load) == weight


def test_most_work_is_bounded():
    found = solve_challenge(Challenge.from_dict(json.loads(make(Load(9, 9)))))

    assert 4 * TRIES <= found.counter < 8 * TRIES
    assert json.loads(make())["parameters"]["cost"] == COST


def test_work_is_taken_for_what_it_was_done_for_alone():
    payload = solve(make())

    check(payload)
    for other in (
        {"event": "other"},
        {"submission": replace(MINE, nonce="other")},
        {"submission": replace(MINE, given_name="c")},
        {"now": NOW + timedelta(minutes=20)},
        {"keys": [NEW]},
    ):
        with pytest.raises(WorkRefused):
            check(payload, **other)


def test_work_outlives_a_rotated_secret():
    check(solve(make()), keys=[NEW, OLD])


@pytest.mark.parametrize(
    ("name", "value"), [("cost", 1), ("keyPrefix", "00"), ("data", {}), ("keySignature", None)]
)
def test_challenge_that_was_changed_is_worth_nothing(name, value):
    proof = json.loads(base64.b64decode(solve(make())))
    proof["challenge"]["parameters"][name] = value

    with pytest.raises(WorkRefused):
        check(base64.b64encode(json.dumps(proof).encode()).decode())


def test_guessed_solution_is_refused():
    whole = Challenge.from_dict(json.loads(make()))
    solution = solve_challenge(whole)
    solution.derived_key = "00" * 32

    with pytest.raises(WorkRefused):
        check(Payload(whole, solution).to_base64())
