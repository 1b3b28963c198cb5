"""The tags of an address, of which anybody can write anything."""

import pytest

from services.sources import CLICK_IDS, FACET_NAMES, SOURCE_NAMES, read_source

RTL, ZERO_WIDTH = "\u202e", "\u200b"


def clean(name, value):
    return read_source({name: value}).get(name)


def test_tags_are_kept_and_nothing_else():
    asked = {name: "a" for name in SOURCE_NAMES if name != "page"} | {"evil": "b", "lang": "ja"}
    kept = read_source(asked | {"page": "https://www.example.com/seminar"})

    assert set(kept) == set(SOURCE_NAMES)
    assert set(SOURCE_NAMES) == {*FACET_NAMES, *CLICK_IDS}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("x" * 500, "x" * 100),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        (f"{RTL}news{ZERO_WIDTH}", "news"),
        ("a\r\nSet-Cookie: b\0", "a Set-Cookie: b"),
        ("か\u3099", "が"),
        ("春の セミナー", "春の セミナー"),
        ("@company", "@company"),
        (" \n ", None),
    ],
)
def test_tag_is_cleaned_and_cut(typed, kept):
    assert clean("utm_campaign", typed) == kept
    assert clean("ref", typed) == (kept and kept[:40])


@pytest.mark.parametrize(
    "typed",
    [
        "taro@example.com",
        "to: Taro <taro@example.com>",
        "taro%40example.com",
        "taro%2540example.com",
        "taro＠example.com",
        f"taro{ZERO_WIDTH}@{ZERO_WIDTH}example.com",
        "taro%E2%80%8B@example.com",
        "x" * 200 + "taro@example.com",
        "taro@例え.jp",
    ],
)
def test_email_address_is_never_kept(typed):
    for name in SOURCE_NAMES:
        assert clean(name, typed) is None
    assert clean("page", f"https://www.example.com/{typed}") == "https://www.example.com/"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://www.example.com/a/b?email=x&token=y#z", "https://www.example.com/a/b"),
        ("http://taro:secret@Example.com:8080", "http://example.com:8080/"),
        ("https://example.com/@company/seminar", "https://example.com/@company/seminar"),
        ("https://[::1]/", "https://[::1]/"),
        (f"https://example.com/{'a' * 500}", f"https://example.com/{'a' * 180}"),
        ("javascript:alert(1)", None),
        ("//example.com/a", None),
        ("https://exa mple.com/", None),
        ("https://<b>/", None),
        ("https://[::1", None),
        ("https://example.com:99999/", None),
        ("seminar", None),
    ],
)
def test_page_is_cut_to_origin_and_path(typed, kept):
    assert clean("page", typed) == kept


@pytest.mark.parametrize("typed", ["a b", "é", "<b>", "x" * 256, ""])
def test_click_of_another_shape_is_not_kept(typed):
    assert clean("gclid", typed) is None
    assert clean("gclid", "Cj0K_CQ-8.~") == "Cj0K_CQ-8.~"
