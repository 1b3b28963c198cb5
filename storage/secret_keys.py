"""The installation's secret: from the settings, or made once and kept in a file."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

FILE_NAME = "secret.key"


def read_secret_keys(setting: str, instance: Path) -> list[bytes]:
    """Return the secrets, newest first: from the setting, else from `instance/secret.key`.

    Several stand on lines of their own or have commas between them, in either place. There is none
    where neither exists.

    Raises:
        ValueError: the file holds no secret, or one of less than 32 characters.
    """
    if setting:
        return _split(setting)
    path = instance / FILE_NAME
    if not path.exists():
        return []
    found = _split(path.read_text())
    if not found or any(len(secret) < 32 for secret in found):
        raise ValueError(f"{path} must hold a secret of 32 characters or more")
    return found


def make_secret_key(instance: Path) -> list[bytes]:
    """Keep a new secret in `instance/secret.key`, for its owner alone, and return what is there.

    Of several processes that start at once, one's secret is kept and all read that one.
    """
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = instance / FILE_NAME
    # A name of its own, and gone whatever happens: a full disk leaves nothing behind.
    with NamedTemporaryFile("w", dir=instance, prefix=f"{FILE_NAME}.") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    return read_secret_keys("", instance)


def forget_secret_key(instance: Path) -> None:
    """Take away the file that `make_secret_key` has written, before anything was made with it."""
    (instance / FILE_NAME).unlink()


def _split(text: str) -> list[bytes]:
    lines = text.replace(",", "\n").splitlines()
    return [line.strip().encode() for line in lines if line.strip()]
