"""Making cells harmless that a spreadsheet would run as formulas."""

from __future__ import annotations

import re
import unicodedata

# Most cells begin so, and nothing that begins so is a formula, in whatever width.
_HARMLESS = "0-9A-Za-z\u3040-\u30ff\u4e00-\u9fff"
_BEGINS_HARMLESS = re.compile(f"[{_HARMLESS}]")
_FORMULA = re.compile(r"[=+\-@%|\t\r\n\u2212]")
_PLAIN_NUMBER = re.compile(r"-?(\d[\d,.]*)?")

_SEPARATORS = ";\t\r\n"
_BETWEEN = "\x1f"
_HAS_PARTS = re.compile(f"[{_SEPARATORS}][^{_HARMLESS}{_SEPARATORS}{_BETWEEN}]")


def defuse(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula.

    Looked at is the first visible character, full-width forms included. A negative number and a
    lone hyphen stay as they are.
    """
    if not cell or _BEGINS_HARMLESS.match(cell):
        return cell
    visible = next((char for char in cell if not _is_skipped(char)), cell[0])
    is_risky = _begins_formula(visible) or cell[0] in _SEPARATORS[1:]
    if not is_risky or _PLAIN_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def defuse_parts(row: list[str]) -> list[str]:
    """Do the same inside of cells, for files whose reader may part them at `;`, tab or line end.

    Where lists are separated by semicolons, as in Germany and France, Excel opens CSV so, and takes
    the quotes around a cell for text.
    """
    if not _HAS_PARTS.search(_BETWEEN.join(row)):
        return row
    return [_defuse_inside(cell) for cell in row]


def _defuse_inside(cell: str) -> str:
    written: list[str] = []
    is_risky = False
    for char in reversed(cell):
        if char in _SEPARATORS and is_risky:
            written.append("'")
            is_risky = False
        elif char != '"' and not _is_skipped(char):
            is_risky = _begins_formula(char)
        written.append(char)
    return "".join(reversed(written))


def _begins_formula(char: str) -> bool:
    return _FORMULA.match(unicodedata.normalize("NFKC", char)) is not None


def _is_skipped(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cf", "Cc", "Zs")
