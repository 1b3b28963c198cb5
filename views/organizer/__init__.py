"""The dashboard: what organizers see after they have signed in, all of it below `/organizer`."""

from __future__ import annotations

from flask import Flask

from . import (
    access,
    events,
    exports,
    held,
    links,
    lost_password,
    overview,
    people,
    person,
    settings,
    sign_in,
    zoom,
)
from .access import bp
from .navigation import list_navigation

__all__ = ["init_organizer"]

MODULES = (
    sign_in,
    links,
    lost_password,
    events,
    settings,
    overview,
    people,
    person,
    held,
    zoom,
    exports,
)
"""Each module declares its routes on `access.bp` when it is imported."""


def init_organizer(app: Flask) -> None:
    app.register_blueprint(bp)
    app.jinja_env.globals.update(
        csrf_token=access.make_form_token, organizer_navigation=list_navigation
    )
