"""Zoom's users: the hosts."""

from typing import Any

from zoom_sandbox.answers import Answer, user_missing
from zoom_sandbox.calls import Call
from zoom_sandbox.paging import page_of
from zoom_sandbox.records import User


def find_user(call: Call) -> User:
    """Look the user up by id or address; `me` is not for Server-to-Server apps."""
    wanted = call.path["user_id"]
    user = call.sandbox.state.get_user(wanted)
    if user is None:
        raise user_missing(wanted)
    return user


def get_user(call: Call) -> Answer:
    user = find_user(call)
    return Answer(200, {**_describe(user), "account_id": call.sandbox.settings.account_id})


def list_users(call: Call) -> Answer:
    """List the account's users; nobody here is pending or inactive."""
    is_active = call.query.get("status", "active") == "active"
    users = sorted(call.sandbox.state.users.values(), key=lambda user: user.id)
    page, rest = page_of(call, users if is_active else [], lambda user: user.id)
    return Answer(200, {**rest, "users": [_describe(user) for user in page]})


def _describe(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "display_name": user.display_name,
        "first_name": user.display_name,
        "last_name": "",
        "type": user.type,
        "timezone": user.timezone,
        "status": "active",
    }
