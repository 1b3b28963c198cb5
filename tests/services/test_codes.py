"""Six-digit codes and receipt numbers."""

import re

from services.codes import is_right_code, make_code, make_receipt_number, read_receipt_number
from services.keys import KeyRing
from storage.models.base import new_public_id

KEYS = KeyRing([b"k" * 32])


def test_code_is_six_digits_and_the_same_each_time():
    code = make_code(KEYS, "receipt", 1)

    assert re.fullmatch(r"[0-9]{6}", code)
    assert is_right_code(KEYS, "receipt", 1, code)


def test_code_is_bound_to_receipt_version_and_site():
    code = make_code(KEYS, "receipt", 1)

    assert not is_right_code(KEYS, "other", 1, code)
    assert not is_right_code(KEYS, "receipt", 2, code)
    assert not is_right_code(KeyRing([b"x" * 32]), "receipt", 1, code)


def test_code_that_was_mailed_stays_good_while_secrets_are_exchanged():
    code = make_code(KEYS, "receipt", 1)
    new = b"n" * 32

    assert is_right_code(KeyRing([b"k" * 32, new]), "receipt", 1, code)
    assert is_right_code(KeyRing([new, b"k" * 32]), "receipt", 1, code)
    assert not is_right_code(KeyRing([new]), "receipt", 1, code)


def test_codes_use_the_whole_range():
    codes = [make_code(KEYS, new_public_id(), 0) for _ in range(2_000)]

    assert {code[0] for code in codes} == set("0123456789")
    assert len(set(codes)) > 1_950


def test_strange_input_is_a_wrong_code():
    typed = ["", "１２３４５６", "12345", "1234567", "\0"]

    assert [is_right_code(KEYS, "receipt", 1, text) for text in typed] == [False] * 5


def test_receipt_number_can_be_read_out():
    numbers = [make_receipt_number(new_public_id()) for _ in range(500)]

    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", n) for n in numbers)
    assert len(set(numbers)) == 500


def test_receipt_number_is_the_same_each_time():
    public_id = new_public_id()

    assert make_receipt_number(public_id) == make_receipt_number(public_id)


def test_number_is_found_however_it_is_read_out():
    number = "A0K1-91QF"

    for text in ("A0K1-91QF", "a0k191qf", "AOKI 9lQF", " A0K1 - 91QF "):
        assert read_receipt_number(text) == number


def test_what_cannot_be_a_number_is_none():
    for text in ("", "A0K1", "A0K1-91QFX", "A0K1-91QU", "taro@exa", "山田太郎花子春夏"):
        assert read_receipt_number(text) is None
