"""Which scopes the calls of this client need, and which of them a token lacks.

Names: Zoom's API description (snapshot of 2026-08-09). A Server-to-Server app holds them with
`:admin`; older apps hold the classic `meeting:read` and `meeting:write`; integrators report that
Zoom lists a broad webinar scope in place of the granular registrant ones.
"""

from collections.abc import Collection

from zoom_client.models import Kind

_NEEDED = {
    "read": ("{kind}", "list_{kind}s", "list_registrants", "registrant")
    + ("list_registration_questions",),
    "write": ("{kind}", "registrant", "batch_registrants"),
    "update": ("{kind}", "registrant_status", "registration_question"),
    "delete": ("registrant",),
}


def find_missing_scopes(granted: Collection[str], kind: Kind) -> list[str]:
    """List the scopes a token lacks to do everything with one kind, as Zoom's marketplace names
    them.
    """
    held = {scope.removesuffix(":admin") for scope in granted}
    needed = [
        (verb, f"{kind}:{verb}:{what.format(kind=kind)}")
        for verb, whats in _NEEDED.items()
        for what in whats
    ]
    needed.append(("read", "user:read:user"))
    return [
        f"{scope}:admin"
        for verb, scope in needed
        if held.isdisjoint({scope, *_find_broader(verb, scope)})
    ]


def _find_broader(verb: str, scope: str) -> set[str]:
    family = scope.partition(":")[0]
    classic = f"{family}:{'read' if verb == 'read' else 'write'}"
    return {classic, f"webinar:{verb}:webinar"} if family == "webinar" else {classic}
