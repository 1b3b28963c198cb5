"""Tokens in links."""

import re

import pytest

from services.keys import KeyRing
from services.tokens import Purpose, TokenSigner, read_token
from storage.models.base import new_public_id

OLD, NEW = b"o" * 32, b"n" * 32
SIGNER = TokenSigner(KeyRing([NEW]))
PUBLIC_ID = "abcdefghijklmnopqrstuv"


def test_token_is_short_and_safe_in_a_path():
    token = SIGNER.make(Purpose.RECEIPT, new_public_id())

    assert re.fullmatch(r"[\w-]{45}", token, re.ASCII)


def test_token_is_the_same_each_time():
    assert SIGNER.make(Purpose.JOIN_MAIL, PUBLIC_ID, 1) == SIGNER.make(
        Purpose.JOIN_MAIL, PUBLIC_ID, 1
    )


def test_genuine_token_opens_what_it_names():
    claim = read_token(SIGNER.make(Purpose.JOIN_SCREEN, PUBLIC_ID))

    assert (claim.purpose, claim.public_id) == (Purpose.JOIN_SCREEN, PUBLIC_ID)
    assert SIGNER.is_genuine(claim)


@pytest.mark.parametrize("purpose", Purpose)
def test_token_of_one_purpose_is_none_of_another(purpose):
    token = SIGNER.make(Purpose.RECEIPT, PUBLIC_ID)

    assert SIGNER.is_genuine(read_token(purpose + token[1:])) == (purpose is Purpose.RECEIPT)


def test_raised_version_revokes():
    claim = read_token(SIGNER.make(Purpose.JOIN_MAIL, PUBLIC_ID, 1))

    assert [SIGNER.is_genuine(claim, version) for version in (0, 1, 2)] == [False, True, False]


@pytest.mark.parametrize("position", range(1, 45))
def test_changed_token_is_refused(position):
    token = SIGNER.make(Purpose.RECEIPT, PUBLIC_ID)
    letter = "A" if token[position] != "A" else "B"

    changed = read_token(token[:position] + letter + token[position + 1 :])

    assert not SIGNER.is_genuine(changed)


@pytest.mark.parametrize(
    "text",
    ["", "s", "x" * 45, "s" + "a" * 43, "s" + "a" * 45, "s" + "あ" * 44, "s" + "a" * 43 + "\n"],
)
def test_what_cannot_be_a_token_is_none(text):
    assert read_token(text) is None


def test_older_secret_keeps_links_alive():
    claim = read_token(TokenSigner(KeyRing([OLD])).make(Purpose.RECEIPT, PUBLIC_ID))

    assert TokenSigner(KeyRing([NEW, OLD])).is_genuine(claim)
    assert not TokenSigner(KeyRing([NEW])).is_genuine(claim)


def test_newest_secret_signs():
    token = TokenSigner(KeyRing([NEW, OLD])).make(Purpose.RECEIPT, PUBLIC_ID)

    assert token == SIGNER.make(Purpose.RECEIPT, PUBLIC_ID)
