"""Addresses of our own pages."""

from dataclasses import dataclass

import pytest

from services.keys import KeyRing
from services.links import Links
from services.tokens import Purpose, TokenSigner, read_token

SIGNER = TokenSigner(KeyRing([b"k" * 32]))
LINKS = Links("https://events.example.com", SIGNER)


@dataclass
class Row:
    public_id: str
    link_version: int = 0


SUBMISSION = Row("s" * 22)
REGISTRATION = Row("r" * 22, link_version=3)


@pytest.mark.parametrize(
    ("address", "path", "purpose", "row", "version"),
    [
        (LINKS.receipt(SUBMISSION), "s", Purpose.RECEIPT, SUBMISSION, 0),
        (
            LINKS.join_from_screen(SUBMISSION, REGISTRATION),
            *("j", Purpose.JOIN_SCREEN, SUBMISSION, 3),
        ),
        (LINKS.join_from_mail(REGISTRATION), "j", Purpose.JOIN_MAIL, REGISTRATION, 3),
        (
            LINKS.personal_from_screen(SUBMISSION, REGISTRATION),
            *("r", Purpose.PERSONAL_SCREEN, SUBMISSION, 3),
        ),
        (LINKS.personal_from_mail(REGISTRATION), "r", Purpose.PERSONAL_MAIL, REGISTRATION, 3),
    ],
)
def test_link_carries_a_genuine_token_of_its_row(address, path, purpose, row, version):
    base, token = address.rsplit("/", 1)
    claim = read_token(token)

    assert base == f"https://events.example.com/{path}"
    assert (claim.purpose, claim.public_id) == (purpose, row.public_id)
    assert SIGNER.is_genuine(claim, version)


def test_link_of_an_event_is_its_form():
    assert LINKS.event("spring") == "https://events.example.com/e/spring"
