"""Run a sandbox on a loopback port of this process."""

import threading
from types import TracebackType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from zoom_sandbox.app import create_sandbox
from zoom_sandbox.control import SandboxControl
from zoom_sandbox.sandbox import EXTENSION, Sandbox
from zoom_sandbox.settings import SandboxSettings

HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: the journal has every call."""


class SandboxServer:
    """Serve a sandbox from a thread.

    `stop` closes the port and keeps what the sandbox knows, `start` opens the same port again:
    an outage. As a context manager it starts, and closes for good.
    """

    def __init__(self, settings: SandboxSettings | None = None, *, port: int = 0) -> None:
        self._app = create_sandbox(settings)
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        self._server = make_server(
            HOST, self._port, self._app, threaded=True, request_handler=_QuietHandler
        )
        self._port = self._server.server_port
        self.control = SandboxControl(self.url)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="zoom-sandbox",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server = None
        self.control.close()

    def close(self) -> None:
        self.stop()
        sandbox: Sandbox = self._app.extensions[EXTENSION]
        sandbox.close()

    def __enter__(self) -> "SandboxServer":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
