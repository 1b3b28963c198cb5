"""Settings: every `UKETSUKE_*` variable, read once at start.

Each variable has a twin with `_FILE` at its end that names a file holding the value, for mounted
secrets. Nothing is required: without any variable the demo runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "UKETSUKE_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what it may be."""


def _setting(default: Any, doc: str, *, is_secret: bool = False) -> Any:
    return field(default=default, repr=not is_secret, metadata={"doc": doc, "is_secret": is_secret})


@dataclass(frozen=True)
class Settings:
    """All settings. `instance` is the folder for database, keys and mailbox."""

    instance: Path = _setting(Path("instance"), "Folder for the database, the key file and mails.")
    base_url: str = _setting("", "Public address of the site, as people type it.")
    port: int = _setting(8000, "Port of the site.")
    sandbox_port: int = _setting(8001, "Port of the demo's Zoom sandbox.")
    host: str = _setting("127.0.0.1", "Address to listen on.")
    database_url: str = _setting(
        "", "PostgreSQL or SQLite address; empty means a SQLite file.", is_secret=True
    )
    secret_key: str = _setting(
        "", "Secret of 32 characters or more; several, newest first, with commas.", is_secret=True
    )
    mail_url: str = _setting(
        "", "SMTP server, `smtp://user:password@host:port`; empty writes files.", is_secret=True
    )
    mail_from: str = _setting("", "Sender of all mails; empty means `noreply@` the site's host.")
    zoom_account_id: str = _setting("", "Account of the Server-to-Server OAuth app.")
    zoom_client_id: str = _setting("", "Client id of the Server-to-Server OAuth app.")
    zoom_client_secret: str = _setting("", "Client secret of that app.", is_secret=True)
    zoom_api_url: str = _setting("https://api.zoom.us/v2", "Zoom's API; changed only for tests.")
    zoom_oauth_url: str = _setting("https://zoom.us", "Zoom's token server; only for tests.")
    web_processes: int = _setting(0, "Web processes; 0 means one for each core, at most 4.")
    web_threads: int = _setting(8, "Threads of each web process.")
    worker_threads: int = _setting(4, "Threads of a worker that talk to Zoom.")
    trusted_proxies: int = _setting(0, "How many proxies stand before the site.")
    form_min_seconds: float = _setting(2.0, "A form sent faster than this is sent back.")
    rate_limits: bool = _setting(True, "`off` for load and attack runs.")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    is_demo: bool = _setting(False, "Set by `flask demo` alone: shows the mailbox and examples.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raise `SettingsError` for a value that cannot be one."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in fields(cls):
            name = PREFIX + setting.name.removeprefix("is_").upper()
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
        return f"sqlite:///{self.instance.absolute() / 'uketsuke.sqlite3'}"

    @property
    def mailbox(self) -> Path:
        """Folder of the mails that are written as files."""
        return self.instance / "mailbox"

    @property
    def sender(self) -> str:
        """The address that mails come from."""
        return self.mail_from or f"noreply@{urlsplit(self.site_url).hostname}"

    @property
    def trusted_hosts(self) -> list[str]:
        """Host names that a request may ask for."""
        host = urlsplit(self.site_url).hostname
        return sorted({host or "localhost", "127.0.0.1", "localhost", "[::1]"})

    @property
    def has_zoom_account(self) -> bool:
        return bool(self.zoom_account_id and self.zoom_client_id and self.zoom_client_secret)

    def _check(self) -> None:
        if self.base_url and urlsplit(self.base_url).scheme not in ("http", "https"):
            raise SettingsError("UKETSUKE_BASE_URL must begin with https:// (or http://)")
        if self.secret_key and any(len(key) < 32 for key in self.secret_key.split(",")):
            raise SettingsError("UKETSUKE_SECRET_KEY must have at least 32 characters")
        if self.is_demo and urlsplit(self.site_url).hostname not in LOOPBACK:
            raise SettingsError("the demo shows every mail: it runs on a loopback address alone")
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise SettingsError("UKETSUKE_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")


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
