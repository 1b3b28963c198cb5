"""Passwords: what may be one, and how it is kept."""

from __future__ import annotations

import gzip
import re
import unicodedata
from enum import StrEnum
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256

# Argon2id as OWASP's cheat sheet has it (19 MiB, two rounds, one lane; read 2026-11): several at
# once fit into the memory of a web process.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Compared with where there is none, so that an unknown address takes as long as a known one.
_OF_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$IVP4ACDKwwL6aQd6mbNYDw$"
    "4BGW2QuFtZ5E9OeYFnn9C5S5sbcgXzEbbY/1wm7QTu0"
)
_COMMON = Path(__file__).parent / "common_passwords.txt.gz"
"""The list of Django (BSD licence), which is that of Royce Williams."""


class PasswordFault(StrEnum):
    """Why a text may not be a password."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    ABOUT_YOU = "about_you"


def find_fault(password: str, *, about: tuple[str, ...] = ()) -> PasswordFault | None:
    """Tell why a text may not be a password, if so.

    Args:
        about: address and name of whom it is for.
    """
    if len(password) < SHORTEST:
        return PasswordFault.TOO_SHORT
    if len(password) > LONGEST:
        return PasswordFault.TOO_LONG
    plain = _normalise(password).casefold()
    if _is_common(plain):
        return PasswordFault.COMMON
    parts = {part for text in about for part in re.split(r"[\s@.]+", text.casefold())}
    rest = plain
    for part in sorted(parts, key=len, reverse=True):
        rest = rest.replace(part, "") if len(part) >= 4 else rest
    return PasswordFault.ABOUT_YOU if rest != plain and len(rest) < SHORTEST // 2 else None


def hash_password(password: str) -> str:
    return _HASHER.hash(_normalise(password))


def is_password(stored: str, password: str) -> bool:
    """Compare with a stored hash; an empty one takes as long and fits nothing."""
    try:
        _HASHER.verify(stored or _OF_NOBODY, _normalise(password)[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


def is_outdated(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than now."""
    return _HASHER.check_needs_rehash(stored)


def _normalise(password: str) -> str:
    # One keyboard composes a letter that another one sends in parts.
    return unicodedata.normalize("NFKC", password)


def _is_common(plain: str) -> bool:
    """Tell whether guessers try it first: a common one, twice, or with something at its end."""
    bare = re.sub(r"[\W\d_]+$", "", plain)
    if len(set(plain)) < 5 or not bare:
        return True
    halves = {bare[: len(bare) // 2], bare[len(bare) // 2 :]}
    common = _read_common()
    return plain in common or bare in common or (len(halves) == 1 and halves <= common)


@cache
def _read_common() -> frozenset[str]:
    return frozenset(gzip.decompress(_COMMON.read_bytes()).decode().split())
