"""Codes of an authenticator app (TOTP, RFC 6238) and recovery codes, each good for one use."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime

import pyotp
import segno
from sqlalchemy.orm import Session

from storage import organizers
from storage.ciphers import DecryptionError
from storage.models import Organizer

from .audit import Action
from .keys import RECOVERY_CODE, KeyRing
from .sign_in import record_about

STEP_SECONDS = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


class AppUnreadable(Exception):
    """What the organizer's app shares with the site was sealed with a secret that is gone."""


def derive_secret(keys: KeyRing, organizer: Organizer, cookie: str) -> str:
    """Return the secret that a set-up page of this browser shows; it is stored once it is proven.

    Another one after each use of the former, so that a set-up begun anew is not the old one.
    """
    told = f"{organizer.public_id}\0{organizer.totp_counter}\0{cookie}"
    digest = hmac.digest(keys.derive("totp-setup")[0], told.encode(), hashlib.sha256)
    return base64.b32encode(digest[:20]).decode()


def draw_setup(secret: str, email: str) -> str:
    """Return the QR code that an app reads, as the address of an image."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Uketsuke")
    return segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff", dark="#000")


def add_authenticator(
    session: Session, organizer_id: int, secret: str, code: str, *, now: datetime
) -> bool:
    """Store a secret that the app has shown to know; False if the code is wrong."""
    organizer = organizers.lock_organizer(session, organizer_id)
    counter = _find_counter(secret, code, now)
    if counter is None or not organizers.take_totp_counter(session, organizer.id, counter):
        return False
    organizer.totp_secret = session.info["cipher"].encrypt(secret)
    session.flush()
    record_about(session, organizer, Action.SECOND_FACTOR_ADDED, facts={"kind": "app"}, now=now)
    return True


def remove_authenticator(session: Session, organizer_id: int, *, now: datetime) -> None:
    organizer = organizers.lock_organizer(session, organizer_id)
    if organizer.totp_secret is None:
        return
    organizer.totp_secret, organizer.recovery_codes = None, []
    session.flush()
    record_about(session, organizer, Action.SECOND_FACTOR_REMOVED, facts={"kind": "app"}, now=now)


def take_code(
    session: Session, keys: KeyRing, organizer: Organizer, code: str, *, now: datetime
) -> str:
    """Use a code up; return what it was, `app` or `recovery`, or an empty text if it is none.

    Nobody uses one twice: not the same, not an older one, not two at once.

    Raises:
        AppUnreadable: nobody can tell whether it is a code of the app.
    """
    bare = re.sub(r"[\s-]", "", code).lower()
    if organizer.totp_secret is not None and bare.isdecimal():
        try:
            secret: str = session.info["cipher"].decrypt(organizer.totp_secret)
        except DecryptionError as error:
            raise AppUnreadable from error
        counter = _find_counter(secret, bare, now)
        is_taken = counter is not None and organizers.take_totp_counter(
            session, organizer.id, counter
        )
        return "app" if is_taken else ""
    return "recovery" if _take_recovery_code(session, keys, organizer.id, bare) else ""


def make_recovery_codes(
    session: Session, keys: KeyRing, organizer_id: int, *, now: datetime
) -> list[str]:
    """Make new recovery codes and return them, to be shown once; former ones are dead."""
    organizer = organizers.lock_organizer(session, organizer_id)
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    organizer.recovery_codes = [_hash(keys, organizer, code)[0] for code in codes]
    session.flush()
    record_about(session, organizer, Action.RECOVERY_CODES_MADE, now=now)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _take_recovery_code(session: Session, keys: KeyRing, organizer_id: int, bare: str) -> bool:
    organizer = organizers.lock_organizer(session, organizer_id)
    hashes = _hash(keys, organizer, bare)
    left = [kept for kept in organizer.recovery_codes if kept not in hashes]
    if len(left) == len(organizer.recovery_codes):
        return False
    organizer.recovery_codes = left
    session.flush()
    return True


def _find_counter(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step of a code: this one, or a neighbour, as clocks differ."""
    here = int(now.timestamp()) // STEP_SECONDS
    hotp = pyotp.HOTP(secret)
    bare = re.sub(r"\s", "", code)
    steps = [step for step in (here - 1, here, here + 1) if hotp.verify(bare, step)]
    return max(steps, default=None)


def _hash(keys: KeyRing, organizer: Organizer, code: str) -> list[str]:
    told = f"{organizer.public_id}\0{code}".encode()
    return [hmac.new(key, told, hashlib.sha256).hexdigest() for key in keys.derive(RECOVERY_CODE)]
