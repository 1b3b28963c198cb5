"""Encryption of what must not lie in the database in clear: join URLs, secrets, tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Cipher:
    """Encrypts with the newest key and decrypts with any of them.

    Args:
        keys: secrets of at least 32 bytes, newest first.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        fernets = [Fernet(_derive(key, b"storage")) for key in keys]
        self._newest, self._fernet = fernets[0], MultiFernet(fernets)

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, token: bytes) -> str:
        """Raise `DecryptionError` if no key fits."""
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken as error:
            raise DecryptionError("no key opens this value; was the key file replaced?") from error

    def reseal(self, token: bytes) -> bytes | None:
        """Return a value as the newest key seals it, or None if that one has sealed it already.

        Raises:
            DecryptionError: no key fits.
        """
        return None if self.is_newest(token) else self.encrypt(self.decrypt(token))

    def is_newest(self, token: bytes) -> bool:
        """Tell whether the newest key has sealed a value."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return False
        return True


class DecryptionError(Exception):
    """A stored value was encrypted with a key that is not configured."""


def _derive(key: bytes, purpose: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(key, b"uketsuke/" + purpose, hashlib.sha256))
