"""The list of what can be set for an organization."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from services.members import Member, Permission

from .access import bp, needs
from .navigation import SETTINGS, list_navigation


@bp.get("/settings", endpoint="show_settings")
@needs(Permission.SIGNED_IN)
def show_settings(member: Member) -> ResponseReturnValue:
    return render_template("organizer/settings.html", ways=list_navigation(SETTINGS))
