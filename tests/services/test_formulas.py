"""What a spreadsheet would run as a formula, at the beginning of a cell and inside of it."""

import pytest

from services.formulas import defuse, defuse_parts


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+81-3-1234-5678",
        "-2+3",
        "-cmd|' /C calc'!A0",
        "@SUM(A1)",
        "%0A",
        "|calc",
        "\t=1",
        "\r=1",
        "\n=1",
        "\tplain",
        " =1",
        "\u3000=1",
        "\ufeff=1",
        "\u200b\u200d=1",
        "\xa0 \t=1",
        "＝1+1",
        "＋1",
        "－1+2",
        "＠SUM",
        "\u22121+2",
        "\ufe63x",
    ],
)
def test_cell_that_would_run_begins_with_an_apostrophe(cell):
    assert defuse(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell",
    ["", "-", "-5", "-1,234.5", "0012", "03-1234-5678", "山田", "a=b", "100%", "3 + 4", " ", "'=1"],
)
def test_harmless_cell_stays_as_it_is(cell):
    assert defuse(cell) == cell


@pytest.mark.parametrize(
    ("cell", "harmless"),
    [
        ("株式会社A;=HYPERLINK(1)", "株式会社A;'=HYPERLINK(1)"),
        ("a;\t =1", "a;\t' =1"),
        ('a;"=1+1', "a;'\"=1+1"),
        ("a\r\n-cmd|x", "a\r\n'-cmd|x"),
        ("a\n\n@b;+c", "a\n\n'@b;'+c"),
        ("a;\u200b\uff1d1", "a;'\u200b\uff1d1"),
        ("x\t%0A", "x\t'%0A"),
        ("a; b=c;;d\n・項目\n", "a; b=c;;d\n・項目\n"),
        ("a-b=c|d", "a-b=c|d"),
    ],
)
def test_no_part_of_a_cell_begins_a_formula(cell, harmless):
    assert defuse_parts(["山田", cell, "=1"]) == ["山田", harmless, "=1"]
