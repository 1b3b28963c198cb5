"""The 47 prefectures of JIS X 0401, north to south, in their regions, then 海外.

Values are ISO 3166-2 codes: `JP-` and the number of JIS X 0401. `ZZ` is anywhere else.
"""

from __future__ import annotations

from functools import cache
from itertools import count

from services.texts import localize

from .rows import Option, OptionGroup

_REGIONS = """
北海道|Hokkaido|北海道 Hokkaido
東北|Tohoku|青森県 Aomori|岩手県 Iwate|宮城県 Miyagi|秋田県 Akita|山形県 Yamagata|福島県 Fukushima
関東|Kanto|茨城県 Ibaraki|栃木県 Tochigi|群馬県 Gunma|埼玉県 Saitama|千葉県 Chiba|東京都 Tokyo|\
神奈川県 Kanagawa
中部|Chubu|新潟県 Niigata|富山県 Toyama|石川県 Ishikawa|福井県 Fukui|山梨県 Yamanashi|\
長野県 Nagano|岐阜県 Gifu|静岡県 Shizuoka|愛知県 Aichi
近畿|Kinki|三重県 Mie|滋賀県 Shiga|京都府 Kyoto|大阪府 Osaka|兵庫県 Hyogo|奈良県 Nara|\
和歌山県 Wakayama
中国|Chugoku|鳥取県 Tottori|島根県 Shimane|岡山県 Okayama|広島県 Hiroshima|山口県 Yamaguchi
四国|Shikoku|徳島県 Tokushima|香川県 Kagawa|愛媛県 Ehime|高知県 Kochi
九州・沖縄|Kyushu and Okinawa|福岡県 Fukuoka|佐賀県 Saga|長崎県 Nagasaki|熊本県 Kumamoto|\
大分県 Oita|宮崎県 Miyazaki|鹿児島県 Kagoshima|沖縄県 Okinawa
"""

ABROAD = "ZZ"


@cache
def list_prefecture_groups(locale: str) -> tuple[OptionGroup, ...]:
    """Return one group per region and an unnamed last one with 海外, labelled in a locale."""
    groups = []
    numbers = count(1)
    for line in _REGIONS.strip().splitlines():
        ja, en, *members = line.split("|")
        options = tuple(
            Option(f"JP-{next(numbers):02}", _pick(*member.split(), locale)) for member in members
        )
        groups.append(OptionGroup(_pick(ja, en, locale), options))
    abroad = Option(ABROAD, _pick("海外", "Outside Japan", locale))
    return (*groups, OptionGroup("", (abroad,)))


def _pick(ja: str, en: str, locale: str) -> str:
    return localize({"ja": ja, "en": en}, locale)
