"""Passkeys: only an answer of the right device, to this browser, for this site, once."""

from datetime import timedelta

import pytest

from services.keys import KeyRing
from services.passkeys import (
    Party,
    PasskeyRefused,
    add_passkey,
    offer_registration,
    offer_sign_in,
    use_passkey,
)
from storage import passkeys
from tests.dashboard import make_organizer
from tests.factories import NOW
from tests.passkey_device import PasskeyDevice

KEYS = KeyRing([b"k" * 32])
PARTY = Party.of_site("https://events.example")
COOKIE = "the cookie of one browser"


def make_device(**options):
    return PasskeyDevice(PARTY.origin, PARTY.name, **options)


def register(database, device, *, cookie=COOKIE, answer_cookie=COOKIE, now=NOW):
    with database.write() as session:
        organizer = make_organizer(session)
        options = offer_registration(session, KEYS, PARTY, organizer, cookie=cookie, now=NOW)
        return add_passkey(
            session,
            KEYS,
            PARTY,
            organizer,
            credential=device.make(options),
            name="鍵",
            cookie=answer_cookie,
            now=now,
        ).organizer_id


def use(database, answer, *, cookie=COOKIE, now=NOW):
    with database.write() as session:
        return use_passkey(session, KEYS, PARTY, credential=answer, cookie=cookie, now=now)


def offer(cookie=COOKIE):
    return offer_sign_in(KEYS, PARTY, cookie=cookie, now=NOW)


@pytest.mark.parametrize("counts", [False, True])
def test_registered_device_tells_its_organizer(database, counts):
    device = make_device(counts=counts)
    organizer_id = register(database, device)

    assert use(database, device.use(offer())) == organizer_id
    assert use(database, device.use(offer())) == organizer_id


def test_answer_works_once(database):
    device = make_device()
    register(database, device)
    answer = device.use(offer())
    use(database, answer)

    with pytest.raises(PasskeyRefused):
        use(database, answer)


def test_answer_of_another_browser_is_refused(database):
    device = make_device()
    register(database, device)

    with pytest.raises(PasskeyRefused):
        use(database, device.use(offer("the cookie of another browser")))


def test_old_answer_is_refused(database):
    device = make_device()
    register(database, device)

    with pytest.raises(PasskeyRefused):
        use(database, device.use(offer()), now=NOW + timedelta(minutes=6))


def test_challenge_of_somebody_else_is_refused(database):
    device = make_device()
    register(database, device)
    forged = offer_sign_in(KeyRing([b"x" * 32]), PARTY, cookie=COOKIE, now=NOW)

    with pytest.raises(PasskeyRefused):
        use(database, device.use(forged))


def test_unknown_device_is_refused(database):
    register(database, make_device())

    with pytest.raises(PasskeyRefused):
        use(database, make_device().use(offer()))


def test_key_of_another_device_under_a_known_name_is_refused(database):
    device, thief = make_device(), make_device()
    register(database, device)
    thief.credential_id = device.credential_id

    with pytest.raises(PasskeyRefused):
        use(database, thief.use(offer()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origin", "https://attacker.invalid"),
        ("origin", "http://events.example"),
        ("name", "attacker.invalid"),
        ("is_verifying", False),
    ],
)
def test_answer_for_another_site_or_without_its_holder_is_refused(database, name, value):
    device = make_device()
    register(database, device)
    setattr(device, name, value)

    with pytest.raises(PasskeyRefused):
        use(database, device.use(offer()))


def test_device_whose_count_went_back_is_refused(database):
    device = make_device(counts=True)
    register(database, device)
    use(database, device.use(offer()))
    use(database, device.use(offer()))
    device._count = 0

    with pytest.raises(PasskeyRefused):
        use(database, device.use(offer()))


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "x", '{"response": {}}', '{"rawId": 1}']
)
def test_broken_answers_are_refused(database, answer):
    with pytest.raises(PasskeyRefused):
        use(database, answer)


def test_device_registers_once(database):
    device = make_device()
    register(database, device)

    with pytest.raises(PasskeyRefused):
        register(database, device)


def test_registration_in_another_browser_is_refused(database):
    with pytest.raises(PasskeyRefused):
        register(database, make_device(), answer_cookie="another one")
    with database.read() as session:
        assert not passkeys.has_passkey(session, 1)


@pytest.mark.parametrize(
    ("site_url", "can"),
    [
        ("https://events.example", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
        ("http://events.example", False),
    ],
)
def test_passkeys_need_a_name_and_https(site_url, can):
    assert Party.of_site(site_url).can_have_passkeys is can
