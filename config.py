"""Settings: every `UKETSUKE_*` variable, read once at start.

Each variable has a twin with `_FILE` at its end that names a file holding the value, for mounted
secrets. Nothing is required: without any variable the demo runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.absolute()
PREFIX = "UKETSUKE_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what it may be."""


@dataclass(frozen=True)
class Settings:
    """All settings. `instance` is the folder for database, keys and mailbox."""

    instance: Path = Path("instance")
    """Folder for the database, the key file and mails; a relative one lies in the project's."""
    base_url: str = ""
    """Public address of the site, as people type it."""
    port: int = 8000
    """Port of the site."""
    sandbox_port: int = 8001
    """Port of the demo's Zoom sandbox."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    database_url: str = field(default="", repr=False)
    """PostgreSQL or SQLite address; empty means a SQLite file."""
    secret_key: str = field(default="", repr=False)
    """Secret of 32 characters or more; several, newest first, with commas."""
    mail_url: str = field(default="", repr=False)
    """SMTP server, `smtp://user:password@host:port`; empty writes files."""
    mail_from: str = ""
    """Sender of all mails; empty means `noreply@` the site's host."""
    operator_email: str = ""
    """Who is told when something stands still; empty writes log lines alone."""
    security_contact: str = ""
    """Where weaknesses are reported: a `mailto:` or `https:` address."""
    zoom_account_id: str = ""
    """Account of the Server-to-Server OAuth app."""
    zoom_client_id: str = ""
    """Client id of the Server-to-Server OAuth app."""
    zoom_client_secret: str = field(default="", repr=False)
    """Client secret of that app."""
    zoom_plan: str = "pro"
    """Plan of the account: free, pro or business (and above)."""
    zoom_api_url: str = "https://api.zoom.us/v2"
    """Zoom's API; changed only for tests."""
    zoom_oauth_url: str = "https://zoom.us"
    """Zoom's token server; only for tests."""
    web_processes: int = 0
    """Web processes; 0 means one for each core, at most 4."""
    web_threads: int = 4
    """Threads of each web process."""
    web_memory_mb: int = 512
    """A web process with more than this is replaced; 0 for never."""
    worker_threads: int = 4
    """Threads of a worker that make Zoom match the registrations."""
    metrics_token: str = field(default="", repr=False)
    """Opens `/metrics` to other machines; without it only this one sees them."""
    private_sign_in_hosts: str = ""
    """Hosts in networks of your own that companies' sign-in may be at, with commas."""
    card_font: str = ""
    """Font file of the pictures shown where events are shared; empty: found by itself."""
    private_webhook_hosts: str = ""
    """Hosts in networks of your own that webhooks may be sent to, with commas, and their ports."""
    webhook_ports: str = "443"
    """Ports that webhooks may be sent to where no other is named, with commas."""
    trusted_proxies: int = 0
    """How many proxies stand before the site."""
    form_min_seconds: float = 2.0
    """A form sent faster than this is sent back."""
    rate_limits: bool = True
    """`off` for load and attack runs."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    is_demo: bool = False
    """Set by `flask demo` alone: shows the mailbox and examples."""

    def __post_init__(self) -> None:
        # Absolute, as the processes of a site need not have been started in the same folder.
        object.__setattr__(self, "instance", ROOT / self.instance)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raise `SettingsError` for a value that cannot be one."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in fields(cls):
            name = _name_variable(setting.name)
            text = _read(environ, name)
            if text is not None:
                values[setting.name] = _parse(name, text, type(setting.default))
        settings = cls(**values)
        settings._check()
        return settings

    @property
    def site_url(self) -> str:
        """The public address without a slash at its end."""
        return (self.base_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def database_address(self) -> str:
        if self.database_url:
            return self.database_url
        return f"sqlite:///{self.instance / 'uketsuke.sqlite3'}"

    @property
    def most_threads(self) -> int:
        """The most threads that a process of the site has; each needs one connection at a time."""
        return max(
            self.web_threads + _OTHER_WEB_THREADS, self.worker_threads + _OTHER_WORKER_THREADS
        )

    @property
    def mailbox(self) -> Path:
        """Folder of the mails that are written as files."""
        return self.instance / "mailbox"

    @cached_property
    def sender(self) -> str:
        """The address that mails come from; each receipt names its domain."""
        return self.mail_from or f"noreply@{urlsplit(self.site_url).hostname}"

    @property
    def trusted_hosts(self) -> list[str]:
        """Host names that a request may ask for, its own first: each is compared in this order."""
        host = urlsplit(self.site_url).hostname or "localhost"
        return list(dict.fromkeys([host, "127.0.0.1", "localhost", "[::1]"]))

    @property
    def private_hosts(self) -> frozenset[str]:
        """Names of hosts in private networks that an organization's sign-in may be at."""
        return frozenset(_split(self.private_sign_in_hosts))

    @property
    def webhook_hosts(self) -> frozenset[str]:
        """Names of hosts in private networks that webhooks may be sent to."""
        # The demo has nothing to hide from whoever runs it, and they nowhere else to send to.
        loopback = ("127.0.0.1:*", "localhost:*", "[::1]:*") if self.is_demo else ()
        return frozenset({*_split(self.private_webhook_hosts), *loopback})

    @property
    def ports_of_webhooks(self) -> frozenset[int]:
        return frozenset(map(int, _split(self.webhook_ports)))

    @property
    def has_zoom_account(self) -> bool:
        return bool(self.zoom_account_id and self.zoom_client_id and self.zoom_client_secret)

    def list_missing(self) -> list[str]:
        """Name the settings without which links or mails of a real site would lead nowhere."""
        if self.is_demo:
            return []
        needed = {"UKETSUKE_BASE_URL": self.base_url, "UKETSUKE_MAIL_URL": self.mail_url}
        return [name for name, value in needed.items() if not value]

    def _check(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise SettingsError(f"{PREFIX}{name.upper()} must be {least} to {most}")
        self._check_addresses()
        there = (path for path in (self.instance, *self.instance.parents) if os.path.exists(path))
        if not next(there).is_dir():
            raise SettingsError("UKETSUKE_INSTANCE must name a folder")
        if self.database_url and not self.database_url.startswith(_DATABASES):
            raise SettingsError("UKETSUKE_DATABASE_URL must begin with postgresql:// or sqlite:///")
        if self.mail_from and not _MAILBOX.fullmatch(self.mail_from):
            raise SettingsError("UKETSUKE_MAIL_FROM must be an address like events@example.com")
        if self.operator_email and not _MAILBOX.fullmatch(self.operator_email):
            raise SettingsError("UKETSUKE_OPERATOR_EMAIL must be an address like it@example.com")
        if self.security_contact and not _CONTACT.fullmatch(self.security_contact):
            raise SettingsError(
                "UKETSUKE_SECURITY_CONTACT must be like mailto:security@example.com or https://…"
            )
        if self.card_font and not Path(self.card_font).is_file():
            raise SettingsError("UKETSUKE_CARD_FONT must name a font file that is there")
        account = (self.zoom_account_id, self.zoom_client_id, self.zoom_client_secret)
        if any(account) and not all(account):
            raise SettingsError(
                "UKETSUKE_ZOOM_ACCOUNT_ID, _CLIENT_ID and _CLIENT_SECRET belong together"
            )
        if self.zoom_plan not in ZOOM_PLANS:
            raise SettingsError(f"UKETSUKE_ZOOM_PLAN must be one of {', '.join(ZOOM_PLANS)}")
        secrets = self.secret_key.replace(",", "\n").splitlines()
        if any(len(secret.strip()) < 32 for secret in secrets):
            raise SettingsError("UKETSUKE_SECRET_KEY must have at least 32 characters")
        if self.metrics_token and len(self.metrics_token) < 16:
            raise SettingsError("UKETSUKE_METRICS_TOKEN must have at least 16 characters")
        if self.is_demo and urlsplit(self.site_url).hostname not in LOOPBACK:
            raise SettingsError("the demo shows every mail: it runs on a loopback address alone")
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingsError("UKETSUKE_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")

    def _check_addresses(self) -> None:
        if self.base_url and not (
            _is_address(self.base_url, ("http", "https")) and _has_host_alone(self.base_url)
        ):
            raise SettingsError(
                "UKETSUKE_BASE_URL must be like https://events.example.com, without a path"
            )
        if self.mail_url and not _is_address(self.mail_url, MAIL_SCHEMES):
            schemes = ", ".join(f"{scheme}://" for scheme in MAIL_SCHEMES)
            raise SettingsError(
                f"UKETSUKE_MAIL_URL must begin with one of {schemes} and be like "
                "smtps://user:password@mail.example.com, with %40 for an @ in a name or password"
            )
        for name in ("zoom_api_url", "zoom_oauth_url"):
            if not _is_address(getattr(self, name), ("http", "https")):
                raise SettingsError(f"{PREFIX}{name.upper()} must begin with https://")
        for name in ("private_sign_in_hosts", "private_webhook_hosts"):
            if not all(map(_HOST.fullmatch, _split(getattr(self, name)))):
                raise SettingsError(
                    f"{PREFIX}{name.upper()} must be names of hosts with commas: n8n, keycloak:8443"
                )
        if not all(port.isdigit() and 0 < int(port) < 65536 for port in _split(self.webhook_ports)):
            raise SettingsError("UKETSUKE_WEBHOOK_PORTS must be numbers of ports, with commas")


def list_unknown(environ: Mapping[str, str]) -> list[str]:
    """Name the variables that look like settings and are none: of a slip nobody is told else."""
    known = {_name_variable(setting.name) for setting in fields(Settings)}
    return sorted(
        name
        for name in environ
        if name.startswith(PREFIX)
        and name.removesuffix("_FILE") not in known
        and name != _FAULT_POINT
    )


_OTHER_WEB_THREADS = 1
"""It looks for alarms while no worker runs."""
_OTHER_WORKER_THREADS = 12
"""Nine of its other lanes, and three that listen for work, give signs of life and look around."""
_BOUNDS = {
    "port": (1, 65535),
    "sandbox_port": (1, 65535),
    "web_processes": (0, 64),
    "web_threads": (1, 256),
    "web_memory_mb": (0, 65536),
    "worker_threads": (1, 64),
    "trusted_proxies": (0, 10),
    "form_min_seconds": (0, 60),
}
ZOOM_PLANS = ("free", "pro", "business")
MAIL_SCHEMES = ("smtp", "smtp+starttls", "smtps")
_DATABASES = ("postgresql://", "postgresql+psycopg://", "sqlite:///")
_MAILBOX = re.compile(r"[^\s@<>,;:\"]+@[A-Za-z0-9.-]+")

_HOST = re.compile(r"(\[[0-9a-f:]+\]|[^\s/:@\[\]]+)(:([0-9]{1,5}|\*))?")
_FAULT_POINT = "UKETSUKE_FAULT_POINT"
_CONTACT = re.compile(r"mailto:[^\s@]+@[A-Za-z0-9.-]+|https://[!-~]+")


def _name_variable(name: str) -> str:
    return PREFIX + name.removeprefix("is_").upper()


def _has_host_alone(address: str) -> bool:
    parts = urlsplit(address)
    return parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)


def _split(names: str) -> list[str]:
    return [name.strip().lower() for name in names.split(",") if name.strip()]


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    """Tell whether a text is an address with a host, and with a port that can be one."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)


def _read(environ: Mapping[str, str], name: str) -> str | None:
    path = environ.get(f"{name}_FILE")
    if path is None:
        return environ.get(name)
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE: {path} cannot be read") from error


def _parse(name: str, text: str, kind: type) -> Any:
    text = text.strip()
    try:
        return _PARSERS[kind](text)
    except (KeyError, ValueError) as error:
        expected = "on or off" if kind is bool else "a number"
        raise SettingsError(f"{name} must be {expected}, not {text!r}") from error


_SWITCH = {"1": True, "on": True, "true": True, "0": False, "off": False, "false": False}
_PARSERS: dict[type, Callable[[str], Any]] = {
    bool: lambda text: _SWITCH[text.lower()],
    int: int,
    float: float,
    str: str,
    type(Path()): Path,
}
