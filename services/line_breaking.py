"""Breaking a line of any language where a reader of Japanese or English would.

Japanese breaks between any two characters but where kinsoku forbids it (JIS X 4051): no line begins
with a closing bracket, a small kana or a full stop, and none ends with an opening bracket.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

Measure = Callable[[str], float]

_NEVER_FIRST = frozenset(
    "、。，．・：；？！）］｝」』】〉》〕〙〗〟’”｠»ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
    "‐゠–〜～…‥!?,.:;)]}%％゛゜"
)
_NEVER_LAST = frozenset("（［｛「『【〈《〔〘〖〝‘“｟«([{￥＄£#＃")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U0001f000-\U0001faff\U00020000-\U0003ffff"
_UNITS = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")
ELLIPSIS = "…"


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """Fill lines of a width; a word that is wider than a line is cut."""
    lines, line = [], ""
    for unit in _join_units(text):
        if not line or measure((line + unit).rstrip()) <= width:
            line = (line + unit).lstrip()
        else:
            lines.append(line.rstrip())
            line = unit.lstrip()
        while measure(line.rstrip()) > width and len(line) > 1:
            part = _count_fitting(line, width, measure)
            lines.append(line[:part])
            line = line[part:]
    return [*lines, line.rstrip()] if line.strip() else lines


def balance_lines(text: str, width: float, measure: Measure) -> list[str]:
    """Break into as few lines as the width allows, of lengths as even as that leaves."""
    lines = break_lines(text, width, measure)
    narrow, wide = width / 2, width
    for _ in range(6):
        middle = (narrow + wide) / 2
        tried = break_lines(text, middle, measure)
        if len(tried) > len(lines) or any(measure(line) > middle for line in tried):
            narrow = middle
        else:
            wide, lines = middle, tried
    return lines


def cut_lines(lines: list[str], most: int, width: float, measure: Measure) -> list[str]:
    """Keep so many lines, the last one ending in … where some are left out."""
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and measure(last + ELLIPSIS) > width:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip() + ELLIPSIS]


def _join_units(text: str) -> Iterator[str]:
    """List what must stay together: words with what may not begin or end a line beside them."""
    joined = ""
    for unit in _UNITS.findall(text):
        is_tied = bool(joined) and (_is_never_first(unit) or joined[-1] in _NEVER_LAST)
        if joined and not is_tied:
            yield joined
            joined = ""
        joined += unit
    if joined:
        yield joined


def _is_never_first(unit: str) -> bool:
    # Marks, selectors of variants and joiners belong to the character before them.
    return unit[0] in _NEVER_FIRST or unicodedata.category(unit[0]) in ("Mn", "Me", "Cf", "Sk")


def _count_fitting(line: str, width: float, measure: Measure) -> int:
    """Return how many characters of a word fit into a line, at least one."""
    most = 1
    while most + 1 < len(line) and measure(line[: most + 1]) <= width:
        most += 1
    return most
