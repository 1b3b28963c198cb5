"""The signed, stateless token inside a form: no cookie is needed anywhere.

It says which version of which event's form was shown, where, when and with which nonce; the nonce
is the idempotency key of the POST. The version fixes the consent texts too: they are part of it.
"""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_encode

from .keys import KeyRing
from .submissions import Surface

MAX_AGE_SECONDS = 24 * 3600
CLOCK_SKEW_SECONDS = 120


class FormTokenError(Exception):
    """The token is not ours, cut, of another event, older than a day, or from a clock far ahead."""


@dataclass(frozen=True)
class FormToken:
    event_public_id: str
    form_version_id: int
    surface: Surface
    issued_at: float
    nonce: str

    def age_seconds(self, now: datetime) -> float:
        return now.timestamp() - self.issued_at


class FormTokens:
    """Issues and reads form tokens."""

    def __init__(self, keys: KeyRing) -> None:
        # itsdangerous signs with the last key of its list.
        self._serializer = URLSafeSerializer(keys.derive("form")[::-1], salt="form")
        # The serializer would make another one for each token.
        self._signer = self._serializer.make_signer()

    def issue(
        self, event_public_id: str, form_version_id: int, surface: Surface, *, now: datetime
    ) -> str:
        nonce = secrets.token_urlsafe(12)
        issued_at = math.floor(now.timestamp() * 10) / 10  # never later than it was
        text = json.dumps([event_public_id, form_version_id, surface, issued_at, nonce])
        # The serializer would compress it: with a hundred bytes that takes longer than all else.
        return self._signer.sign(base64_encode(text)).decode()

    def read(self, token: str, event_public_id: str, *, now: datetime) -> FormToken:
        """Check a token and return what it says.

        Raises:
            FormTokenError: it cannot be taken.
        """
        try:
            payload = self._signer.unsign(token)
            event_id, version_id, surface, issued_at, nonce = self._serializer.load_payload(payload)
            read = FormToken(event_id, version_id, Surface(surface), float(issued_at), nonce)
        except (BadData, TypeError, ValueError) as error:
            raise FormTokenError from error
        if read.event_public_id != event_public_id:
            raise FormTokenError
        if not -CLOCK_SKEW_SECONDS <= read.age_seconds(now) <= MAX_AGE_SECONDS:
            raise FormTokenError
        return read
