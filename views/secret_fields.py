"""The fields of the dashboard that no page writes again, so that no secret stands in any."""

from __future__ import annotations

from collections.abc import Iterable

SECRETS = frozenset({"password", "code", "client_secret", "credential"})


def has_secret(path: str, pairs: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a form of the dashboard brought one; elsewhere a question may have the name."""
    return path.startswith("/organizer") and any(value for name, value in pairs if name in SECRETS)
