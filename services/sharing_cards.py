"""The picture of an event that is shown where people share its address: 1200 × 630 pixels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from .branding import derive_brand
from .card_fonts import load_face
from .line_breaking import balance_lines, break_lines, cut_lines

SIZE = (1200, 630)
MARGIN = 72
DEFAULT_COLOR = "#0b57d0"
INK, SUPPORT, PAGE = "#1a1a1a", "#595959", "#ffffff"

HEADER_HEIGHT = 300
FILL_HEIGHT = 410
LEADING = 1.35
MOST_CHARACTERS = 300
"""More than that are not looked at."""

DRAWING = 1
"""Rises with every change of how cards are drawn, so that they get new addresses."""


@dataclass(frozen=True)
class Card:
    """What a card shows. `logo` and `header` name pictures, empty where there is none."""

    title: str
    when: str
    organizer: str
    brand_color: str = ""
    logo: str = ""
    header: str = ""

    @property
    def name(self) -> str:
        """Return what tells this card from any other; equal cards are equal pictures."""
        shown = json.dumps([DRAWING, *asdict(self).values()])
        return f"{hashlib.sha256(shown.encode()).hexdigest()[:20]}.{self.format}"

    @property
    def format(self) -> str:
        """A photograph is much smaller as JPEG, everything else as PNG."""
        return "jpg" if self.header else "png"

    @property
    def media_type(self) -> str:
        return "image/jpeg" if self.header else "image/png"


@dataclass(frozen=True)
class _Text:
    """A text with its place; `sizes` are tried from the largest on."""

    words: str
    color: str
    top: int
    bottom: int
    width: int
    sizes: tuple[int, ...]
    most_lines: int = 1


def draw_card(card: Card, font: Path | None, *, logo: bytes = b"", header: bytes = b"") -> bytes:
    """Draw a card, in one thread at a time.

    Without a font, or where that lacks letters of a text, it has no such text.
    """
    brand = derive_brand(card.brand_color or DEFAULT_COLOR)
    picture = Image.new("RGB", SIZE, PAGE)
    pen = ImageDraw.Draw(picture)
    height = HEADER_HEIGHT if header else FILL_HEIGHT
    if header:
        with Image.open(BytesIO(header)) as image:
            cut = ImageOps.fit(image.convert("RGB"), (SIZE[0], height))
        picture.paste(cut)
    else:
        pen.rectangle((0, 0, SIZE[0], height), fill=brand.fill)
    pen.rectangle((0, height, SIZE[0], height + 7), fill=brand.border_light)
    room = SIZE[0] - 2 * MARGIN
    if logo:
        room -= _place_logo(picture, logo) + 48
    if font is not None:
        for text in _list_texts(card, brand.text_on_fill, height, room):
            _write(pen, font, text)
    return _encode(picture, card)


def _list_texts(card: Card, on_fill: str, height: int, room: int) -> list[_Text]:
    """Lay out the texts; `room` is how wide they may be beside the logo."""
    whole, bottom = SIZE[0] - 2 * MARGIN, SIZE[1]
    if card.header:
        return [
            _Text(card.title, INK, height + 20, bottom - 136, whole, (50, 42, 36), 2),
            _Text(card.when, SUPPORT, bottom - 128, bottom - 84, room, (30, 26, 22)),
            _Text(card.organizer, SUPPORT, bottom - 82, bottom - 40, room, (26, 22)),
        ]
    return [
        _Text(card.title, on_fill, 44, height - 36, whole, (76, 68, 60, 52, 44), 4),
        _Text(card.when, INK, height + 30, height + 94, whole, (40, 34, 28)),
        _Text(card.organizer, SUPPORT, bottom - 96, bottom - 40, room, (30, 26, 22)),
    ]


def _write(pen: ImageDraw.ImageDraw, font: Path, text: _Text) -> None:
    """Write a text as large as it fits, in the middle of its height; else it is cut."""
    for size in text.sizes:
        face, leading = load_face(font, size), round(size * LEADING)
        most = min(text.most_lines, (text.bottom - text.top) // leading)
        shown = face.choose_text(text.words[:MOST_CHARACTERS])
        if len(break_lines(shown, text.width, face.measure)) <= most:
            break
    lines = balance_lines(shown, text.width, face.measure)
    lines = cut_lines(lines, most, text.width, face.measure)
    y = (text.top + text.bottom - len(lines) * leading) // 2
    for number, line in enumerate(lines):
        pen.text((MARGIN, y + number * leading), line, font=face.font, fill=text.color)


def _place_logo(picture: Image.Image, logo: bytes) -> int:
    """Put the logo at the lower right, where it is on white; return its width."""
    with Image.open(BytesIO(logo)) as image:
        drawn = image.convert("RGBA")
    drawn.thumbnail((420, 64))
    left, top = SIZE[0] - MARGIN - drawn.width, SIZE[1] - 48 - drawn.height
    picture.paste(drawn, (left, top), drawn)
    return drawn.width


def _encode(picture: Image.Image, card: Card) -> bytes:
    buffer = BytesIO()
    if card.format == "jpg":
        picture.save(buffer, "JPEG", quality=85, optimize=True, progressive=True)
    else:
        picture.quantize(128).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
