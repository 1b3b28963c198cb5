"""Passkeys (WebAuthn Level 2): a key on a device that signs for this site's name alone.

Each asks its holder for a finger, a face or a PIN, so a passkey is both steps of signing in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from storage import passkeys
from storage.limits import Bucket, spend
from storage.models import Organizer, Passkey

from .audit import Action
from .keys import KeyRing
from .sign_in import record_about

CHALLENGE_SECONDS = 300
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError)


class PasskeyRefused(Exception):
    """What the browser sent is no answer to what this browser was asked, or was used already."""


@dataclass(frozen=True)
class Party:
    """The site as passkeys know it: `name` is its host name, `origin` how browsers write it."""

    name: str
    origin: str

    @classmethod
    def of_site(cls, site_url: str) -> Party:
        parts = urlsplit(site_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")

    @property
    def can_have_passkeys(self) -> bool:
        """Whether browsers make keys for it: for names alone, and over https but on localhost."""
        try:
            ip_address(self.name)
        except ValueError:
            return self.origin.startswith("https://") or self.name == "localhost"
        return False


def offer_registration(
    session: Session,
    keys: KeyRing,
    party: Party,
    organizer: Organizer,
    *,
    cookie: str,
    now: datetime,
) -> str:
    """Return what a browser needs to make a passkey, as JSON."""
    known = passkeys.list_passkeys(session, organizer.id)
    options = generate_registration_options(
        rp_id=party.name,
        rp_name="Uketsuke",
        user_id=organizer.public_id.encode(),
        user_name=organizer.email,
        user_display_name=organizer.name or organizer.email,
        challenge=_make_challenge(keys, cookie, now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=row.credential_id) for row in known],
    )
    return options_to_json(options)


def offer_sign_in(keys: KeyRing, party: Party, *, cookie: str, now: datetime) -> str:
    """Return what a browser needs to sign in with a passkey of any organizer, as JSON."""
    options = generate_authentication_options(
        rp_id=party.name,
        challenge=_make_challenge(keys, cookie, now),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add_passkey(
    session: Session,
    keys: KeyRing,
    party: Party,
    organizer: Organizer,
    *,
    credential: str,
    name: str,
    cookie: str,
    now: datetime,
) -> Passkey:
    """Store the passkey that a browser has made.

    Raises:
        PasskeyRefused: it is no answer to `offer_registration`, or is known already.
    """
    challenge = _take_challenge(session, keys, credential, cookie, now)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.name,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        transports = json.loads(credential)["response"].get("transports") or []
    except _BROKEN as error:
        raise PasskeyRefused from error
    if passkeys.get_by_credential(session, made.credential_id) is not None:
        raise PasskeyRefused
    passkey = passkeys.add_passkey(
        session,
        organizer.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=[str(way)[:20] for way in transports[:8]],
        name=name,
        now=now,
    )
    facts = {"kind": "passkey"}
    record_about(session, organizer, Action.SECOND_FACTOR_ADDED, facts=facts, now=now)
    return passkey


def use_passkey(
    session: Session, keys: KeyRing, party: Party, *, credential: str, cookie: str, now: datetime
) -> int:
    """Check the answer of a passkey and return the id of its organizer.

    Raises:
        PasskeyRefused: it proves nothing: unknown, forged, for another site or browser, or twice.
    """
    challenge = _take_challenge(session, keys, credential, cookie, now)
    try:
        credential_id = base64url_to_bytes(json.loads(credential)["rawId"])
        passkey = passkeys.get_by_credential(session, credential_id)
        if passkey is None:
            raise PasskeyRefused
        before = passkey.sign_count
        used = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.name,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=before,
            require_user_verification=True,
        )
    except _BROKEN as error:
        raise PasskeyRefused from error
    if not passkeys.note_use(
        session, passkey, before=before, sign_count=used.new_sign_count, now=now
    ):
        raise PasskeyRefused
    return passkey.organizer_id


def _make_challenge(keys: KeyRing, cookie: str, now: datetime) -> bytes:
    head = int(now.timestamp()).to_bytes(8, "big") + secrets.token_bytes(16)
    return head + _sign(keys.derive("passkey")[0], head, cookie)


def _take_challenge(
    session: Session, keys: KeyRing, credential: str, cookie: str, now: datetime
) -> bytes:
    """Return the challenge that an answer names, if this browser was given it, and use it up."""
    try:
        told = base64url_to_bytes(json.loads(credential)["response"]["clientDataJSON"])
        challenge = base64url_to_bytes(json.loads(told)["challenge"])
    except _BROKEN as error:
        raise PasskeyRefused from error
    head, signature = challenge[:24], challenge[24:]
    made = [_sign(key, head, cookie) for key in keys.derive("passkey")]
    age = now.timestamp() - int.from_bytes(head[:8], "big")
    if not any(hmac.compare_digest(signature, other) for other in made):
        raise PasskeyRefused
    # A bucket that holds one is empty until the challenge is too old anyway.
    name = f"passkey:{base64.urlsafe_b64encode(head[8:]).decode()}"
    once = Bucket(name, interval=CHALLENGE_SECONDS * 2.0, burst=1)
    if not spend(session, once, now=now.timestamp()) or not -60 <= age <= CHALLENGE_SECONDS:
        raise PasskeyRefused
    return challenge


def _sign(key: bytes, head: bytes, cookie: str) -> bytes:
    return hmac.digest(key, head + cookie.encode(), hashlib.sha256)[:16]
