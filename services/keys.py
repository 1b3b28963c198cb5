"""Keys for everything that is signed or hashed, derived from one secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

RECOVERY_CODE, EMAIL_HASH = "recovery-code", "email-hash"
_OF_HASHES = (RECOVERY_CODE, EMAIL_HASH)
"""What is stored as a hash alone, and cannot be hashed anew."""


class KeyRing:
    """Derives a key for each purpose; signs with the newest secret, accepts any of them.

    Hashes are compared with keys of secrets too that were left out (`add_hash_keys`).

    Args:
        secrets: at least 32 bytes each, newest first.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets or any(len(secret) < 32 for secret in secrets):
            raise ValueError("a secret key has at least 32 bytes")
        self._secrets = tuple(secrets)
        self._derived: dict[str, list[bytes]] = {}
        self._added: dict[str, list[bytes]] = {}

    def derive(self, purpose: str) -> list[bytes]:
        """Return this purpose's 32-byte keys, newest first."""
        keys = self._derived.get(purpose)
        if keys is None:
            label = b"uketsuke/" + purpose.encode()
            keys = [hmac.digest(secret, label, hashlib.sha256) for secret in self._secrets]
            keys += self._added.get(purpose, [])
            self._derived[purpose] = keys
        return keys

    def list_fingerprints(self) -> list[str]:
        """Return what tells each secret from others, newest first, and says nothing about it."""
        return [key.hex()[:16] for key in self.derive("fingerprint")]

    def list_hash_keys(self) -> list[dict[str, str]]:
        """Return what hashes are compared with, by purpose, for each secret, the newest first."""
        return [
            {purpose: self.derive(purpose)[number].hex() for purpose in _OF_HASHES}
            for number in range(len(self._secrets))
        ]

    def add_hash_keys(self, keys: Mapping[str, str]) -> None:
        """Compare hashes with those of another secret too, as `list_hash_keys` returned them."""
        for purpose in _OF_HASHES:
            added = bytes.fromhex(keys[purpose])
            if added not in self.derive(purpose):
                self._added.setdefault(purpose, []).append(added)
                del self._derived[purpose]

    def hash_email(self, email_key: str) -> str:
        """Hash an address, to be compared with `list_email_hashes` only."""
        return self.list_email_hashes(email_key)[0]

    def list_email_hashes(self, email_key: str) -> list[str]:
        """Return what an address was hashed to with any of the secrets, the newest first."""
        return [
            hmac.new(key, email_key.encode(), hashlib.sha256).hexdigest()
            for key in self.derive(EMAIL_HASH)
        ]
