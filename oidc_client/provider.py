"""What a provider says of itself (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from oidc_client.errors import Fault, ProviderUnusable
from outbound import HostRules

# Signed with a key of the provider's alone: neither "none" nor a secret that we know too.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
)
LONGEST_ISSUER = 255

MICROSOFT_HOSTS = (
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
)
# In their place stands the tenant: with these anybody's account of any company would be let in.
_NO_TENANTS = ("common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad")


@dataclass(frozen=True)
class Provider:
    """`names_itself`: each of its answers to a browser says whose it is (RFC 9207)."""

    issuer: str
    authorization_url: str
    token_url: str
    keys_url: str
    names_itself: bool
    takes_secret_in_body: bool

    @property
    def host(self) -> str:
        return urlsplit(self.authorization_url).hostname or ""


def check_issuer(issuer: str, rules: HostRules) -> None:
    """Raise ProviderUnusable for what can be no issuer, before anybody is asked."""
    parts = urlsplit(issuer) if rules.is_safe(issuer) else None
    if parts is None or "?" in issuer or len(issuer) > LONGEST_ISSUER:
        raise ProviderUnusable(Fault.NOT_AN_ADDRESS)
    first = parts.path.strip("/").partition("/")[0].lower()
    if parts.hostname in MICROSOFT_HOSTS and first in ("", *_NO_TENANTS):
        raise ProviderUnusable(Fault.NO_TENANT)


def name_description(issuer: str) -> str:
    """Return where an issuer describes itself."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_description(issuer: str, said: Mapping[str, Any], rules: HostRules) -> Provider:
    """Read what an issuer answers there, or raise ProviderUnusable."""
    if said.get("issuer") != issuer:
        raise ProviderUnusable(Fault.OTHER_ISSUER, str(said.get("issuer", ""))[:LONGEST_ISSUER])
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    urls = [str(said.get(name, "")) for name in names]
    if not all(rules.is_safe(url) for url in urls):
        raise ProviderUnusable(Fault.UNSAFE_ADDRESS)
    if "code" not in _list(said, "response_types_supported", "code"):
        raise ProviderUnusable(Fault.NO_CODE_FLOW)
    if not set(_list(said, "id_token_signing_alg_values_supported", "RS256")) & set(ALGORITHMS):
        raise ProviderUnusable(Fault.NO_KNOWN_ALGORITHM)
    ways = _list(said, "token_endpoint_auth_methods_supported", "client_secret_basic")
    authorization_url, token_url, keys_url = urls
    return Provider(
        issuer,
        authorization_url,
        token_url,
        keys_url,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        takes_secret_in_body="client_secret_post" in ways,
    )


def _list(said: Mapping[str, Any], name: str, default: str) -> list[Any]:
    value = said.get(name)
    return value if isinstance(value, list) else [default]
