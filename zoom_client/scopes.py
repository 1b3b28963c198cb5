"""Which scopes the calls of this client need, and which of them a token lacks.

Names: Zoom's API description (snapshot of 2026-08-09). A Server-to-Server app holds them with
`:admin`; older apps hold the classic `meeting:read` and `meeting:write`; integrators report that
Zoom lists a broad webinar scope in place of the granular registrant ones.
"""

from collections.abc import Collection

from zoom_client.models import Kind

# For each call of the client what it needs.
_SCOPES = {
    "get_meeting": "{kind}:read:{kind}",
    "list_meetings": "{kind}:read:list_{kind}s",
    "list_registrants": "{kind}:read:list_registrants",
    "get_registrant": "{kind}:read:registrant",
    "get_questions": "{kind}:read:list_registration_questions",
    "create_meeting": "{kind}:write:{kind}",
    "add_registrant": "{kind}:write:registrant",
    "add_registrants": "{kind}:write:batch_registrants",
    "update_meeting": "{kind}:update:{kind}",
    "set_registrant_status": "{kind}:update:registrant_status",
    "update_questions": "{kind}:update:registration_question",
    "delete_registrant": "{kind}:delete:registrant",
    "get_user": "user:read:user",
    "list_users": "user:read:list_users",
    "list_instances": "{kind}:read:list_past_instances",
    "list_participants": "report:read:list_{kind}_participants",
}
# What serves a call as well, by another path of Zoom's.
_INSTEAD = {"list_participants": "{kind}:read:list_past_participants"}


def find_missing_scopes(
    granted: Collection[str], kind: Kind, calls: Collection[str] = tuple(_SCOPES)
) -> list[str]:
    """List the scopes a token lacks to make these calls for one kind, as Zoom's marketplace names
    them.

    `calls` are names of ZoomClient's methods; without it, all of them.
    """
    return [
        f"{_SCOPES[call].format(kind=kind)}:admin"
        for call in calls
        if not any(
            _holds(granted, scopes[call].format(kind=kind))
            for scopes in (_SCOPES, _INSTEAD)
            if call in scopes
        )
    ]


def is_report_granted(granted: Collection[str], kind: Kind) -> bool:
    """Tell whether the report of participants opens, and not only the shorter list."""
    return _holds(granted, _SCOPES["list_participants"].format(kind=kind))


def describe_scope(call: str, kind: Kind) -> tuple[str, str]:
    """Return the scope that a call needs, as Zoom's marketplace names it, and the classic one."""
    scope = _SCOPES[call].format(kind=kind)
    family, verb, _ = scope.split(":")
    return f"{scope}:admin", f"{family}:{'read' if verb == 'read' else 'write'}:admin"


def _holds(granted: Collection[str], scope: str) -> bool:
    held = {name.removesuffix(":admin") for name in granted}
    return not held.isdisjoint({scope, *_find_broader(scope)})


def _find_broader(scope: str) -> set[str]:
    family, verb, _ = scope.split(":")
    classic = f"{family}:{'read' if verb == 'read' else 'write'}"
    return {classic, f"webinar:{verb}:webinar"} if family == "webinar" else {classic}
