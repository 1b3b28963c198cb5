"""The installation's secret: from the settings, or made once and kept in a file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

FILE_NAME = "secret.key"


def read_secret_keys(setting: str, instance: Path) -> list[bytes]:
    """Return the secrets, newest first: from the setting, else from `instance/secret.key`.

    Several stand on lines of their own or have commas between them, in either place. Side effects:
    without either, the file is made with a new secret, readable by its owner alone.
    """
    if setting:
        return _split(setting)
    path = instance / FILE_NAME
    if not path.exists():
        _make(path)
    return _split(path.read_text())


def _split(text: str) -> list[bytes]:
    lines = text.replace(",", "\n").splitlines()
    return [line.strip().encode() for line in lines if line.strip()]


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # Of several processes that start at once, one's key is kept and all read that one.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
