"""Keys for everything that is signed or hashed, derived from one secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


class KeyRing:
    """Derives a key for each purpose; signs with the newest secret, accepts any of them.

    Args:
        secrets: at least 32 bytes each, newest first.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets or any(len(secret) < 32 for secret in secrets):
            raise ValueError("a secret key has at least 32 bytes")
        self._secrets = tuple(secrets)
        self._derived: dict[str, list[bytes]] = {}

    def derive(self, purpose: str) -> list[bytes]:
        """Return this purpose's 32-byte keys, newest first."""
        keys = self._derived.get(purpose)
        if keys is None:
            label = b"uketsuke/" + purpose.encode()
            keys = [hmac.digest(secret, label, hashlib.sha256) for secret in self._secrets]
            self._derived[purpose] = keys
        return keys

    def list_fingerprints(self) -> list[str]:
        """Return what tells each secret from others, newest first, and says nothing about it."""
        return [key.hex()[:16] for key in self.derive("fingerprint")]

    def hash_email(self, email_key: str) -> str:
        """Hash an address, to be compared with `list_email_hashes` only."""
        return self.list_email_hashes(email_key)[0]

    def list_email_hashes(self, email_key: str) -> list[str]:
        """Return what an address was hashed to with any of the secrets, the newest first."""
        return [
            hmac.new(key, email_key.encode(), hashlib.sha256).hexdigest()
            for key in self.derive("email-hash")
        ]
