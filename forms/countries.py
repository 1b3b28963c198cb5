"""Countries and territories of ISO 3166-1, named by Babel, in the order people look for them."""

from __future__ import annotations

import unicodedata
from functools import cache

from babel import Locale

from .rows import Option, OptionGroup

# CLDR also names groups, outlying parts, pseudo-locales and Kosovo, which have no assigned code.
_NOT_IN_ISO_3166 = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)

# Babel has no Japanese collation. Names in katakana sort by themselves; these are read like so.
_READINGS = {
    "AQ": "ナンキョク",
    "AS": "ベイリョウサモア",
    "CF": "チュウオウアフリカ",
    "CN": "チュウゴク",
    "EH": "ニシサハラ",
    "GF": "フツリョウギアナ",
    "GQ": "セキドウギニア",
    "HK": "チュウカジンミンキョウワコクホンコン",
    "IO": "エイリョウインドヨウ",
    "JP": "ニホン",
    "KP": "キタチョウセン",
    "KR": "カンコク",
    "MK": "キタマケドニア",
    "MO": "チュウカジンミンキョウワコクマカオ",
    "MP": "キタマリアナショトウ",
    "PF": "フツリョウポリネシア",
    "SS": "ミナミスーダン",
    "TF": "フツリョウキョクナンショトウ",
    "TL": "ヒガシティモール",
    "TW": "タイワン",
    "UM": "ガッシュウコクリョウユウショウリトウ",
    "VG": "エイリョウヴァージンショトウ",
    "VI": "ベイリョウヴァージンショトウ",
    "ZA": "ミナミアフリカ",
}
_SMALL_TO_LARGE = str.maketrans("ァィゥェォッャュョヮ", "アイウエオツヤユヨワ", "ー・\u3099\u309a")


@cache
def list_country_groups(locale: str) -> tuple[OptionGroup, ...]:
    """Return one unnamed group: Japan first on Japanese pages, then by reading; English by name."""
    names = Locale.parse(locale).territories
    codes = [code for code in names if _is_country(code)]
    if locale == "ja":
        codes.sort(key=lambda code: (code != "JP", *_sort_kana(code, names[code])))
    else:
        codes.sort(key=lambda code: _strip_accents(names[code]))
    return (OptionGroup("", tuple(Option(code, names[code]) for code in codes)),)


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _NOT_IN_ISO_3166


def _sort_kana(code: str, name: str) -> tuple[str, str]:
    """Sort as dictionaries do: voicing, small kana and long marks count only between equals."""
    reading = _READINGS.get(code, name)
    return unicodedata.normalize("NFD", reading).translate(_SMALL_TO_LARGE), reading


def _strip_accents(name: str) -> str:
    letters = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
