"""Keeping a form that cannot be taken yet: who sent it has to do something else first."""

from __future__ import annotations

from enum import StrEnum

from flask import Response, current_app, make_response, render_template, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from services.csrf import read_organization

from ..secret_fields import SECRETS, has_secret

_OF_THE_PAGE = "csrf_token"


class Reason(StrEnum):
    """Why it was not taken."""

    SIGN_IN = "sign_in"
    PROVE = "prove"
    STALE = "stale"
    ORGANIZATION = "organization"
    UNSURE = "unsure"


def has_content() -> bool:
    """Tell whether something was sent that would be lost."""
    return any(name != _OF_THE_PAGE for name in request.form) or _has_files()


def keep(
    reason: Reason, way: str, status: int, *, organizations: tuple[str | None, str] = (None, "")
) -> Response:
    """Make the page that holds what was sent, with the way to `way`, to be sent again after that.

    It stays a form of the organization that it was filled in for; `organizations` are the names of
    that one, unless it is closed to them, and of the present one. Neither secrets nor files are on
    the page: they have to be given again.
    """
    page = render_template(
        "organizer/kept.html",
        reason=reason,
        way=way,
        organization=read_organization(request.form.get(_OF_THE_PAGE, "")),
        organizations=organizations,
        pairs=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if name != _OF_THE_PAGE and name not in SECRETS
        ],
        is_less=_has_files() or has_secret(request.path, request.form.items(multi=True)),
    )
    return make_response(page, status)


def find_page(path: str = "") -> str:
    """Return the page that is asked for, or where what was sent came from: the next one above.

    Given a path, it is that one's page or the next one above.
    """
    if request.method == "GET":
        return request.full_path.rstrip("?")
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None, "there is a request"
    path = path or request.path
    while path:
        try:
            adapter.match(path, method="GET")
        except (NotFound, MethodNotAllowed):
            path = path.rpartition("/")[0]
        else:
            return path
    return ""


def _has_files() -> bool:
    return any(file.filename for file in request.files.values())
