"""The parts of one sandbox, and the lock that every use of them holds."""

import threading
from typing import Any

from flask import current_app, request

from zoom_sandbox.clock import Clock
from zoom_sandbox.faults import Faults
from zoom_sandbox.limits import Limits
from zoom_sandbox.oauth import Credentials
from zoom_sandbox.records import User
from zoom_sandbox.settings import SandboxSettings
from zoom_sandbox.state import State
from zoom_sandbox.statefile import StateFile
from zoom_sandbox.webhooks import Webhooks

EXTENSION = "zoom_sandbox"


class Sandbox:
    """Play one Zoom account. Hold `lock` around anything that reads or changes it."""

    def __init__(self, settings: SandboxSettings, scopes: set[str]) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self._scopes = scopes
        self._file = StateFile(settings.state_path)
        self._set_up()

    @property
    def base_url(self) -> str:
        return (self.settings.base_url or request.host_url).rstrip("/")

    def _set_up(self) -> None:
        settings = self.settings
        self.clock = Clock()
        self.state = State(self._file)
        self.faults = Faults()
        self.page_tokens: dict[str, Any] = {}
        self.credentials = Credentials(settings, self.clock, set(self._scopes))
        self.limits = Limits(
            settings.plan,
            self.clock,
            enforced=settings.enforce_rate_limits,
            adds_count_over_all=settings.adds_count_over_all,
        )
        self.webhooks = Webhooks(
            account_id=settings.account_id,
            url=settings.webhook_url,
            secret=settings.webhook_secret,
            clock=self.clock,
        )
        if not self.state.users:
            self._add_host()

    def _add_host(self) -> None:
        is_paid = self.settings.plan != "free"
        self.state.save_user(
            User(
                id="SandboxHost0000000000w",
                email=self.settings.host_email,
                display_name="Sandbox Host",
                type=2 if is_paid else 1,
                has_webinars=is_paid,
            )
        )

    def reset(self) -> None:
        """Forget everything, as if the sandbox had just been installed."""
        self.webhooks.close()
        self._file.clear()
        self._set_up()

    def close(self) -> None:
        self.webhooks.close()
        self._file.close()


def current_sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions[EXTENSION]
    return sandbox
