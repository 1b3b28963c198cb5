"""One brand colour, corrected so that no choice of it can make a page unreadable.

Lightness is moved in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020);
contrast is that of WCAG 2.2.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

RGB = tuple[int, int, int]

WHITE: RGB = (255, 255, 255)
BLACK: RGB = (0, 0, 0)
PAGE_LIGHT: RGB = WHITE
PAGE_DARK: RGB = (0x16, 0x18, 0x1D)

TEXT_CONTRAST = 4.5
SHAPE_CONTRAST = 3.0

# Enough halvings to reach neighbouring 8-bit colours from any distance.
_HALVINGS = 24


@dataclass(frozen=True)
class Brand:
    """The chosen colour and what the pages use; every colour is `#rrggbb`.

    `changed` names the corrected ones among `link_light`, `link_dark`, `border_light` and
    `border_dark`: where a name is absent, the colour is the chosen one.
    """

    fill: str
    text_on_fill: str
    link_light: str
    link_dark: str
    border_light: str
    border_dark: str

    @property
    def changed(self) -> frozenset[str]:
        names = ("link_light", "link_dark", "border_light", "border_dark")
        return frozenset(name for name in names if getattr(self, name) != self.fill)

    @property
    def ratios(self) -> dict[str, float]:
        """The contrasts that the pages rely on: text from 4.5, borders from 3."""
        return {
            "text_on_fill": contrast_ratio(self.text_on_fill, self.fill),
            "link_light": contrast_ratio(self.link_light, format_hex(PAGE_LIGHT)),
            "link_dark": contrast_ratio(self.link_dark, format_hex(PAGE_DARK)),
            "border_light": contrast_ratio(self.border_light, format_hex(PAGE_LIGHT)),
            "border_dark": contrast_ratio(self.border_dark, format_hex(PAGE_DARK)),
        }


def derive_brand(color: str) -> Brand:
    """Derive every colour of the pages from one brand colour.

    Raises:
        ValueError: the colour is not six hexadecimal digits, with or without `#`.
    """
    fill = parse_hex(color)
    return Brand(
        fill=format_hex(fill),
        text_on_fill=format_hex(_choose_text(fill)),
        link_light=format_hex(_move_lightness(fill, PAGE_LIGHT, TEXT_CONTRAST)),
        link_dark=format_hex(_move_lightness(fill, PAGE_DARK, TEXT_CONTRAST)),
        border_light=format_hex(_move_lightness(fill, PAGE_LIGHT, SHAPE_CONTRAST)),
        border_dark=format_hex(_move_lightness(fill, PAGE_DARK, SHAPE_CONTRAST)),
    )


def brand_css(brand: Brand) -> str:
    """Write the custom properties that override those of `tokens.css`, for both colour schemes."""
    return (
        f":root{{--fill:{brand.fill};--on-fill:{brand.text_on_fill};"
        f"--fill-line:{brand.border_light};--link:{brand.link_light}}}\n"
        "@media screen and (prefers-color-scheme:dark){"
        f":root{{--fill-line:{brand.border_dark};--link:{brand.link_dark}}}}}\n"
    )


def contrast_ratio(one: str, other: str) -> float:
    """Return WCAG's contrast of two colours, 1 to 21."""
    return _contrast(parse_hex(one), parse_hex(other))


def parse_hex(color: str) -> RGB:
    """Read `#rrggbb`, the `#` being optional.

    Raises:
        ValueError: it is not such a colour.
    """
    if not re.fullmatch(r"#?[0-9A-Fa-f]{6}", color):
        raise ValueError(f"not a colour of six hexadecimal digits: {color[:20]!r}")
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def format_hex(color: RGB) -> str:
    return "#" + bytes(color).hex()


def _choose_text(fill: RGB) -> RGB:
    # Pure black, not the ink colour: the better of white and ink misses 4.5 on some mid tones.
    return WHITE if _contrast(WHITE, fill) >= TEXT_CONTRAST else BLACK


def _move_lightness(color: RGB, page: RGB, wanted: float) -> RGB:
    """Move a colour away from the page's lightness, no further than the wanted contrast needs."""
    if _contrast(color, page) >= wanted:
        return color
    lightness, chroma, hue = _to_oklch(color)
    too_close = lightness
    far_enough = 0.0 if _luminance(page) > 0.5 else 1.0
    for _ in range(_HALVINGS):
        middle = (too_close + far_enough) / 2
        if _contrast(_from_oklch(middle, chroma, hue), page) >= wanted:
            far_enough = middle
        else:
            too_close = middle
    return _from_oklch(far_enough, chroma, hue)


def _contrast(one: RGB, other: RGB) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: RGB) -> float:
    red, green, blue = map(_to_linear, color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _to_channel(linear: float) -> int:
    value = min(1.0, max(0.0, linear))
    encoded = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(255 * encoded)


def _to_oklch(color: RGB) -> tuple[float, float, float]:
    red, green, blue = map(_to_linear, color)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> RGB:
    """Return the sRGB colour; chroma that a screen cannot show is given up, the hue is kept."""
    linear = _oklch_to_linear(lightness, chroma, hue)
    if not _is_shown(linear):
        shown, hidden = 0.0, chroma
        for _ in range(_HALVINGS):
            middle = (shown + hidden) / 2
            if _is_shown(_oklch_to_linear(lightness, middle, hue)):
                shown = middle
            else:
                hidden = middle
        linear = _oklch_to_linear(lightness, shown, hue)
    red, green, blue = map(_to_channel, linear)
    return red, green, blue


def _oklch_to_linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _is_shown(linear: tuple[float, float, float]) -> bool:
    tolerance = 1e-4
    return all(-tolerance <= value <= 1 + tolerance for value in linear)
