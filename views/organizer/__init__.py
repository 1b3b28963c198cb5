"""The dashboard: what organizers see after they have signed in, all of it below `/organizer`."""

from __future__ import annotations

from flask import Flask

# Each module declares its routes on `access.bp` when it is imported.
from . import (  # noqa: F401
    access,
    account,
    api_keys,
    audit_log,
    company,
    event_attendance,
    event_content,
    event_embed,
    event_inviting,
    event_mails,
    event_making,
    event_parts,
    event_publishing,
    event_repairs,
    event_sources,
    event_trial,
    events,
    exports,
    factors,
    form_editor,
    form_questions,
    form_versions,
    held,
    identity_provider,
    invitation_links,
    links,
    list_page,
    lost_password,
    mail,
    members,
    notice,
    organization,
    organizations,
    overview,
    people,
    people_edits,
    people_imports,
    people_tasks,
    person,
    person_erasing,
    proof,
    provisions,
    second_step,
    settings,
    sign_in,
    unsure,
    webhook_log,
    webhooks,
    zoom,
)
from .access import bp
from .navigation import list_navigation

__all__ = ["init_organizer"]


def init_organizer(app: Flask) -> None:
    app.register_blueprint(bp)
    app.jinja_env.globals.update(
        csrf_token=access.make_form_token, organizer_navigation=list_navigation
    )
