"""Put the sandbox together."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask

from zoom_sandbox import api, control_api, pages
from zoom_sandbox.operations import ALL_SCOPES
from zoom_sandbox.sandbox import EXTENSION, Sandbox
from zoom_sandbox.settings import SandboxSettings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class _ReadsUuids:
    """Keeps `%2F` in a path where Zoom would: a slash neither first in its segment nor doubled."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ["RAW_URI"].partition("?")[0]
        # The server has decoded the path already, and a slash of a UUID looks like any other.
        environ["PATH_INFO"] = "/".join(map(_decode_segment, path.split("/")))
        return self._app(environ, start_response)


def _decode_segment(segment: str) -> str:
    decoded = unquote(segment, "latin-1")
    is_told_apart = not decoded.startswith("/") and "//" not in decoded
    return decoded.replace("/", "%2F") if is_told_apart else decoded


def create_sandbox(settings: SandboxSettings | None = None) -> Flask:
    """Make an app that plays Zoom: its OAuth and REST API, its pages, and `/control/`."""
    app = Flask(__name__)
    # A UUID in a path may contain two slashes in a row.
    app.url_map.merge_slashes = False
    app.wsgi_app = _ReadsUuids(app.wsgi_app)  # type: ignore[method-assign]
    app.extensions[EXTENSION] = Sandbox(settings or SandboxSettings(), ALL_SCOPES)
    app.register_blueprint(api.bp)
    app.register_blueprint(control_api.bp)
    app.register_blueprint(pages.bp)
    return app
