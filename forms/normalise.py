"""Turn what people type into what is stored, instead of refusing it.

Unicode's NFC and NFKC replace characters of real family names (U+FA19 and U+FA1B become U+795E and
U+798F), so names, companies and free text never pass through them whole: only half-width katakana
and loose voicing marks are folded. Every function is pure, linear in time, and leaves its own
results as they are.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_CLEANED = 10_000
"""Longer text is refused by every field, so nobody needs to spend time on cleaning it."""

_HALF_WIDTH_KATAKANA = re.compile("[\uff65-\uff9f]+")
_KANA_WITH_LOOSE_MARK = re.compile("[\u3041-\u3096\u309d\u30a1-\u30fa\u30fd][\u3099\u309a]")
_SPACED_MARKS = str.maketrans({"\u309b": "\u3099", "\u309c": "\u309a"})
_TO_KATAKANA = {code: code + 0x60 for code in [*range(0x3041, 0x3097), 0x309D, 0x309E]}

_DASHES = "\\-\u2010-\u2015\u2212\u2500\u30fc\ufe58\ufe63"
_PHONE_FILLERS = re.compile(rf"[{_DASHES}\s().・/]+")
_POSTAL_CODE_FILLERS = re.compile(rf"[{_DASHES}\s〒]+")
_NUMBER_FILLERS = re.compile(r"[\s,、]+")
_MINUS = re.compile("^[\u2010-\u2015\u2212\u30fc]")
_DATE = re.compile(r"\s*([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?\s*")

# Characters without a shape of their own: format characters, fillers, variation selectors.
_INVISIBLES = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_BLANK = re.compile(rf"[\s{_INVISIBLES}]*")
_ZERO_WIDTH = re.compile(f"[{_INVISIBLES}]+")

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# White space that a paste brings along (tab, line ends, NEL) becomes a space and isn't refused.
_UNREADABLE_IN_LINE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd\ufffe\uffff]"
)
_UNREADABLE_IN_TEXT = re.compile("[\ud800-\udfff\ufffd\ufffe\uffff]")


def is_blank(text: str) -> bool:
    """Tell whether a text shows nothing: white space, zero-width and filler characters alone."""
    return _BLANK.fullmatch(text) is not None


def is_readable_line(text: str) -> bool:
    """Tell whether one line is free of control characters, lone surrogates and decoding marks."""
    return _UNREADABLE_IN_LINE.search(text) is None


def is_readable_text(text: str) -> bool:
    """Tell whether free text, whose control characters are dropped, can be stored."""
    return text.isascii() or _UNREADABLE_IN_TEXT.search(text) is None


def drop_unreadable(text: str) -> str:
    """Return what a page may show of a text again."""
    return _UNREADABLE_IN_LINE.sub("", text)


def clean_line(text: str) -> str:
    """Clean a name, a company or any other line: white space, half-width katakana, loose marks.

    Everything else stays code point for code point; a line that shows nothing becomes empty.
    """
    line = " ".join(text.split())
    if line.isascii():
        return line
    if is_blank(line):
        return ""
    return _fold_kana(line)


def _fold_kana(text: str) -> str:
    wide = _HALF_WIDTH_KATAKANA.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    return _KANA_WITH_LOOSE_MARK.sub(lambda pair: unicodedata.normalize("NFC", pair[0]), wide)


def clean_text(text: str) -> str:
    """Clean free text: line ends, control characters, white space around it. Emoji stay."""
    lines = _CONTROLS.sub("", text).replace("\r\n", "\n").replace("\r", "\n").strip()
    return "" if is_blank(lines) else lines


def clean_kana(text: str) -> str:
    """Turn hiragana and half-width katakana into full-width katakana."""
    wide = unicodedata.normalize("NFKC", text.translate(_SPACED_MARKS)).translate(_TO_KATAKANA)
    return clean_line(unicodedata.normalize("NFC", wide))


def clean_phone(text: str) -> str:
    """Keep the digits of a phone number and a plus in front; what is no digit stays to be seen."""
    return _drop(_PHONE_FILLERS, text)


def clean_postal_code(text: str) -> str:
    """Write a Japanese postal code as `100-0001`; what isn't seven digits stays without fillers."""
    digits = _drop(_POSTAL_CODE_FILLERS, text)
    if len(digits) == 7 and digits.isascii() and digits.isdigit():
        return f"{digits[:3]}-{digits[3:]}"
    return digits


def clean_number(text: str) -> str:
    """Write a number in ASCII without thousands separators."""
    return _MINUS.sub("-", _drop(_NUMBER_FILLERS, text))


def _drop(fillers: re.Pattern[str], text: str) -> str:
    # Folded again because what stood apart may compose now.
    folded = fillers.sub("", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", folded)


def clean_date(text: str) -> str:
    """Write `2026/1/5`, `2026.1.5` or `2026年1月5日` as `2026-01-05`; other text stays."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if parts := _DATE.fullmatch(folded):
        year, month, day = parts.groups()
        return f"{year}-{month:0>2}-{day:0>2}"
    return folded


def clean_email(text: str) -> str:
    """Clean an address: width, zero-width characters, white space around it, case of the domain.

    White space inside stays and is refused later: dropping it could make another person's address.
    """
    folded = unicodedata.normalize("NFKC", _ZERO_WIDTH.sub("", text)).replace("\u3002", ".")
    local, at, domain = folded.strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"
