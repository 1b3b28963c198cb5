"""Codes of an app and recovery codes: right, recent, and once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from services import second_factors
from services.keys import KeyRing
from storage import organizers
from tests.dashboard import make_organizer
from tests.factories import NOW

KEYS = KeyRing([b"k" * 32])
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The one of RFC 6238's examples."""


@pytest.fixture
def organizer_id(database):
    with database.write() as session:
        organizer = make_organizer(session)
        code = pyotp.TOTP(SECRET).at(NOW - timedelta(hours=1))
        assert second_factors.add_authenticator(
            session, organizer.id, SECRET, code, now=NOW - timedelta(hours=1)
        )
        return organizer.id


def take(database, organizer_id, code, now=NOW):
    with database.write() as session:
        organizer = organizers.get_organizer(session, organizer_id)
        return second_factors.take_code(session, KEYS, organizer, code, now=now)


def code_at(now):
    return pyotp.TOTP(SECRET).at(now)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_code_of_now_and_its_neighbours_is_taken(database, organizer_id, seconds):
    assert take(database, organizer_id, code_at(NOW + timedelta(seconds=seconds))) == "app"


@pytest.mark.parametrize("seconds", [-90, 90])
def test_older_and_later_codes_are_refused(database, organizer_id, seconds):
    assert take(database, organizer_id, code_at(NOW + timedelta(seconds=seconds))) == ""


def test_code_as_apps_show_it_is_taken(database, organizer_id):
    code = code_at(NOW)

    assert take(database, organizer_id, f" {code[:3]} {code[3:]} ") == "app"


def test_same_code_twice_is_refused(database, organizer_id):
    assert take(database, organizer_id, code_at(NOW)) == "app"
    assert take(database, organizer_id, code_at(NOW)) == ""


def test_code_before_one_that_was_used_is_refused(database, organizer_id):
    assert take(database, organizer_id, code_at(NOW)) == "app"
    assert take(database, organizer_id, code_at(NOW - timedelta(seconds=30))) == ""


def test_code_that_set_the_app_up_signs_nobody_in(database, organizer_id):
    then = NOW - timedelta(hours=1)

    assert take(database, organizer_id, code_at(then), now=then) == ""


def test_same_code_at_once_is_taken_once(database, organizer_id):
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(database, organizer_id, code_at(NOW)), range(8)))

    assert sorted(taken) == [""] * 7 + ["app"]


def test_secret_is_stored_encrypted(database, organizer_id):
    with database.read() as session:
        stored = organizers.get_organizer(session, organizer_id).totp_secret

    assert SECRET.encode() not in stored


def test_recovery_codes_work_once_each(database, organizer_id):
    with database.write() as session:
        codes = second_factors.make_recovery_codes(session, KEYS, organizer_id, now=NOW)

    assert len(set(codes)) == 10
    assert take(database, organizer_id, codes[3].upper()) == "recovery"
    assert take(database, organizer_id, codes[3]) == ""
    assert take(database, organizer_id, codes[4].replace("-", "")) == "recovery"


def test_new_recovery_codes_end_the_former(database, organizer_id):
    with database.write() as session:
        former = second_factors.make_recovery_codes(session, KEYS, organizer_id, now=NOW)
        second_factors.make_recovery_codes(session, KEYS, organizer_id, now=NOW)

    assert take(database, organizer_id, former[0]) == ""


def test_recovery_code_at_once_is_taken_once(database, organizer_id):
    with database.write() as session:
        code = second_factors.make_recovery_codes(session, KEYS, organizer_id, now=NOW)[0]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take(database, organizer_id, code), range(8)))

    assert sorted(taken) == [""] * 7 + ["recovery"]


def test_recovery_codes_are_stored_as_hashes(database, organizer_id):
    with database.write() as session:
        codes = second_factors.make_recovery_codes(session, KEYS, organizer_id, now=NOW)
    with database.read() as session:
        stored = organizers.get_organizer(session, organizer_id).recovery_codes

    assert len(stored) == 10
    assert not {code.replace("-", "") for code in codes} & set(stored)
