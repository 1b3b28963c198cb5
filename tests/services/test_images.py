"""What comes in as a picture, and what is left of it."""

import io
import struct
import subprocess
import sys
import time
import zlib
from functools import cache

import pytest
from PIL import Image

from services.images import (
    HEADER_BYTES,
    MAX_BYTES,
    ImageRefused,
    encode_header,
    encode_logo,
)

DRAW_ALL = """
import sys
from pathlib import Path
from services.images import ImageRefused, encode_header
for path in sys.argv[1:]:
    try:
        encode_header(Path(path).read_bytes())
    except ImageRefused:
        pass
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""

SCRIPT = b"<script>alert(1)</script>"


def make_image(size=(300, 100), mode="RGB", color="teal", image_format="PNG", **options):
    buffer = io.BytesIO()
    Image.new(mode, size, color).save(buffer, image_format, **options)
    return buffer.getvalue()


def make_noise(size, image_format, **options):
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(buffer, image_format, **options)
    return buffer.getvalue()


def make_photo():
    bands = [Image.effect_noise((400, 64), 90) for _ in range(3)]
    buffer = io.BytesIO()
    Image.merge("RGB", bands).save(buffer, "JPEG")
    return buffer.getvalue()


def make_png_chunk(name, content):
    crc = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def make_png_of(width, height, pixels=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + make_png_chunk(b"IHDR", header)
        + make_png_chunk(b"IDAT", zlib.compress(pixels, 1))
        + make_png_chunk(b"IEND", b"")
    )


@cache
def make_png_with_text_bomb():
    content = make_image()
    bomb = zlib.compress(b"\0" * 300_000_000, 1)
    return content[:33] + make_png_chunk(b"zTXt", b"Comment\0\0" + bomb) + content[33:]


def read(encoded):
    return Image.open(io.BytesIO(encoded.content))


def test_logo_is_at_most_64_pixels_high():
    encoded = encode_logo(make_image((1200, 300)))
    assert (encoded.width, encoded.height) == read(encoded).size == (256, 64)


def test_logo_with_few_colours_stays_sharp_as_png():
    encoded = encode_logo(make_image(mode="RGBA", color=(0, 255, 255, 128)))
    assert (encoded.media_type, read(encoded).format) == ("image/png", "PNG")
    assert read(encoded).getpixel((0, 0)) == (0, 255, 255, 128)


def test_logo_with_many_colours_becomes_webp():
    encoded = encode_logo(make_photo())
    assert (encoded.media_type, read(encoded).format) == ("image/webp", "WEBP")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_header_is_webp_of_at_most_1600_pixels(image_format):
    encoded = encode_header(make_image((2400, 800), image_format=image_format))
    assert read(encoded).format == "WEBP"
    assert (encoded.width, encoded.height) == read(encoded).size == (1600, 533)


def test_small_header_is_not_blown_up():
    encoded = encode_header(make_image((900, 300)))
    assert (encoded.width, encoded.height) == (900, 300)


def test_header_that_is_hard_to_pack_still_fits():
    encoded = encode_header(make_noise((1600, 533), "JPEG", quality=70))
    assert len(encoded.content) <= HEADER_BYTES
    assert encoded.width > 300


def test_name_comes_from_the_bytes_alone():
    one = encode_logo(make_image(color="teal"))
    assert one.name == encode_logo(make_image(color="teal")).name
    assert one.name != encode_logo(make_image(color="navy")).name
    assert one.name.endswith(".png")


def test_upright_photo_is_turned_before_it_is_drawn():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = make_image((300, 900), image_format="JPEG", exif=exif)
    encoded = encode_header(content)
    assert (encoded.width, encoded.height) == (900, 300)


@pytest.mark.parametrize(("kind", "value"), [(2, b"6\0\0\0"), (7, b"\6\0\0\0")])
def test_nonsense_about_what_is_up_is_no_reason_to_fail(kind, value):
    # A text or bytes where a whole number belongs; the kinds are those of TIFF 6.0, section 2.
    orientation = struct.pack("<HHHI4sI", 1, 0x0112, kind, 1, value, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + orientation
    content = make_image((300, 900), image_format="JPEG", exif=exif)
    encoded = encode_header(content)
    assert (encoded.width, encoded.height) == (300, 900)


def test_metadata_does_not_survive():
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    for image_format in ("JPEG", "WEBP", "PNG"):
        content = make_image(image_format=image_format, exif=exif, icc_profile=SCRIPT)
        assert SCRIPT in content or b"script" in content
        for encode in (encode_logo, encode_header):
            encoded = encode(content)
            assert b"script" not in encoded.content
            assert not {"exif", "icc_profile", "comment"} & set(read(encoded).info)


def test_polyglot_loses_what_is_hidden_behind_the_picture():
    for image_format in ("JPEG", "PNG"):
        content = make_image(image_format=image_format) + b"<html>" + SCRIPT + b"PK\x05\x06"
        assert b"script" not in encode_logo(content).content


def test_animation_keeps_its_first_frame_alone():
    frames = [Image.new("RGB", (60, 20), color) for color in ("red", "blue", "green")]
    for image_format in ("PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, image_format, save_all=True, append_images=frames[1:])
        picture = read(encode_logo(buffer.getvalue()))
        assert getattr(picture, "n_frames", 1) == 1
        red, green, blue = picture.convert("RGB").getpixel((5, 5))
        assert red > 200
        assert max(green, blue) < 40


def test_animation_of_ten_thousand_frames_is_read_quickly():
    frames = [Image.new("1", (16, 16), number % 2) for number in range(10_000)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    began = time.thread_time()
    assert encode_logo(buffer.getvalue()).width == 16
    assert time.thread_time() - began < 2


def test_sixteen_bit_grey_keeps_its_shades():
    picture = Image.new("I;16", (3, 1))
    for place, shade in enumerate((0, 32_768, 65_535)):
        picture.putpixel((place, 0), shade)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    drawn = read(encode_logo(buffer.getvalue())).convert("L")
    assert [drawn.getpixel((place, 0)) for place in range(3)] == [0, 128, 255]


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
        b"<!doctype html>" + SCRIPT,
        b"GIF89a" + b"\x00" * 40,
        b"BM" + b"\x00" * 60,
        b"%PDF-1.7",
        b"",
    ],
    ids=["svg", "html", "gif", "bmp", "pdf", "empty"],
)
def test_what_is_no_png_jpeg_or_webp_is_refused(content):
    with pytest.raises(ImageRefused, match="PNG, JPEG or WebP"):
        encode_logo(content)


def test_huge_picture_is_refused_before_it_is_decoded():
    content = make_png_of(50_000, 50_000)
    began = time.thread_time()
    with pytest.raises(ImageRefused, match="50000 × 50000"):
        encode_header(content)
    assert time.thread_time() - began < 1


def test_huge_webp_is_refused_before_it_is_decoded():
    with pytest.raises(ImageRefused, match="up to 10 million"):
        encode_header(make_image((4_000, 3_000), image_format="WEBP"))


def test_file_of_more_than_two_megabytes_is_refused():
    with pytest.raises(ImageRefused, match="2 MB"):
        encode_logo(make_image() + b"\0" * MAX_BYTES)


def test_bomb_in_the_metadata_is_refused():
    with pytest.raises(ImageRefused):
        encode_logo(make_png_with_text_bomb())


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_bombs_need_less_than_200_megabytes(tmp_path):
    bombs = {
        "size": make_png_of(50_000, 50_000),
        "pixels": make_png_of(10, 10, b"\0" * 300_000_000),
        "text": make_png_with_text_bomb(),
        "largest": make_image((5_000, 4_000)),
    }
    for name, content in bombs.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in bombs]
    ended = subprocess.run([sys.executable, "-c", DRAW_ALL, *paths], stdout=subprocess.PIPE)
    assert int(ended.stdout) < 200_000


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_every_cut_of_a_file_is_refused_or_drawn(image_format):
    content = make_noise((40, 30), image_format)
    for end in range(0, len(content), max(1, len(content) // 60)):
        try:
            assert encode_logo(content[:end]).width <= 640
        except ImageRefused:
            continue


def test_damaged_picture_is_named_as_such():
    content = make_noise((40, 30), "PNG")
    with pytest.raises(ImageRefused, match="damaged"):
        encode_logo(content[: len(content) // 2])
