"""Passwords: what may be one, and how it is kept."""

import statistics
import time

import pytest

from services import passwords
from services.passwords import PasswordFault, find_fault


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "seventeen green umbrellas",
        "桜の咲く頃にまた会いましょう",
        "x7#Kq9!mZ2pL",
    ],
)
def test_good_password_has_no_fault(password):
    assert find_fault(password, about=("taro@example.com", "山田 太郎")) is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("eleven char", PasswordFault.TOO_SHORT),
        ("x" * 257, PasswordFault.TOO_LONG),
        ("password1234", PasswordFault.COMMON),
        ("PASSWORDPASSWORD", PasswordFault.COMMON),
        ("qwertyuiop[]", PasswordFault.COMMON),
        ("123456789012", PasswordFault.COMMON),
        ("aaaaaaaaaaaab", PasswordFault.COMMON),
        ("ｐａｓｓｗｏｒｄ１２３４", PasswordFault.COMMON),
        ("taro@example.com", PasswordFault.ABOUT_YOU),
        ("yamadataro2030", PasswordFault.ABOUT_YOU),
    ],
)
def test_bad_password_is_named(password, fault):
    assert find_fault(password, about=("taro@example.com", "Yamada Taro")) is fault


def test_hash_is_argon2id_and_fits_its_password_alone():
    stored = passwords.hash_password("seventeen green umbrellas")

    assert stored.startswith("$argon2id$")
    assert passwords.is_password(stored, "seventeen green umbrellas")
    assert not passwords.is_password(stored, "seventeen green umbrella")
    assert stored != passwords.hash_password("seventeen green umbrellas")


def test_letter_sent_in_parts_is_the_same_letter():
    stored = passwords.hash_password("がんばるパスワード番号")

    assert passwords.is_password(stored, "か\u3099んは\u3099るハ\u309aスワート\u3099番号")


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$broken"])
def test_nothing_fits_what_is_no_hash(stored):
    assert not passwords.is_password(stored, "")
    assert not passwords.is_password(stored, "a password that nobody has")


def test_nobodys_hash_has_the_strength_of_the_others():
    assert not passwords.is_outdated(passwords._OF_NOBODY)


def test_missing_hash_takes_as_long_as_one_that_does_not_fit():
    stored = passwords.hash_password("seventeen green umbrellas")
    taken = {stored: [], "": []}
    for _ in range(7):
        for hash_, seconds in taken.items():
            begun = time.process_time()
            passwords.is_password(hash_, "something else entirely")
            seconds.append(time.process_time() - begun)

    known, unknown = (statistics.median(seconds) for seconds in taken.values())
    assert 0.5 < known / unknown < 2
