"""How gunicorn serves the site; address, processes and threads come from the command line."""

from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http import wsgi

from cli.logs import configure_logging
from config import Settings

worker_class = "gthread"
# Loaded once and shared; create_app opens no connection that a fork could tear in two.
preload_app = True
# Without it one process can hold all kept-alive connections while the other idles.
reuse_port = True
keepalive = 5
timeout = 30
graceful_timeout = 30
# Fresh processes now and then bound what a leak could take.
max_requests = 20_000
max_requests_jitter = 2_000
# Its control socket would make a folder below the home directory.
control_socket_disable = True
# By default whoever comes from this machine, as a proxy does, could set the path of every link.
forwarder_headers = ""
# The name of the server, which nobody needs to know.
wsgi.SERVER = "uketsuke"
loglevel = "warning"
accesslog = None


class JsonLogger(Logger):
    """Writes what gunicorn itself has to say like every other line: as JSON, and masked."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        configure_logging(Settings.from_env().log_level)


logger_class = JsonLogger
