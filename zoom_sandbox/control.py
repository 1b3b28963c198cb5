"""Drive a running sandbox from a test."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import requests

Entry = dict[str, Any]


class SandboxControl:
    """Talk to the `/control/` of the sandbox at `base_url`. Close it after use."""

    def __init__(self, base_url: str) -> None:
        self._root = f"{base_url.rstrip('/')}/control"
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        self._session.close()

    def journal(self, **narrowed_by: object) -> list[Entry]:
        """List what was asked and what happened, oldest first.

        An entry has at, operation, action, meeting_id, email, registrant_id, effect (None: nothing
        changed), status (None: the connection was closed) and code; narrow by any of them.
        """
        entries: list[Entry] = self._call("GET", "/journal", params=narrowed_by)
        return entries

    def state(self) -> dict[str, Any]:
        """Show users, meetings, registrants, waiting faults, counts of today and the clock."""
        state: dict[str, Any] = self._call("GET", "/state")
        return state

    def reset(self) -> None:
        self._call("POST", "/reset", {})

    def fault(self, operation: str = "", **what: Any) -> None:
        """Spoil calls of an action (`add_registrant`) or operationId; see `faults.Fault`."""
        self._call("POST", "/faults", {"operation": operation, **what})

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def expire_tokens(self) -> None:
        self._call("DELETE", "/tokens")

    def revoke_secret(self) -> None:
        self._call("PUT", "/credentials", {"revoked": True})

    def restore_secret(self) -> None:
        self._call("PUT", "/credentials", {"revoked": False})

    def change_secret(self, secret: str) -> None:
        """Let the app have another secret, as its owner does when one has leaked."""
        self._call("PUT", "/credentials", {"client_secret": secret})

    def remove_scopes(self, *scopes: str) -> None:
        """Take scopes away, named as in the token's answer (`meeting:write:registrant:admin`)."""
        left = set(self.state()["scopes"]) - set(scopes)
        self.grant_scopes(left)

    def grant_scopes(self, scopes: Iterable[str]) -> None:
        """Grant exactly these scopes; tokens made before gain none of them."""
        self._call("PUT", "/credentials", {"scopes": sorted(scopes)})

    def move_clock(self, *, seconds: float = 0, hours: float = 0, days: float = 0) -> None:
        self._call("PUT", "/clock", {"seconds": seconds + hours * 3600 + days * 86400})

    def set_clock(self, at: datetime) -> None:
        self._call("PUT", "/clock", {"at": at.isoformat()})

    def enforce_limits(self, enforced: bool = True) -> None:
        self._call("PUT", "/limits", {"enforced": enforced})

    def use_up(self, key: str, count: int) -> None:
        """Set a count of today: a label such as `LIGHT`, or `host:<id>` and the like."""
        self._call("PUT", "/limits", {"used_today": {key: count}})

    def add_user(self, user_id: str, email: str, **details: Any) -> None:
        """Add a Zoom account holder: `type` 1 is basic, 2 licensed; `has_webinars`."""
        user = {"id": user_id, "email": email, "display_name": email, **details}
        self._call("POST", "/users", user)

    def add_meeting(self, kind: str = "meeting", **body: Any) -> dict[str, Any]:
        """Make a meeting or webinar from Zoom's body for creating; return it as Zoom would."""
        meeting: dict[str, Any] = self._call("POST", "/meetings", {"kind": kind, **body})
        return meeting

    def change_meeting(self, meeting_id: int, **changes: Any) -> None:
        """Change details, `settings`, `capacity`, `kind` or `uuid` as in Zoom's own pages."""
        self._call("PATCH", f"/meetings/{meeting_id}", changes)

    def add_registrant(self, meeting_id: int, email: str, **profile: Any) -> dict[str, Any]:
        """Register somebody behind the API's back; `status` is approved unless given."""
        registrant: dict[str, Any] = self._call(
            "POST", f"/meetings/{meeting_id}/registrants", {"email": email, **profile}
        )
        return registrant

    def change_registrant(self, meeting_id: int, email: str, action: str) -> None:
        """Approve, cancel or deny as the host would in Zoom's own pages."""
        body = {"email": email, "action": action}
        self._call("PUT", f"/meetings/{meeting_id}/registrants/status", body)

    def hold(
        self,
        meeting_id: int,
        *,
        started_at: datetime,
        ended_at: datetime,
        joins: Iterable[Mapping[str, Any]] = (),
        **how: Any,
    ) -> dict[str, Any]:
        """Let a meeting or webinar have been held; return the instance with its `uuid`.

        What a join is and what else can be said stands at `holding.hold`; times are datetimes.
        """
        body = {"started_at": started_at, "ended_at": ended_at, "joins": list(joins), **how}
        instance: dict[str, Any] = self._call(
            "POST", f"/meetings/{meeting_id}/instances", _write_times(body)
        )
        return instance

    def send_webhooks_to(self, url: str, secret: str) -> None:
        self._call("PUT", "/webhooks", {"url": url, "secret": secret})

    def deliver_webhooks(self, delivery: str) -> None:
        """Choose `send`, `drop`, `twice`, or `hold` until `release_webhooks`."""
        self._call("PUT", "/webhooks", {"delivery": delivery})

    def release_webhooks(self) -> None:
        """Send what was held, the newest first."""
        self._call("POST", "/webhooks/release", {})

    def webhooks(self) -> list[dict[str, Any]]:
        """List what was posted, with the receiver's status and answer, once all of it was."""
        sent: list[dict[str, Any]] = self._call("GET", "/webhooks")
        return sent

    def challenge_webhook(self, plain_token: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(
            "POST", "/webhooks/challenge", {"plain_token": plain_token}
        )
        return answer

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        params: dict[str, object] | None = None,
    ) -> Any:
        response = self._session.request(
            method,
            self._root + path,
            json=body,
            params={key: str(value) for key, value in (params or {}).items()},
            timeout=10,
        )
        if not response.ok:
            raise ValueError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None


def _write_times(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _write_times(part) for name, part in value.items()}
    return [_write_times(part) for part in value] if isinstance(value, list) else value
