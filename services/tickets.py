"""What a browser keeps between two steps of signing in, signed and bound to its cookie."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from storage.models import Organizer

from .keys import KeyRing

HOLDS = timedelta(minutes=10)


def make_ticket(keys: KeyRing, organizer: Organizer, cookie: str, *, now: datetime) -> str:
    """Say that this browser has shown an organizer's password; the second step follows."""
    content = [organizer.public_id, _mark(organizer, cookie), int(now.timestamp())]
    return str(_serializer(keys, "ticket").dumps(content))


def read_ticket(keys: KeyRing, ticket: str, *, now: datetime) -> str | None:
    """Return whose ticket it is by public id, if it is ours and not too old."""
    content = _load(keys, "ticket", ticket)
    if not isinstance(content, list) or len(content) != 3:
        return None
    age = now.timestamp() - content[2]
    return str(content[0]) if -60 <= age <= HOLDS.total_seconds() else None


def is_ticket_of(keys: KeyRing, ticket: str, organizer: Organizer, cookie: str) -> bool:
    """Tell whether a ticket was given to this browser, and the password is still the same."""
    content = _load(keys, "ticket", ticket)
    return isinstance(content, list) and content[1] == _mark(organizer, cookie)


def make_device(keys: KeyRing, organizer: Organizer) -> str:
    """Return what tells a browser in which an organizer was signed in; it opens nothing."""
    content = [organizer.public_id, secrets.token_urlsafe(9)]
    return str(_serializer(keys, "device").dumps(content))


def read_device(keys: KeyRing, device: str, organizer: Organizer | None) -> str:
    """Return the browser's own name if this organizer was signed in with it, else an empty one."""
    content = _load(keys, "device", device)
    is_theirs = isinstance(content, list) and organizer and content[0] == organizer.public_id
    return str(content[1]) if is_theirs and isinstance(content, list) else ""


def _mark(organizer: Organizer, cookie: str) -> str:
    told = f"{organizer.password_hash}\0{cookie}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _load(keys: KeyRing, salt: str, text: str) -> object:
    try:
        return _serializer(keys, salt).loads(text)
    except BadData:
        return None


def _serializer(keys: KeyRing, salt: str) -> URLSafeSerializer:
    # itsdangerous signs with the last key of its list.
    return URLSafeSerializer(keys.derive("sign-in")[::-1], salt=salt)
