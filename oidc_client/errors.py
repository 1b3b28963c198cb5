"""Everything that can go wrong with a provider, one class per thing a caller does differently.

OidcError
├── ProviderUnreachable    no whole answer came; later one may
│   └── HostRefused        its host lies in a private network, and is not named as one to ask
├── ProviderUnusable       what it says of itself is nothing to sign in with: `fault`
├── CredentialsRefused     it does not know this client id with this secret
└── SignInRefused          what came back proves nothing: `why`

No text of an error holds a code, a token, a secret or an address of a person.
"""

from enum import StrEnum


class OidcError(Exception):
    """Nobody is signed in."""


class ProviderUnreachable(OidcError):
    pass


class HostRefused(ProviderUnreachable):
    pass


class Fault(StrEnum):
    """What is wrong with a provider's description of itself."""

    NOT_AN_ADDRESS = "not_an_address"
    NO_TENANT = "no_tenant"
    NOT_FOUND = "not_found"
    OTHER_ISSUER = "other_issuer"
    UNSAFE_ADDRESS = "unsafe_address"
    NO_CODE_FLOW = "no_code_flow"
    NO_KNOWN_ALGORITHM = "no_known_algorithm"


class ProviderUnusable(OidcError):
    """`issuer` is what it calls itself, where that is what is wrong."""

    def __init__(self, fault: Fault, issuer: str = "") -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.issuer = issuer


class CredentialsRefused(OidcError):
    pass


class SignInRefused(OidcError):
    """`why` is a word of ours, for logs."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
