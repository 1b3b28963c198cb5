"""Logos and header images: whatever was sent is decoded and drawn anew, so nothing else survives.

Metadata, further frames, and anything hidden beside the picture are gone afterwards.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 2 * 1024 * 1024
# Decoding WebP takes four times the memory of the picture, PNG twice.
MAX_PIXELS = {"PNG": 20_000_000, "JPEG": 20_000_000, "WEBP": 10_000_000}

LOGO_BOX = (640, 64)
"""A logo is drawn 32 pixels high: twice that for fine screens."""

HEADER_BOX = (1600, 900)
HEADER_BYTES = 80_000

PORTRAIT_SIDE = 240
"""A portrait is drawn 96 pixels wide and high: more than twice that for fine screens."""

PORTRAIT_BYTES = 12_000

_FEW_COLORS = 256
_QUALITIES = (82, 66, 50)
_SHRINK = 0.75

_RESIZED_BADLY = ("1", "P", "PA")

# Pillow's own limit is higher and warns before it refuses; ours is checked before decoding.
Image.MAX_IMAGE_PIXELS = None


class Flaw(StrEnum):
    """Why an image cannot be used."""

    TOO_BIG = "too_big"
    NO_PICTURE = "no_picture"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"


class ImageRefused(Exception):
    """The image cannot be used; the message says why."""

    def __init__(self, flaw: Flaw, message: str) -> None:
        super().__init__(message)
        self.flaw = flaw


@dataclass(frozen=True)
class EncodedImage:
    """A picture as it is served; `name` comes from its bytes and its format."""

    content: bytes
    media_type: str
    width: int
    height: int

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.content).hexdigest()[:32]
        return f"{digest}.{self.media_type.removeprefix('image/')}"


def encode_logo(content: bytes) -> EncodedImage:
    """Draw a logo anew, at most 64 pixels high; few colours become PNG, others WebP.

    Raises:
        ImageRefused: too big, no picture, or a broken one.
    """
    picture = _draw(content, LOGO_BOX)
    if picture.getcolors(_FEW_COLORS) is not None:
        return _finish(picture, _write(picture, "PNG", optimize=True), "image/png")
    return _finish(picture, _write(picture, "WEBP", quality=90, method=4), "image/webp")


def encode_header(content: bytes) -> EncodedImage:
    """Draw a header image anew as WebP, at most 1600 pixels wide and 80 KB.

    Raises:
        ImageRefused: too big, no picture, or a broken one.
    """
    return _fit(_draw(content, HEADER_BOX), HEADER_BYTES)


def encode_portrait(content: bytes) -> EncodedImage:
    """Draw the picture of a person anew as a square of WebP: of a tall one its upper part.

    Raises:
        ImageRefused: too big, no picture, or a broken one.
    """
    picture = _draw(content, (3 * PORTRAIT_SIDE, 3 * PORTRAIT_SIDE))
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 5
    picture = picture.crop((left, top, left + side, top + side))
    picture.thumbnail((PORTRAIT_SIDE, PORTRAIT_SIDE))
    return _fit(picture, PORTRAIT_BYTES)


def _draw(content: bytes, box: tuple[int, int]) -> Image.Image:
    """Decode the first frame, no larger than `box`, upright, in RGB or RGBA."""
    if len(content) > MAX_BYTES:
        raise ImageRefused(Flaw.TOO_BIG, f"The image has more than {MAX_BYTES // 1024 // 1024} MB.")
    try:
        with Image.open(BytesIO(content), formats=tuple(MAX_PIXELS)) as image:
            return _load(image, box)
    except UnidentifiedImageError as error:
        raise ImageRefused(Flaw.NO_PICTURE, "The file is not a PNG, JPEG or WebP image.") from error
    # What Pillow's decoders are known to raise for broken files.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error) as error:
        raise ImageRefused(Flaw.DAMAGED, "The image is damaged and cannot be read.") from error


def _load(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    width, height = image.size
    most = MAX_PIXELS[image.format or "PNG"]
    if width * height > most:
        raise ImageRefused(
            Flaw.TOO_MANY_PIXELS,
            f"The image has {width} × {height} pixels; up to {most // 1_000_000} million can be "
            "read. Make it smaller.",
        )
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode == "I;16":
        # Pillow cuts 16 bits off at 255 instead of scaling them.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    elif image.mode in _RESIZED_BADLY:
        image = image.convert(mode)
    # Whatever a file says there: a text, a fraction, a list.
    is_lying = image.getexif().get(ExifTags.Base.Orientation) in range(5, 9)
    image.thumbnail(box[::-1] if is_lying else box)
    picture = ImageOps.exif_transpose(image).convert(mode)
    is_opaque = mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255)
    return picture.convert("RGB") if is_opaque else picture


def _fit(picture: Image.Image, most_bytes: int) -> EncodedImage:
    """Write a picture as WebP: at a lower quality, then smaller, until it is small enough."""
    while True:
        for encoded in _try_qualities(picture):
            if len(encoded) <= most_bytes:
                return _finish(picture, encoded, "image/webp")
        width, height = (max(1, round(side * _SHRINK)) for side in picture.size)
        picture = picture.resize((width, height))


def _try_qualities(picture: Image.Image) -> Iterator[bytes]:
    for quality in _QUALITIES:
        yield _write(picture, "WEBP", quality=quality, method=4)


def _write(picture: Image.Image, image_format: str, **options: object) -> bytes:
    # What Pillow remembers of the source (comments, profiles, EXIF) would be written out again.
    picture.info.clear()
    buffer = BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()


def _finish(picture: Image.Image, content: bytes, media_type: str) -> EncodedImage:
    return EncodedImage(content, media_type, picture.width, picture.height)
