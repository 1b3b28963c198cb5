"""Whether the process is up and the site is ready."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from services.overview import WORKER_SILENT_AFTER
from storage import heartbeats, migrate, organizations, rehearsals
from storage.readiness import is_disk_full, is_writable, write_something

from .site import Site, get_site

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def show_health() -> ResponseReturnValue:
    """Say that this process answers; nothing else is checked."""
    return {"status": "ok"}


@bp.get("/readyz")
def show_readiness() -> ResponseReturnValue:
    """Say whether a registration would be stored and delivered: schema, a write, worker."""
    site = get_site()
    missing = list_missing(site)
    return {
        "status": "waiting" if missing else "ready",
        "missing": missing,
    }, 503 if missing else 200


def list_missing(site: Site) -> list[str]:
    """Name what the site still needs before it can do its work."""
    try:
        if migrate.describe_misfit(site.database):
            return ["migration"]
        with site.database.read() as session:
            if rehearsals.is_rehearsal(session):
                return ["rehearsal"]
        if not is_writable(site.database):
            return ["writable database"]
        missing = _look_for_worker(site)
    except SQLAlchemyError as error:
        return ["disk space of the database" if is_disk_full(site.database, error) else "database"]
    return [*missing, *(site.settings.list_missing() if _has_real_account(site) else [])]


def _has_real_account(site: Site) -> bool:
    """Tell whether people's links lead to a real meeting, so that links and mails must work."""
    if site.settings.has_zoom_account:
        return True
    with site.database.read() as session:
        return organizations.has_stored_secret(session)


def _look_for_worker(site: Site) -> list[str]:
    now = site.read_clock()
    with site.database.read() as session:
        if heartbeats.has_lived_since(session, now - WORKER_SILENT_AFTER, now=now):
            return []
    # Where nothing can be kept, no sign of life is either: workers may well run.
    write_something(site.database, now=now)
    return ["worker"]
