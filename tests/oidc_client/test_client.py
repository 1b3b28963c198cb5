"""Signing in with a provider that lies: over real HTTP, with real keys."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt

from oidc_client import (
    Credentials,
    CredentialsRefused,
    Fault,
    HostRefused,
    OidcClient,
    ProviderUnreachable,
    ProviderUnusable,
    RoundTrip,
    SignInRefused,
    client,
)
from outbound import HostRules, HttpPool
from tests.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    be_down,
    be_huge,
    be_slow,
    make_key,
    write_token,
)

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DESCRIPTION = "/.well-known/openid-configuration"
HANAKO = {"sub": "person-1", "email": "hanako@example.com", "email_verified": True, "name": "花子"}
TRIP = RoundTrip("https://events.example/back", state="s", nonce="n" * 22, verifier="v" * 43)
CREDENTIALS = Credentials(CLIENT_ID, CLIENT_SECRET)
RULES = HostRules(private=("127.0.0.1",))


@pytest.fixture(scope="module")
def server():
    made = IdentityProvider(read_clock=lambda: NOW, person=dict(HANAKO))
    yield made
    made.close()


@pytest.fixture
def provider(server):
    server.be_honest()
    return server


@pytest.fixture(scope="module")
def pool():
    with HttpPool(max_bytes=512 * 1024, rules=RULES) as made:
        yield made


@pytest.fixture
def asker(pool):
    return OidcClient(pool, RULES)


def sign_in(asker, provider, *, trip=TRIP, now=NOW, credentials=CREDENTIALS):
    return bring_back(asker, provider, fetch_code(asker, provider), trip=trip, now=now)


def fetch_code(asker, provider):
    described = asker.describe(provider.url, now=NOW)
    address = asker.write_address(described, CLIENT_ID, TRIP)
    answer = requests.get(address, allow_redirects=False, timeout=10)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def bring_back(asker, provider, code, *, trip=TRIP, now=NOW, credentials=CREDENTIALS):
    described = asker.describe(provider.url, now=NOW)
    return asker.exchange(described, credentials, trip, code, now=now)


def why_not(asker, provider, **more):
    with pytest.raises(SignInRefused) as refusal:
        sign_in(asker, provider, **more)
    return refusal.value.why


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_who_signs_in_is_who_the_provider_says(asker, provider, kind):
    provider.keys = [make_key(f"of {kind}", kind)]

    person = sign_in(asker, provider)

    assert (person.issuer, person.subject) == (provider.url, "person-1")
    assert (person.email, person.vouches_for_email, person.name) == (
        "hanako@example.com",
        True,
        "花子",
    )


@pytest.mark.parametrize("ways", [["client_secret_post"], ["client_secret_basic"], None])
def test_secret_is_sent_as_the_provider_takes_it(asker, provider, ways):
    provider.description = {"token_endpoint_auth_methods_supported": ways}

    assert sign_in(asker, provider).subject == "person-1"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://attacker.invalid"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another-app"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": [CLIENT_ID, "another-app"]}, "authorized_party"),
        ({"azp": "another-app"}, "authorized_party"),
        ({"nonce": "of another way"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 5}, "nonce"),
        ({"sub": ""}, "subject"),
        ({"sub": 17}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"exp": None}, "expired"),
        ({"iat": None}, "not_yet_valid"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"auth_time": -1}, "auth_time"),
        ({"exp": int((NOW - 61 * SECOND).timestamp())}, "expired"),
        ({"iat": int((NOW + 61 * SECOND).timestamp())}, "not_yet_valid"),
        ({"nbf": int((NOW + 61 * SECOND).timestamp())}, "not_yet_valid"),
    ],
)
def test_token_that_says_something_else_is_refused(asker, provider, claims, why):
    provider.claims = claims

    assert why_not(asker, provider) == why


def test_clocks_may_differ_by_a_minute(asker, provider):
    provider.claims = {
        "exp": int((NOW - 59 * SECOND).timestamp()),
        "nbf": int((NOW + 59 * SECOND).timestamp()),
    }

    assert sign_in(asker, provider).subject == "person-1"


def sign_with_nothing(claims):
    return write_token({"alg": "none", "kid": "first"}, claims)


def sign_with_the_public_key(claims):
    """Take the key that everybody can see for a secret, as careless programs have let pass."""
    head = write_token({"alg": "HS256", "kid": "first"}, claims).rpartition(".")[0]
    secret = make_key("first").as_pem(private=False)
    digest = hmac.digest(secret, head.encode(), hashlib.sha256)
    return write_token({"alg": "HS256", "kid": "first"}, claims, digest)


def sign_with_another_key(claims):
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, make_key("of the attacker"))


def sign_with_a_key_of_its_own(claims):
    """Carry the key along, and name it."""
    key = make_key("of the attacker")
    header = {"alg": "RS256", "kid": "first", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def change_afterwards(claims):
    head, _, signature = jwt.encode(
        {"alg": "RS256", "kid": "first"}, claims, make_key("first")
    ).split(".")
    body = write_token({}, claims | {"sub": "somebody else"}).split(".")[1]
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize(
    "sign",
    [
        sign_with_nothing,
        sign_with_the_public_key,
        sign_with_another_key,
        sign_with_a_key_of_its_own,
        change_afterwards,
        lambda claims: "no.token.at-all",
        lambda claims: "",
    ],
)
def test_token_without_the_providers_signature_is_refused(asker, provider, sign):
    provider.sign = sign

    assert why_not(asker, provider) in ("signature", "key_unknown")


def test_unknown_key_is_asked_for_once_and_then_refused(asker, provider):
    sign_in(asker, provider)
    provider.sign = lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "unheard of"}, claims, make_key("of the attacker")
    )
    provider.asked.clear()

    assert why_not(asker, provider) == "key_unknown"
    assert provider.asked.count("/keys") == 1


def test_keys_are_kept_and_a_new_one_is_found_at_once(asker, provider):
    sign_in(asker, provider)
    sign_in(asker, provider)
    assert provider.asked.count("/keys") == 1

    provider.keys = [make_key("second")]

    assert sign_in(asker, provider).subject == "person-1"
    assert provider.asked.count("/keys") == 2


def test_code_is_good_for_one_use_and_one_browser(asker, provider):
    code = fetch_code(asker, provider)
    stolen = RoundTrip(TRIP.redirect_url, state="s", nonce=TRIP.nonce, verifier="w" * 43)
    with pytest.raises(SignInRefused, match="code"):
        bring_back(asker, provider, code, trip=stolen)
    used = fetch_code(asker, provider)
    bring_back(asker, provider, used)

    with pytest.raises(SignInRefused, match="code"):
        bring_back(asker, provider, used)


def test_wrong_secret_is_told_before_anybody_signs_in(asker, provider):
    described = asker.describe(provider.url, now=NOW)
    asker.try_credentials(described, CREDENTIALS, TRIP.redirect_url)

    with pytest.raises(CredentialsRefused):
        asker.try_credentials(described, Credentials(CLIENT_ID, "wrong"), TRIP.redirect_url)


@pytest.mark.parametrize("path", ["/token", "/keys"])
@pytest.mark.parametrize("answer", [be_down, be_huge, be_slow])
def test_provider_that_fails_is_waited_for_within_bounds(
    asker, provider, monkeypatch, path, answer
):
    monkeypatch.setattr(client, "SECONDS", 0.3)
    provider.answers[path] = answer

    with pytest.raises(ProviderUnreachable):
        sign_in(asker, provider)


def test_provider_that_does_not_answer_is_left_alone_for_a_while(asker, provider, monkeypatch):
    monkeypatch.setattr(client, "SECONDS", 0.1)
    provider.answers[DESCRIPTION] = be_slow
    for now in (NOW, NOW + 5 * SECOND):
        with pytest.raises(ProviderUnreachable):
            asker.describe(provider.url, now=now)
    assert provider.asked == [DESCRIPTION]
    provider.answers.clear()

    assert asker.describe(provider.url, now=NOW + 11 * SECOND).issuer == provider.url


@pytest.mark.parametrize(
    ("description", "fault"),
    [
        ({"issuer": "https://attacker.invalid"}, Fault.OTHER_ISSUER),
        ({"issuer": None}, Fault.OTHER_ISSUER),
        ({"token_endpoint": "http://attacker.invalid/token"}, Fault.UNSAFE_ADDRESS),
        ({"jwks_uri": "file:///etc/passwd"}, Fault.UNSAFE_ADDRESS),
        ({"authorization_endpoint": "javascript:alert(1)"}, Fault.UNSAFE_ADDRESS),
        ({"authorization_endpoint": "https://a@attacker.invalid/"}, Fault.UNSAFE_ADDRESS),
        ({"response_types_supported": ["id_token"]}, Fault.NO_CODE_FLOW),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, Fault.NO_KNOWN_ALGORITHM),
    ],
)
def test_provider_that_describes_itself_wrongly_is_not_used(asker, provider, description, fault):
    provider.description = description

    with pytest.raises(ProviderUnusable) as refusal:
        asker.describe(provider.url, now=NOW)

    assert refusal.value.fault == fault


@pytest.mark.parametrize(
    ("issuer", "fault"),
    [
        ("accounts.google.com", Fault.NOT_AN_ADDRESS),
        ("http://accounts.google.com", Fault.NOT_AN_ADDRESS),
        ("https://accounts.google.com?x=1", Fault.NOT_AN_ADDRESS),
        ("https://accounts.google.com#x", Fault.NOT_AN_ADDRESS),
        ("https://user:word@accounts.google.com", Fault.NOT_AN_ADDRESS),
        ("https://accounts.google.com/\r\nHost: x", Fault.NOT_AN_ADDRESS),
        ("https://[::1", Fault.NOT_AN_ADDRESS),
        ("https://login.microsoftonline.com/common/v2.0", Fault.NO_TENANT),
        ("https://login.microsoftonline.com/Organizations/v2.0", Fault.NO_TENANT),
        ("https://login.microsoftonline.com/consumers/v2.0", Fault.NO_TENANT),
        ("https://login.microsoftonline.com/", Fault.NO_TENANT),
    ],
)
def test_address_that_can_be_no_issuer_is_never_asked(asker, issuer, fault):
    with pytest.raises(ProviderUnusable) as refusal:
        asker.describe(issuer, now=NOW)

    assert refusal.value.fault == fault


def test_hosts_of_private_networks_are_asked_only_where_they_are_named(provider):
    rules = HostRules()
    with HttpPool(rules=rules) as pool, pytest.raises(HostRefused):
        OidcClient(pool, rules).describe(f"https://localhost:{provider.url[-5:]}", now=NOW)

    assert provider.asked == []


def test_redirect_is_not_followed(asker, provider):
    provider.answers[DESCRIPTION] = lambda: (302, b"")

    with pytest.raises(ProviderUnusable):
        asker.describe(provider.url, now=NOW)


@pytest.mark.parametrize(
    ("said", "vouches"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": "true"}, True),
        ({"email_verified": False}, False),
        ({"email_verified": "false"}, False),
        ({"email_verified": None}, None),
        ({"email_verified": None, "xms_edov": True}, True),
        ({"email_verified": None, "xms_edov": "1"}, True),
        ({"email_verified": None, "xms_edov": 1}, True),
        ({"email_verified": None, "xms_edov": False}, False),
        ({"email_verified": True, "xms_edov": False}, False),
        ({"email_verified": ["true"]}, False),
    ],
)
def test_promise_about_the_address_is_read_strictly(asker, provider, said, vouches):
    provider.claims = said

    assert sign_in(asker, provider).vouches_for_email is vouches


@pytest.mark.parametrize(
    "email", ["ｈanako@example.com", "a@b@c", "a b@example.com", "<x>@example.com", 5, ["a@b.c"]]
)
def test_address_that_is_none_counts_as_missing(asker, provider, email):
    provider.claims = {"email": email}

    assert sign_in(asker, provider).email == ""


def test_short_and_secret_keys_are_passed_over(asker, provider):
    odd = [{"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "x", {}]
    shown = make_key("first").as_dict(private=False)
    provider.answers["/keys"] = lambda: (200, json.dumps({"keys": [*odd, shown]}).encode())

    assert sign_in(asker, provider).subject == "person-1"


def test_asking_again_asks_the_provider_to_ask_again(asker, provider):
    described = asker.describe(provider.url, now=NOW)
    address = asker.write_address(described, CLIENT_ID, TRIP, asks_again=True)
    query = parse_qs(urlsplit(address).query)

    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    assert query["response_type"] == ["code"] and query["code_challenge_method"] == ["S256"]
