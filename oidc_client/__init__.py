"""A client for signing people in with their company's OpenID Connect provider.

Authorization code with PKCE and nothing else. It knows nothing of the product.
"""

from oidc_client.claims import Claims
from oidc_client.client import Credentials, OidcClient, RoundTrip
from oidc_client.errors import (
    CredentialsRefused,
    Fault,
    HostRefused,
    OidcError,
    ProviderUnreachable,
    ProviderUnusable,
    SignInRefused,
)
from oidc_client.provider import MICROSOFT_HOSTS, Provider

__all__ = [
    "MICROSOFT_HOSTS",
    "Claims",
    "Credentials",
    "CredentialsRefused",
    "Fault",
    "HostRefused",
    "OidcClient",
    "OidcError",
    "Provider",
    "ProviderUnreachable",
    "ProviderUnusable",
    "RoundTrip",
    "SignInRefused",
]
