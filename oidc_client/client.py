"""Asking a provider: what it says of itself, its keys, and whose code it is that came back."""

import base64
import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote_plus, urlencode

from oidc_client.claims import Claims, Keys, KeyUnknown, read_claims, read_keys
from oidc_client.errors import (
    CredentialsRefused,
    Fault,
    HostRefused,
    ProviderUnreachable,
    ProviderUnusable,
    SignInRefused,
)
from oidc_client.provider import Provider, check_issuer, name_description, read_description
from outbound import (
    AddressRefused,
    Deadline,
    HostRules,
    HttpAnswer,
    HttpPool,
    MalformedAnswer,
    OutboundError,
)

SECONDS = 8.0
"""For so long a person waits for all answers of a provider together."""

KEPT = timedelta(hours=1)
SILENT_FOR = timedelta(seconds=10)
"""For so long nobody else waits for a provider that has just not answered."""
MOST_KEPT = 64

T = TypeVar("T")

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Credentials:
    """What a provider has given out for this site."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class RoundTrip:
    """What one way to the provider and back is known by; each is of this browser alone."""

    redirect_url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class OidcClient:
    """Shared by all threads. Descriptions and keys are kept for an hour.

    `pool` has to have the same rules; it follows no redirect and bounds time and size.
    """

    def __init__(self, pool: HttpPool, rules: HostRules) -> None:
        self._pool = pool
        self._rules = rules
        self._kept: dict[str, tuple[datetime, Provider | ProviderUnreachable]] = {}
        self._keys: dict[str, tuple[datetime, Keys]] = {}
        self._lock = threading.Lock()

    def describe(self, issuer: str, *, now: datetime, is_trial: bool = False) -> Provider:
        """Return what a provider says of itself; a trial asks it anew.

        Raises:
            ProviderUnreachable, ProviderUnusable.
        """
        check_issuer(issuer, self._rules)
        kept = None if is_trial else self._kept.get(issuer)
        if kept is not None and now < kept[0]:
            if isinstance(kept[1], ProviderUnreachable):
                raise kept[1]
            return kept[1]
        try:
            answer = self._send("GET", name_description(issuer), Deadline(SECONDS))
        except ProviderUnreachable as error:
            self._keep(self._kept, issuer, (now + SILENT_FOR, error))
            raise
        if not answer.is_success:
            raise ProviderUnusable(Fault.NOT_FOUND)
        try:
            provider = read_description(issuer, answer.json_object(), self._rules)
        except MalformedAnswer as error:
            raise ProviderUnusable(Fault.NOT_FOUND) from error
        self._keep(self._kept, issuer, (now + KEPT, provider))
        return provider

    def write_address(
        self, provider: Provider, client_id: str, trip: RoundTrip, *, asks_again: bool = False
    ) -> str:
        """Return where to lead the browser; `asks_again` has the person show who they are."""
        digest = hashlib.sha256(trip.verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": trip.redirect_url,
            "scope": "openid email profile",
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        if asks_again:
            fields |= {"prompt": "login", "max_age": "0"}
        joint = "&" if "?" in provider.authorization_url else "?"
        return f"{provider.authorization_url}{joint}{urlencode(fields)}"

    def try_credentials(
        self, provider: Provider, credentials: Credentials, redirect_url: str
    ) -> None:
        """Ask for a token with a code that nobody was given: a wrong secret is refused before that.

        Raises:
            ProviderUnreachable, CredentialsRefused.
        """
        trip = RoundTrip(redirect_url, state="", nonce="", verifier="x" * 43)
        try:
            self._ask_for_token(provider, credentials, trip, "none", Deadline(SECONDS))
        except SignInRefused:
            return

    def exchange(
        self,
        provider: Provider,
        credentials: Credentials,
        trip: RoundTrip,
        code: str,
        *,
        now: datetime,
    ) -> Claims:
        """Return who has signed in, for the code that their browser has brought.

        Raises:
            ProviderUnreachable, CredentialsRefused, SignInRefused.
        """
        deadline = Deadline(SECONDS)
        token = self._ask_for_token(provider, credentials, trip, code, deadline)

        def read(keys: Keys) -> Claims:
            return read_claims(
                token,
                keys,
                issuer=provider.issuer,
                client_id=credentials.client_id,
                nonce=trip.nonce,
                now=now,
            )

        kept = self._keys.get(provider.keys_url)
        if kept is not None and now < kept[0]:
            try:
                return read(kept[1])
            except KeyUnknown:
                pass  # the provider may have a new one: it is asked once
        return read(self._fetch_keys(provider, deadline, now))

    def _fetch_keys(self, provider: Provider, deadline: Deadline, now: datetime) -> Keys:
        answer = self._send("GET", provider.keys_url, deadline)
        try:
            keys = read_keys(answer.json_object()) if answer.is_success else ()
        except MalformedAnswer:
            keys = ()
        if not keys:
            raise ProviderUnreachable("the provider shows no keys")
        self._keep(self._keys, provider.keys_url, (now + KEPT, keys))
        return keys

    def _ask_for_token(
        self,
        provider: Provider,
        credentials: Credentials,
        trip: RoundTrip,
        code: str,
        deadline: Deadline,
    ) -> str:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": trip.redirect_url,
            "code_verifier": trip.verifier,
            "client_id": credentials.client_id,
        }
        headers = dict(_FORM)
        if provider.takes_secret_in_body:
            fields["client_secret"] = credentials.client_secret
        else:
            headers["Authorization"] = _write_basic(credentials)
        body = urlencode(fields).encode()
        answer = self._send("POST", provider.token_url, deadline, headers=headers, body=body)
        return _read_token(answer)

    def _send(
        self,
        method: str,
        url: str,
        deadline: Deadline,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer:
        named = {"User-Agent": "uketsuke", **(headers or {})}
        try:
            return self._pool.send(method, url, headers=named, deadline=deadline, body=body)
        except AddressRefused:
            raise HostRefused("its host is in a private network") from None
        except OutboundError as error:
            raise ProviderUnreachable(f"No answer from the provider: {error}") from None

    def _keep(self, kept: dict[str, T], name: str, value: T) -> None:
        with self._lock:
            if len(kept) >= MOST_KEPT and name not in kept:
                kept.clear()
            kept[name] = value


def _read_token(answer: HttpAnswer) -> str:
    try:
        said = answer.json_object()
    except MalformedAnswer as error:
        raise ProviderUnreachable("no JSON from the token endpoint") from error
    if not answer.is_success:
        # RFC 6749, 5.2. Keycloak says `unauthorized_client` for a wrong secret.
        if said.get("error") in ("invalid_client", "unauthorized_client"):
            raise CredentialsRefused
        if answer.status >= 500:
            raise ProviderUnreachable(f"status {answer.status} from the token endpoint")
        raise SignInRefused("code")
    token = said.get("id_token")
    if not isinstance(token, str):
        raise SignInRefused("no_token")
    return token


def _write_basic(credentials: Credentials) -> str:
    # Encoded as in a form, before they are joined: RFC 6749, 2.3.1.
    pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
