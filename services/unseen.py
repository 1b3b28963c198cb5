"""Characters that nobody sees, and what they can make of a text: found, to be marked."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Zero-width and direction characters, fillers, tags, and controls. Not what belongs to writing:
# selectors of a glyph (葛󠄀), joiners within emoji, and within Arabic and Indic words.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff]"
    "|\u200c(?![\u0600-\u08ff\u0900-\u0dff])"
    "|\u200d(?![\u0600-\u08ff\u0900-\u0dff\u2190-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff])"
)


def split_unseen(text: object) -> Iterator[tuple[str, str]]:
    """Yield (text, code) in turns: what can be seen, then the name of what cannot, or nothing."""
    written = str(text)
    start = 0
    for found in () if written.isascii() and written.isprintable() else _UNSEEN.finditer(written):
        yield written[start : found.start()], f"U+{ord(found[0]):04X}"
        start = found.end()
    yield written[start:], ""
