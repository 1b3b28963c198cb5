"""A device with passkeys, in software: answers a site as an authenticator and its browser would."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url as encode

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


class PasskeyDevice:
    """Holds one key. `counts` is False for those that never count, as most today."""

    def __init__(self, origin: str, name: str, *, counts: bool = False) -> None:
        self.origin = origin
        self.name = name
        self.credential_id = secrets.token_bytes(32)
        self.is_verifying = True
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._counts = counts
        self._count = 0

    def make(self, options: str) -> str:
        """Answer an offer to make a passkey."""
        numbers = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1}
        key |= {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        length = len(self.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential_id + cbor2.dumps(key)
        content = {"fmt": "none", "attStmt": {}, "authData": self._tell(HAS_KEY) + attested}
        response = {
            "clientDataJSON": encode(self._tell_client("webauthn.create", options)),
            "attestationObject": encode(cbor2.dumps(content)),
            "transports": ["internal"],
        }
        return self._answer(response)

    def use(self, options: str) -> str:
        """Answer an offer to sign in."""
        self._count += self._counts
        client, told = self._tell_client("webauthn.get", options), self._tell()
        signed = told + hashlib.sha256(client).digest()
        response = {
            "clientDataJSON": encode(client),
            "authenticatorData": encode(told),
            "signature": encode(self._key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        }
        return self._answer(response)

    def _tell(self, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.is_verifying else 0)
        name = hashlib.sha256(self.name.encode()).digest()
        return name + bytes([flags]) + self._count.to_bytes(4, "big")

    def _tell_client(self, kind: str, options: str) -> bytes:
        challenge = json.loads(options)["challenge"]
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        name = encode(self.credential_id)
        answer = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps(answer | {"clientExtensionResults": {}})
