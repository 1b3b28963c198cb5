"""Zoom's users: the hosts."""

from zoom_sandbox.answers import Answer, user_missing
from zoom_sandbox.calls import Call
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
    return Answer(
        200,
        {
            "id": user.id,
            "email": user.email,
            "display_name": user.display_name,
            "first_name": user.display_name,
            "last_name": "",
            "type": user.type,
            "timezone": user.timezone,
            "status": "active",
            "account_id": call.sandbox.settings.account_id,
        },
    )
