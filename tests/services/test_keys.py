"""Keys derived from the installation's secret."""

import pytest

from services.keys import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32


def test_each_purpose_has_a_key_of_its_own():
    ring = KeyRing([NEW])

    assert ring.derive("links") != ring.derive("form")
    assert [len(key) for key in ring.derive("links")] == [32]


def test_newest_secret_comes_first():
    assert KeyRing([NEW, OLD]).derive("links") == [
        *KeyRing([NEW]).derive("links"),
        *KeyRing([OLD]).derive("links"),
    ]


@pytest.mark.parametrize("ring", [[OLD, NEW], [NEW, OLD]], ids=["added", "in front"])
def test_hash_of_an_address_is_found_while_secrets_are_exchanged(ring):
    before = KeyRing([OLD]).hash_email("taro@example.com")

    assert before in KeyRing(ring).list_email_hashes("taro@example.com")
    for other in ([OLD, NEW], [NEW, OLD]):
        hashed = KeyRing(other).hash_email("taro@example.com")
        assert hashed in KeyRing(ring).list_email_hashes("taro@example.com")
    assert before not in KeyRing([NEW]).list_email_hashes("taro@example.com")


def test_hash_of_a_secret_that_was_left_out_is_compared_with_what_was_kept_of_it():
    [kept] = KeyRing([OLD]).list_hash_keys()
    ring = KeyRing([NEW])
    former = ring.hash_email("taro@example.com")

    ring.add_hash_keys(kept)
    ring.add_hash_keys(kept)

    assert ring.hash_email("taro@example.com") == former, "new ones are made with the newest"
    for email in ("taro@example.com", "hanako@example.com"):
        hashes = [KeyRing([secret]).hash_email(email) for secret in (NEW, OLD)]
        assert ring.list_email_hashes(email) == hashes
    assert ring.derive("links") == KeyRing([NEW]).derive("links"), "nothing else is accepted"


@pytest.mark.parametrize("secrets", [[], [b"short"], [NEW, b"short"]])
def test_weak_secret_is_refused(secrets):
    with pytest.raises(ValueError, match="at least 32 bytes"):
        KeyRing(secrets)
