"""ID tokens: whether one is sound, and what it says (OpenID Connect Core 1.0, 3.1.3.7)."""

import base64
import hmac
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from oidc_client.errors import SignInRefused
from oidc_client.provider import ALGORITHMS

SKEW_SECONDS = 60
_SHORTEST_RSA_BYTES = 256
_LONGEST_SUBJECT = 255
_LATEST = 253_402_300_799  # the last second of the year 9999
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,253}")
_BROKEN = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)

# Providers put headers of their own beside those of the standard; "crit" is heeded all the same.
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)

Key = RSAKey | ECKey
Keys = Sequence[Key]


@dataclass(frozen=True)
class Claims:
    """Who was signed in, as their provider says.

    `subject` is theirs for ever, an address is not. `vouches_for_email` is None where the provider
    says nothing about whether the address is really theirs. `signed_in_at` is when they last showed
    who they are, None where that was not said.
    """

    issuer: str
    subject: str
    email: str
    vouches_for_email: bool | None
    name: str
    signed_in_at: datetime | None


class KeyUnknown(SignInRefused):
    """The token names a key that is not among the provider's; perhaps it has a new one."""

    def __init__(self) -> None:
        super().__init__("key_unknown")


def read_keys(said: Mapping[str, Any]) -> Keys:
    """Return the keys of a set that tokens may be signed with; others are passed over."""
    rows = said.get("keys")
    found = [_read_key(row) for row in (rows if isinstance(rows, list) else []) if _is_fit(row)]
    return [key for key in found if key is not None]


def read_claims(
    token: str, keys: Keys, *, issuer: str, client_id: str, nonce: str, now: datetime
) -> Claims:
    """Return what a sound token says.

    Raises:
        KeyUnknown, SignInRefused.
    """
    try:
        said = jwt.decode(token, _choose_from(keys), registry=_REGISTRY).claims
    except SignInRefused:
        raise
    except _BROKEN as error:
        raise SignInRefused("signature") from error
    if said.get("iss") != issuer:
        raise SignInRefused("issuer")
    _check_audience(said, client_id)
    _check_times(said, now)
    told = said.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(), nonce.encode()):
        raise SignInRefused("nonce")
    subject = said.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise SignInRefused("subject")
    return _read_person(said, issuer, subject)


def _is_fit(row: object) -> bool:
    if not isinstance(row, dict) or row.get("use", "sig") != "sig":
        return False
    return row.get("kty") in ("RSA", "EC") and "d" not in row


def _read_key(row: dict[str, Any]) -> Key | None:
    try:
        if row["kty"] == "EC":
            return ECKey.import_key(row)
        modulus = base64.urlsafe_b64decode(row["n"] + "==").lstrip(b"\0")
        return RSAKey.import_key(row) if len(modulus) >= _SHORTEST_RSA_BYTES else None
    except _BROKEN:
        return None


def _choose_from(keys: Keys) -> Callable[[Any], Key]:
    """Return what finds a token's key: the one it names, or the only one where it names none."""

    def choose(token: Any) -> Key:
        header = token.headers()
        kind = ECKey if header["alg"].startswith("ES") else RSAKey
        fit = [
            key for key in keys if isinstance(key, kind) and key.get("alg") in (None, header["alg"])
        ]
        named = [key for key in fit if key.get("kid") == header.get("kid")]
        found = named if "kid" in header else fit
        if len(found) != 1:
            raise KeyUnknown
        return found[0]

    return choose


def _check_audience(said: Mapping[str, Any], client_id: str) -> None:
    audience = said.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if client_id not in several:
        raise SignInRefused("audience")
    party = said.get("azp")
    if party != client_id and (party is not None or len(several) > 1):
        raise SignInRefused("authorized_party")


def _check_times(said: Mapping[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    ends, made = _read_number(said, "exp"), _read_number(said, "iat")
    begins = _read_number(said, "nbf")
    if ends is None or moment > ends + SKEW_SECONDS:
        raise SignInRefused("expired")
    if made is None or max(made, begins or 0) > moment + SKEW_SECONDS:
        raise SignInRefused("not_yet_valid")


def _read_number(said: Mapping[str, Any], name: str) -> float | None:
    value = said.get(name)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= _LATEST:
        raise SignInRefused(name)
    return float(value)


def _read_person(said: Mapping[str, Any], issuer: str, subject: str) -> Claims:
    email, name = said.get("email"), said.get("name")
    # In ASCII: what folds into somebody else's address is not theirs.
    is_address = isinstance(email, str) and email.isascii() and bool(_ADDRESS.fullmatch(email))
    at = _read_number(said, "auth_time")
    return Claims(
        issuer=issuer,
        subject=subject,
        email=str(email) if is_address else "",
        vouches_for_email=_read_promise(said),
        name="".join(c for c in name if c.isprintable())[:100] if isinstance(name, str) else "",
        signed_in_at=None if at is None else datetime.fromtimestamp(at, UTC),
    )


def _read_promise(said: Mapping[str, Any]) -> bool | None:
    """Tell whether the provider says that the address is the person's; None if it says nothing.

    Entra ID has no `email_verified` for company accounts. Its optional claim `xms_edov` says that
    the address's domain is the tenant's own and verified, or that the address was shown otherwise
    to be theirs; it comes only beside `email` (learn.microsoft.com, "Optional claims reference";
    read 2026-11).
    """
    found = [said[name] for name in ("email_verified", "xms_edov") if said.get(name) is not None]
    if not found:
        return None
    # Some write it as a text, Entra as a number.
    return all(value is True or value == 1 or value in ("true", "1") for value in found)
