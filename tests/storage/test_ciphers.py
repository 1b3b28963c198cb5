"""Encryption of stored secrets."""

import pytest

from storage.ciphers import Cipher, DecryptionError

OLD, NEW = b"o" * 32, b"n" * 32
URL = "https://example.com/w/1?tk=abc"


def test_stored_value_does_not_show_the_text():
    token = Cipher([NEW]).encrypt(URL)

    assert b"tk=abc" not in token
    assert Cipher([NEW]).decrypt(token) == URL


def test_older_key_still_opens():
    token = Cipher([OLD]).encrypt(URL)

    assert Cipher([NEW, OLD]).decrypt(token) == URL


def test_newest_key_encrypts():
    token = Cipher([NEW, OLD]).encrypt(URL)

    assert Cipher([NEW]).decrypt(token) == URL


def test_value_of_a_lost_key_is_told_apart():
    token = Cipher([OLD]).encrypt(URL)

    with pytest.raises(DecryptionError, match="key file"):
        Cipher([NEW]).decrypt(token)
