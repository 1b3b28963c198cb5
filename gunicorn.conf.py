"""How gunicorn serves the site; address, processes and threads come from the command line."""

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
loglevel = "warning"
accesslog = None


def post_worker_init(worker: object) -> None:
    """Log like every other process of ours."""
    from cli.logs import configure_logging
    from config import Settings

    configure_logging(Settings.from_env().log_level)
