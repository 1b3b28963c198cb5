"""Backup files: a ZIP of a whole copy of the database and a manifest that says what it is.

The secret is never in it: whoever has a backup can open no link and read no join URL.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir

from sqlalchemy.orm import Session

from . import migrate
from .dumps import BackupError, Dump, PostgresqlDump, SqliteDump, sync
from .session import Database
from .work_folders import sweep, work_folder

FORMAT = 1
_MANIFEST = "manifest.json"
_DATABASE = "database"
_FILE_MODE = 0o600


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `secrets` are fingerprints, `counts` the rows of each table."""

    format: int
    database: str
    schema: str
    taken_at: str
    secrets: Sequence[str]
    counts: dict[str, int]


def write_backup(
    database: Database, path: Path, *, secrets: Sequence[str], now: datetime
) -> Manifest:
    """Write a checked copy of the database as it is now; the site may go on writing meanwhile.

    Side effects: the file stands at `path` only once it is whole, and for its owner alone. What
    backups and restores that were killed have left there is removed.

    Raises:
        BackupError: the copy cannot be made, or is not sound.
    """
    place = path.absolute().parent
    if not place.is_dir():
        raise BackupError(f"there is no folder {place}")
    dump = _get_dump(database)
    _sweep(place, dump)
    with _refusals_in_words(f"{place} cannot be written to"), work_folder(place) as folder:
        copy, packed = folder / "copy", folder / "packed"
        content = dump.write(copy)
        manifest = Manifest(
            FORMAT, _name_kind(database), content.schema, now.isoformat(), secrets, content.counts
        )
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=2))
            archive.write(copy, _DATABASE)
        read_manifest(packed)
        packed.chmod(_FILE_MODE)
        _move(packed, path)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Read what a backup is, and check that every byte of it is as it was written.

    Raises:
        BackupError: it is none, is damaged, or is of a newer format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None or _DATABASE not in archive.namelist():
                raise BackupError(f"{path} is damaged")
            manifest = Manifest(**json.loads(archive.read(_MANIFEST)))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise BackupError(f"{path} is no backup of Uketsuke, or is damaged") from error
    if manifest.format != FORMAT:
        raise BackupError(f"{path} was written by a newer version of Uketsuke")
    return manifest


def drop_repeated(files: Iterable[Path], *, of: Path) -> Path:
    """Delete backups that hold what `of` holds, byte by byte; the first by name stays, returned."""
    wanted = _read_sum(of)
    same = [file for file in sorted({*files, of}) if _read_sum(file) == wanted]
    for repeated in same[1:]:
        repeated.unlink()
    return same[0]


def restore_backup(
    database: Database,
    path: Path,
    *,
    keep_aside_as: str | None,
    make_safe: Callable[[Session], None],
) -> None:
    """Put a backup in the place of an empty database, brought to this version's schema.

    Nothing that runs can see the database before `make_safe` has changed it and that is committed.

    Args:
        keep_aside_as: what a database that holds something is renamed to; None to refuse it.

    Raises:
        BackupError: nothing was changed; the message says why.
    """
    manifest = read_manifest(path)
    if manifest.database != _name_kind(database):
        raise BackupError(f"the backup is of {manifest.database}; the settings name another kind")
    if not migrate.is_known(manifest.schema):
        raise BackupError(
            f"the backup is of a newer version of Uketsuke (schema {manifest.schema}): install it"
        )
    dump = _get_dump(database)
    _sweep(path.absolute().parent, dump)
    with _unpack(path, _get_place(dump)) as copy:
        dump.restore(
            copy, manifest.schema, manifest.counts, keep_aside_as=keep_aside_as, make_safe=make_safe
        )


def _read_sum(path: Path) -> tuple[object, ...]:
    """Read the check sum and size of the database in a backup; what is none is like nothing."""
    try:
        manifest = read_manifest(path)
        with zipfile.ZipFile(path) as archive:
            packed = archive.getinfo(_DATABASE)
    except BackupError:
        return (path,)
    return packed.CRC, packed.file_size, *manifest.secrets


def _get_dump(database: Database) -> Dump:
    return SqliteDump(database) if database.is_sqlite else PostgresqlDump(database)


def _name_kind(database: Database) -> str:
    return "sqlite" if database.is_sqlite else "postgresql"


def _get_place(dump: Dump) -> Path:
    """Return where copies are unpacked."""
    return dump.folder or Path(gettempdir())


def _sweep(place: Path, dump: Dump) -> None:
    """Remove what was left where backups are written and where they are unpacked."""
    for folder in {place, _get_place(dump).absolute()}:
        sweep(folder)


@contextmanager
def _unpack(path: Path, place: Path) -> Iterator[Path]:
    with ExitStack() as kept:
        with _refusals_in_words(f"it cannot be unpacked in {place}"):
            made = kept.enter_context(work_folder(place))
            with zipfile.ZipFile(path) as archive:
                copy = archive.extract(_DATABASE, made)
        yield Path(copy)


@contextmanager
def _refusals_in_words(what: str) -> Iterator[None]:
    """Say what failed: the system names a file that nobody knows, or none."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{what}: {error.strerror or error}") from error


def _move(source: Path, target: Path) -> None:
    """Move a file into place, safe from a loss of power at any moment."""
    sync(source)
    os.replace(source, target)
    sync(target.absolute().parent)
