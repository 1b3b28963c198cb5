"""Whether this installation has the secret that its database was made with.

Without it no link in a mail that was sent leads anywhere, and no stored join URL can be read. A
site that went on with another one would notice nothing by itself: its new links work.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storage import (
    events,
    known_secrets,
    organizations,
    registrations,
    webhooks,
    zoom_registrants,
)
from storage.ciphers import DecryptionError

from .deliveries import Delivery, record_problem
from .delivery_stops import describe_ending
from .keys import KeyRing
from .registrations import request_sync

SETTLES_IN = timedelta(hours=1)
"""How long the processes of a site have to be started anew with a new secret."""


class SecretUnknown(Exception):
    """None of the configured secrets is one that the database was made with."""

    def __init__(self, used_since: datetime) -> None:
        super().__init__(f"another secret is in use since {used_since:%Y-%m-%d}")


class SecretBehind(Exception):
    """Other processes have used a newer secret, which is not configured here."""


def list_new_secrets(session: Session, keys: KeyRing) -> list[str]:
    """Return the fingerprints of configured secrets that the database does not know yet.

    Raises:
        SecretUnknown: it knows others, and none of ours.
    """
    known = known_secrets.list_known_secrets(session)
    ours = keys.list_fingerprints()
    unknown = set(ours) - {secret.fingerprint for secret in known}
    if known and len(unknown) == len(ours):
        raise SecretUnknown(known[0].first_used_at)
    return [fingerprint for fingerprint in ours if fingerprint in unknown]


def check_newest_secret(session: Session, keys: KeyRing) -> None:
    """Raise `SecretBehind` if what others write now could not be read here."""
    newest, _ = _find_newest(session)
    if newest and newest.isdisjoint(keys.list_fingerprints()):
        raise SecretBehind


def is_in_front(session: Session, keys: KeyRing) -> bool:
    """Tell whether the newest secret is in front here: behind another it seals nothing."""
    newest, _ = _find_newest(session)
    return keys.list_fingerprints()[0] in newest


def is_settled(session: Session, keys: KeyRing, *, now: datetime) -> bool:
    """Tell whether the newest secret is in front here, and not the newest only just."""
    _, since = _find_newest(session)
    return is_in_front(session, keys) and now - since >= SETTLES_IN


def list_unkept(session: Session, keys: KeyRing) -> list[int]:
    """List which of our older secrets' hashes could be compared no more once they are left out."""
    known = known_secrets.list_known_secrets(session)
    kept = {secret.fingerprint for secret in known if secret.hash_keys}
    ours = keys.list_fingerprints()
    return [number for number in range(1, len(ours)) if ours[number] not in kept]


def keep_hash_keys(session: Session, keys: KeyRing) -> None:
    """Store what hashes of our older secrets are compared with; the secrets stay unknown."""
    fingerprints, hash_keys = keys.list_fingerprints(), keys.list_hash_keys()
    for number in list_unkept(session, keys):
        sealed = session.info["cipher"].encrypt(json.dumps(hash_keys[number]))
        known_secrets.write_hash_keys(session, fingerprints[number], sealed)


def take_hash_keys(session: Session, keys: KeyRing) -> None:
    """Have hashes compared with the keys too that were kept of secrets which are left out."""
    for secret in known_secrets.list_known_secrets(session):
        if secret.hash_keys is None or secret.fingerprint in keys.list_fingerprints():
            continue
        with suppress(DecryptionError):
            keys.add_hash_keys(json.loads(session.info["cipher"].decrypt(secret.hash_keys)))


def has_several(session: Session) -> bool:
    """Tell whether something may be sealed with another secret than the newest."""
    return len(known_secrets.list_known_secrets(session)) > 1


def accept_secrets(session: Session, keys: KeyRing, *, now: datetime) -> int:
    """Go on after the old secret is lost: forget what nobody can read any more.

    Returns how many join URLs are asked of Zoom again. Links in mails sent before stay dead.
    """
    count = 0
    for event in events.list_events(session):
        is_over = bool(describe_ending(event, now=now))
        for registrant in zoom_registrants.list_with_link(session, event.id):
            registrant.join_url = None
            if is_over:
                continue
            record_problem(registrant, Delivery.WAITING, "", now=now)
            registration = registrations.get_registration(session, registrant.registration_id)
            assert registration is not None, "a delivery belongs to a registration"
            request_sync(session, registration, now=now)
            count += 1
    session.flush()
    known_secrets.forget_hash_keys(session)
    webhooks.forget_former_secrets(session)
    organizations.forget_tokens(session)
    known_secrets.add_known_secrets(session, keys.list_fingerprints(), now=now)
    return count


def _find_newest(session: Session) -> tuple[set[str], datetime]:
    """Return the fingerprints of what was used last for the first time, and since when it is."""
    known = known_secrets.list_known_secrets(session)
    never = datetime.max.replace(tzinfo=UTC)
    since = max((secret.first_used_at for secret in known), default=never)
    return {secret.fingerprint for secret in known if secret.first_used_at == since}, since
