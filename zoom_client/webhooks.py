"""Messages from Zoom: is this one genuine, and what to answer to its challenge.

Source: Zoom's webhook documentation (signature `v0`, challenge `endpoint.url_validation`), read
for the project's contract of 2026-09. The age of a message is the caller's to judge: Zoom gives no
window, and says nothing about whether its retries (after 5, 25 and 85 minutes) are signed anew.
"""

import hashlib
import hmac
import re

_VERSION = "v0"
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{1,128}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Make the `x-zm-signature` for a body and its `x-zm-request-timestamp`."""
    signed = _to_bytes(f"{_VERSION}:{timestamp}:") + body
    return f"{_VERSION}={_hmac_hex(secret, signed)}"


def verify_signature(secret: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Tell whether Zoom signed exactly these bytes.

    `body` is what came over the wire: parsing and writing JSON again changes it.
    """
    if not secret or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    # A header may hold any characters, and compare_digest takes text only where it is ASCII.
    return hmac.compare_digest(_to_bytes(sign(secret, timestamp, body)), _to_bytes(signature))


def answer_challenge(secret: str, plain_token: str) -> dict[str, str]:
    """Make the JSON answer to `endpoint.url_validation`; Zoom waits 3 s for it.

    Verify the signature of the challenge first. The answer signs what was sent with the same
    secret: whoever had `v0:<time>:<body>` signed here could forge any message. Such a token, and
    everything else that is not one word, is a ValueError.
    """
    if not _PLAIN_TOKEN.fullmatch(plain_token):
        raise ValueError("no plain token of Zoom's")
    return {
        "plainToken": plain_token,
        "encryptedToken": _hmac_hex(secret, _to_bytes(plain_token)),
    }


def _hmac_hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _to_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
