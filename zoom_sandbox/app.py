"""Put the sandbox together."""

from flask import Flask

from zoom_sandbox import api, control_api, pages
from zoom_sandbox.operations import ALL_SCOPES
from zoom_sandbox.sandbox import EXTENSION, Sandbox
from zoom_sandbox.settings import SandboxSettings


def create_sandbox(settings: SandboxSettings | None = None) -> Flask:
    """Make an app that plays Zoom: its OAuth and REST API, its pages, and `/control/`."""
    app = Flask(__name__)
    # A UUID in a path may contain two slashes in a row.
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = Sandbox(settings or SandboxSettings(), ALL_SCOPES)
    app.register_blueprint(api.bp)
    app.register_blueprint(control_api.bp)
    app.register_blueprint(pages.bp)
    return app
