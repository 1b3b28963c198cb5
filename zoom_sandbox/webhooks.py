"""Signed messages to the installation's webhook address, sent from a background thread."""

import hashlib
import hmac
import json
import queue
import threading
from typing import Any

import requests

from zoom_sandbox.clock import Clock

DELIVERIES = ("send", "drop", "twice", "hold")
# Zoom gives a receiver three seconds to answer.
TIMEOUT_SECONDS = 3


def sign(secret: str, timestamp: str, body: bytes) -> str:
    message = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Webhooks:
    """Post what happened, once; Zoom's own retries after 5, 25 and 85 minutes are not played.

    `delivery` is `send`, `drop` (lost on the way), `twice`, or `hold` until `release`, which
    sends what was held in reverse order.
    """

    def __init__(self, *, account_id: str, url: str, secret: str, clock: Clock) -> None:
        self._account_id = account_id
        self._clock = clock
        self._queue: queue.Queue[bytes | None] = queue.Queue()
        self._held: list[bytes] = []
        self._thread: threading.Thread | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self.url = url
        self.secret = secret
        self.delivery = "send"
        self.sent: list[dict[str, Any]] = []

    def send(self, event: str, payload: dict[str, Any]) -> None:
        message = self._envelope(event, {"account_id": self._account_id, **payload})
        if not self.url or self.delivery == "drop":
            return
        if self.delivery == "hold":
            self._held.append(message)
            return
        for _ in range(2 if self.delivery == "twice" else 1):
            self._enqueue(message)

    def release(self) -> None:
        for message in reversed(self._held):
            self._enqueue(message)
        self._held.clear()

    def challenge(self, plain_token: str) -> dict[str, Any]:
        """Ask the receiver to prove that it knows the secret, as Zoom does every 72 hours."""
        return self._post(self._envelope("endpoint.url_validation", {"plainToken": plain_token}))

    def wait(self) -> None:
        """Return when everything queued so far was posted."""
        self._queue.join()

    def close(self) -> None:
        if self._thread:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        self._session.close()

    def _envelope(self, event: str, payload: dict[str, Any]) -> bytes:
        event_ts = int(self._clock.now().timestamp() * 1000)
        envelope = {"event": event, "event_ts": event_ts, "payload": payload}
        return json.dumps(envelope, ensure_ascii=False).encode()

    def _enqueue(self, message: bytes) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()
        self._queue.put(message)

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            self._post(message)
            self._queue.task_done()

    def _post(self, message: bytes) -> dict[str, Any]:
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": sign(self.secret, timestamp, message),
        }
        delivery: dict[str, Any] = {"message": json.loads(message), "status": None, "answer": ""}
        try:
            response = self._session.post(
                self.url,
                data=message,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            delivery.update(status=response.status_code, answer=response.text)
        except requests.RequestException as error:
            delivery["answer"] = str(error)
        self.sent.append(delivery)
        return delivery
