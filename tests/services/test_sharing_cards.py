"""The pictures that are shown where the address of an event is shared."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageFont

from services.branding import contrast_ratio
from services.card_fonts import Face, find_font
from services.sharing_cards import SIZE, Card, draw_card
from tests.stage import LONG_TEXT

EXAMPLES = Path(__file__).parents[2] / "examples"
LOGO, HEADER = (EXAMPLES / name for name in ("demo-logo.png", "demo-header.webp"))
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")
WHEN = "2026年12月10日（木）14:00〜15:00（日本時間）"


@pytest.fixture(scope="module")
def font():
    path = find_font("")
    if path is None or not Face(path, 20).choose_text("日本"):
        pytest.skip("no font with Japanese: apt-get install fonts-noto-cjk")
    return path


def draw(card, font, **pictures):
    picture = Image.open(BytesIO(draw_card(card, font, **pictures)))
    assert (picture.size, picture.format) == (SIZE, "JPEG" if card.header else "PNG")
    return picture.convert("RGB")


def count_colors(picture, box):
    return len(picture.crop(box).getcolors(1_000_000))


def test_card_shows_title_date_and_organizer(font):
    card = Card("春の説明会", WHEN, "例の会", "#0b6e5f")
    picture = draw(card, font)

    assert picture.getpixel((5, 5)) == (0x0B, 0x6E, 0x5F)
    for box in ((72, 40, 1128, 374), (72, 440, 1128, 504), (72, 534, 600, 590)):
        assert count_colors(picture, box) > 5


def test_logo_and_header_are_on_it(font):
    card = Card("春の説明会", WHEN, "例の会", "#0b6e5f", "logo.png", "header.webp")
    picture = draw(card, font, logo=LOGO.read_bytes(), header=HEADER.read_bytes())

    assert count_colors(picture, (0, 0, 1200, 300)) > 500
    assert count_colors(picture, (880, 510, 1128, 600)) > 5


@pytest.mark.parametrize("color", ["#FFD43D", "#0b57d0", "#7F7F7F", "#ffffff", "#000000"])
def test_title_can_be_read_on_any_color(font, color):
    picture = draw(Card("題", WHEN, "例の会", color), font)
    colors = picture.crop((0, 0, 1200, 400)).getcolors(1_000_000)
    fill = picture.getpixel((3, 3))

    ratios = [contrast_ratio(bytes(fill).hex(), bytes(shade).hex()) for _, shade in colors]
    assert max(ratios) >= 4.4  # some hundredth is lost to the palette


@pytest.mark.parametrize(
    "title",
    [
        "長" * 500,
        "🎉" * 500,
        "👩‍👩‍👧‍👦 家族の会",
        "مرحبا بالعالم",
        "\u202eabc\u2066\x00\x1b[31m\ufeff",
        "\u0301" * 400,
        LONG_TEXT,
        "",
        "a" * 500,
        "\ud800",
    ],
)
def test_no_title_breaks_a_card(font, title):
    draw(Card(title, title, title, "#0b57d0"), font)


def test_longer_title_is_smaller_and_never_leaves_its_place(font):
    picture = draw(Card("とても長い題名「括弧」や、句読点。" * 20, WHEN, "例の会"), font)

    assert count_colors(picture, (0, 0, 1200, 40)) == 1
    assert count_colors(picture, (1132, 0, 1200, 400)) == 1
    assert count_colors(picture, (0, 380, 1200, 408)) == 1


def test_text_that_a_font_lacks_is_not_drawn_as_boxes(font):
    assert Face(font, 20).choose_text("祝 🎉賀会\u202e") == "祝 賀会"
    assert Face(font, 20).choose_text("مرحبا") == ""
    without = draw(Card("春の説明会", WHEN, "例の会"), None)
    assert count_colors(without, (0, 0, 1200, 400)) == 1
    if DEJAVU.exists():
        assert Face(DEJAVU, 20).choose_text("日本") == ""
        assert Face(DEJAVU, 20).choose_text("Zoom, live") == "Zoom, live"


def test_name_tells_what_is_shown():
    card = Card("春", WHEN, "例の会")

    assert card.name == Card("春", WHEN, "例の会").name
    assert card.name != Card("秋", WHEN, "例の会").name
    assert Card("春", WHEN, "例の会", header="a.webp").name.endswith(".jpg")


def test_named_font_goes_before_those_of_the_system(font):
    assert find_font(str(font)) == font
    assert find_font("/nowhere/font.ttf") is None
    assert ImageFont.truetype(str(font), 10)
