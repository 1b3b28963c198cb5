from itertools import product

import pytest

from services.branding import brand_css, contrast_ratio, derive_brand, format_hex

TABLE = [
    # brand, text on fill, link light, link dark, border
    ("#FFD43D", "#000000", "#8f7400", "#ffd43d", "#b49100"),
    ("#00C300", "#000000", "#008a00", "#00c300", "#00ad00"),
    ("#FF5C35", "#000000", "#dc3a09", "#ff5c35", "#ff5c35"),
    ("#0B5CFF", "#ffffff", "#0b5cff", "#3779ff", "#0b5cff"),
    ("#E60012", "#ffffff", "#e60012", "#f82927", "#e60012"),
    ("#7F7F7F", "#000000", "#777676", "#818180", "#7f7f7f"),
]
GRID = [format_hex(color) for color in product((0, 1, 48, 96, 127, 160, 195, 254, 255), repeat=3)]


@pytest.mark.parametrize(("color", "text", "link_light", "link_dark", "border"), TABLE)
def test_known_brands_get_these_colours(color, text, link_light, link_dark, border):
    brand = derive_brand(color)

    assert brand.text_on_fill == text
    assert brand.link_light == link_light
    assert brand.link_dark == link_dark
    assert brand.border_light == border


def test_no_colour_of_the_grid_breaks_contrast():
    failures = [
        (color, name, ratio)
        for color in GRID
        for name, ratio in derive_brand(color).ratios.items()
        if ratio < (3 if name.startswith("border") else 4.5)
    ]

    assert failures == []


def test_ink_as_text_on_fill_would_break_contrast():
    fill = format_hex((195, 95, 65))

    assert max(contrast_ratio("#ffffff", fill), contrast_ratio("#1a1a1a", fill)) < 4.5
    assert derive_brand(fill).text_on_fill == "#000000"


def test_brand_names_what_it_changed():
    assert derive_brand("#FFD43D").changed == {"link_light", "border_light"}
    assert derive_brand("#0B5CFF").changed == {"link_dark"}
    assert derive_brand("#0b57d0").changed == {"link_dark", "border_dark"}


def test_contrast_ratio_runs_from_one_to_twenty_one():
    assert contrast_ratio("#ffffff", "#000000") == pytest.approx(21)
    assert contrast_ratio("#abcdef", "#abcdef") == 1
    assert contrast_ratio("#ffffff", "#FFD43D") == pytest.approx(1.43, abs=0.005)


def test_css_sets_both_colour_schemes():
    css = brand_css(derive_brand("FFD43D"))

    assert css == (
        ":root{--fill:#ffd43d;--on-fill:#000000;--fill-line:#b49100;--link:#8f7400}\n"
        "@media screen and (prefers-color-scheme:dark)"
        "{:root{--fill-line:#ffd43d;--link:#ffd43d}}\n"
    )


@pytest.mark.parametrize("color", ["", "#fff", "red", "#12345g", "#1234567", "}body{", "#ffffff\n"])
def test_what_is_no_colour_is_refused(color):
    with pytest.raises(ValueError, match="not a colour"):
        derive_brand(color)
