"""Lines end where a reader of Japanese or English would end them."""

import pytest

from services.line_breaking import balance_lines, break_lines, cut_lines


def measure(text):
    """A letter is one wide, everything else two."""
    return sum(1 if char.isascii() else 2 for char in text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("あいうえお", 6, ["あいう", "えお"]),
        ("あいう。えお", 6, ["あい", "う。え", "お"]),
        ("あい「うえ」お", 6, ["あい", "「う", "え」お"]),
        ("コンピューター", 6, ["コン", "ピュー", "ター"]),
        ("one two three", 8, ["one two", "three"]),
        ("第1回 Zoom講座", 8, ["第1回", "Zoom講座"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("葛\U000e0100城か\u3099く", 4, ["葛\U000e0100", "城", "か\u3099", "く"]),
        ("", 4, []),
        ("  ", 4, []),
    ],
)
def test_lines_break_where_they_may(text, width, lines):
    assert break_lines(text, width, measure) == lines


def test_lines_are_about_equally_long():
    assert break_lines("あいうえおかきくけこさ", 20, measure) == ["あいうえおかきくけこ", "さ"]
    assert balance_lines("あいうえおかきくけこさ", 20, measure) == ["あいうえおか", "きくけこさ"]


def test_what_does_not_fit_ends_in_dots():
    assert cut_lines(["ab cd", "ef gh", "ij"], 2, 5, measure) == ["ab cd", "ef…"]
    assert cut_lines(["ab", "cd"], 2, 5, measure) == ["ab", "cd"]


@pytest.mark.parametrize("text", ["（" * 500, "。" * 500, "x" * 500, "あ 。" * 200, "\u0301" * 300])
def test_no_text_breaks_the_breaking(text):
    lines = balance_lines(text, 20, measure)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(measure(line) <= 20 for line in lines)
