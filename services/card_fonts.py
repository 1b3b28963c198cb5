"""The font in which sharing cards are drawn: one of the system's that has Japanese, if any."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

log = logging.getLogger(__name__)

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
# Fonts of which Japanese is drawn best first; the last one has letters of other languages alone.
PATTERNS = (
    *("NotoSansCJK-Bold.ttc", "NotoSansCJKjp-Bold.otf", "NotoSansJP-Bold.*", "NotoSansJP*.ttf"),
    *("*ヒラギノ角ゴシック W6.ttc", "BIZUDGothic-Bold.ttf", "BIZ-UDGothicB.ttc", "YuGothB.ttc"),
    *("meiryob.ttc", "ipaexg.ttf", "ipag.ttf", "TakaoPGothic.ttf", "VL-PGothic-Regular.ttf"),
    *("NotoSansCJK-Regular.ttc", "DejaVuSans-Bold.ttf"),
)
_MISSING = "\U0010ffff"
"""A character that no font has: it is drawn as all those are that a font lacks."""


class Face:
    """A font of one size, and what it can draw; for one thread at a time."""

    def __init__(self, path: Path, size: int) -> None:
        self.font = ImageFont.truetype(str(path), size)
        self._has: dict[str, bool] = {}
        self._widths: dict[str, float] = {}
        self._missing = self._draw(_MISSING)

    def choose_text(self, text: str) -> str:
        """Return what can be drawn of a text: nothing at all where a letter or digit is missing.

        Signs and pictures that the font lacks are left out, as is what nobody sees.
        """
        shown = []
        for char in " ".join(text.split()):
            kind = unicodedata.category(char)
            if kind[0] == "C":
                continue
            if self._can_draw(char):
                shown.append(char)
            elif kind[0] in "LN":
                return ""
        return " ".join("".join(shown).split())

    def measure(self, text: str) -> float:
        """Return about how wide a text is: each character by itself, which is fast."""
        return sum(map(self._get_width, text))

    def _get_width(self, char: str) -> float:
        if char not in self._widths:
            self._widths[char] = self.font.getlength(char)
        return self._widths[char]

    def _can_draw(self, char: str) -> bool:
        if char not in self._has:
            self._has[char] = self._draw(char) != self._missing
        return self._has[char]

    def _draw(self, char: str) -> tuple[tuple[int, int], bytes]:
        mask = self.font.getmask(char)
        return mask.size, bytes(mask)


@lru_cache(maxsize=24)
def load_face(path: Path, size: int) -> Face:
    return Face(path, size)


@cache
def find_font(named: str) -> Path | None:
    """Return the font that a setting names, else the best of the system's; None without any."""
    for path in [Path(named)] if named else _list_installed():
        try:
            ImageFont.truetype(str(path), 10)
        except OSError:
            log.warning("a font for sharing cards cannot be read: %s", path)
        else:
            return path
    return None


def _list_installed() -> Iterator[Path]:
    for pattern in PATTERNS:
        for folder in FOLDERS:
            yield from sorted(folder.rglob(pattern)) if folder.is_dir() else ()
