"""What a sandbox can be started with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

PLANS = ("free", "pro", "business")


@dataclass(frozen=True)
class SandboxSettings:
    """Describe the account which the sandbox plays, and how strictly it plays it.

    `base_url` is the public address used in join and registration links; empty, it is the one
    each request came to. Without `state_path` everything is forgotten at exit. Of the three adds a
    day per address Zoom does not say whether a batch counts towards them, nor whether the adds to
    other meetings do: `batch_counts_as_add` and `adds_count_over_all` play either answer.
    """

    account_id: str = "sandbox-account"
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - a public example value
    plan: str = "pro"
    host_email: str = "host@example.com"
    base_url: str = ""
    state_path: Path | None = None
    webhook_url: str = ""
    webhook_secret: str = ""
    enforce_rate_limits: bool = True
    batch_counts_as_add: bool = False
    adds_count_over_all: bool = False
    latency_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.plan not in PLANS:
            raise ValueError(f"plan is one of {', '.join(PLANS)}, not {self.plan!r}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "SandboxSettings":
        """Read `ZOOM_SANDBOX_<FIELD>` for every field; what is not set keeps its default."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            text = environ.get(f"ZOOM_SANDBOX_{field.name.upper()}")
            if text:
                given[field.name] = _READERS.get(field.type, str)(text)
        return cls(**given)


def _read_switch(text: str) -> bool:
    switches = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    try:
        return switches[text.lower()]
    except KeyError:
        raise ValueError(f"expected on or off, not {text!r}") from None


_READERS: dict[Any, Any] = {bool: _read_switch, float: float, Path | None: Path}
