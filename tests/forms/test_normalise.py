import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import normalise

CLEANERS = [
    normalise.clean_line,
    normalise.clean_text,
    normalise.clean_kana,
    normalise.clean_phone,
    normalise.clean_postal_code,
    normalise.clean_number,
    normalise.clean_date,
    normalise.clean_email,
]
# The default alphabet leaves lone surrogates out; a hostile client does not.
any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ タロウ"),
        ("やまだ", "ヤマダ"),
        ("カ\u3099", "ガ"),
        ("か゛", "ガ"),
        ("ヤマダ\u3000\u3000タロウ", "ヤマダ タロウ"),
        ("ジョン・スミス", "ジョン・スミス"),
    ],
)
def test_kana_becomes_full_width_katakana(typed, stored):
    assert normalise.clean_kana(typed) == stored


@pytest.mark.parametrize(
    "name",
    [
        "\ufa19田",
        "\ufa1b島",
        "髙橋",
        "山﨑",
        "𠮷田",
        "葛\U000e0100城",
        "O'Brien",
        "X",
        "Null",
        "José",
        "Jose\u0301",
        "①Ⅲ〜～",
        "㈱サンプル",
        "㍿サンプル",
        "👩\u200d💻",
        "محمد",
    ],
)
def test_names_keep_every_code_point(name):
    assert normalise.clean_line(name) == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("山田\u3000太郎", "山田 太郎"),
        ("  山田\t 太郎\u00a0\n", "山田 太郎"),
        ("ﾊﾟﾅｿﾆｯｸ", "パナソニック"),
        ("ハ\u309aナソニック", "パナソニック"),
        ("ﾔﾏﾀﾞ商店①", "ヤマダ商店①"),
    ],
)
def test_names_lose_only_widths_and_spaces(typed, stored):
    assert normalise.clean_line(typed) == stored


@pytest.mark.parametrize(
    "typed", ["", " ", "\u3000", "\u200b\u200d", "\u3164", "\u2800\ufe0f", "\u202e"]
)
def test_name_of_only_invisible_characters_is_empty(typed):
    assert normalise.clean_line(typed) == ""


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ａｂｃ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ", "abc@example.co.jp"),
        ("abc@example.co.jp \u200b", "abc@example.co.jp"),
        ("\u3000Abc@EXAMPLE.co.jp\n", "Abc@example.co.jp"),
        ("abc@example。co。jp", "abc@example.co.jp"),
        ("ab c@example.co.jp", "ab c@example.co.jp"),
    ],
)
def test_address_is_folded_to_ascii_where_possible(typed, stored):
    assert normalise.clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "０３－１２３４－５６７８",
        "03ー1234ー5678",
        "03−1234−5678",
        "03-1234-5678",
        "(03) 1234.5678",
        "03ｰ1234‐5678",
        "03–1234—5678",
        "03‑1234―5678",
    ],
)
def test_phone_keeps_only_its_digits(typed):
    assert normalise.clean_phone(typed) == "0312345678"


def test_phone_keeps_the_plus_of_a_country_code():
    assert normalise.clean_phone("＋81 3-1234-5678") == "+81312345678"


@pytest.mark.parametrize("typed", ["〒１００－０００１", "100-0001", "1000001", "〒 100ー0001"])
def test_postal_code_is_written_in_one_way(typed):
    assert normalise.clean_postal_code(typed) == "100-0001"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("１，０００", "1000"), ("−5", "-5"), (" 3.5 ", "3.5"), ("1 000", "1000")],
)
def test_number_is_written_in_ascii(typed, stored):
    assert normalise.clean_number(typed) == stored


@pytest.mark.parametrize(
    "typed", ["2026-01-05", "2026/1/5", "2026.1.5", "２０２６年１月５日", " 2026年 1月 5日 "]
)
def test_date_is_written_as_iso(typed):
    assert normalise.clean_date(typed) == "2026-01-05"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a\r\nb\rc\n", "a\nb\nc"),
        ("a\x00b\x07c\td", "abc\td"),
        ("①Ⅲ〜～ｶﾀｶﾅ👍", "①Ⅲ〜～ｶﾀｶﾅ👍"),
        ("\u200b\n\u3000", ""),
    ],
)
def test_free_text_loses_only_controls(typed, stored):
    assert normalise.clean_text(typed) == stored


@pytest.mark.parametrize(
    "typed", ["a\x00b", "a\x1bb", "a\x7fb", "a\x9bb", "\ud800", "a\ufffdb", "\uffff"]
)
def test_line_with_unreadable_characters_is_noticed(typed):
    assert not normalise.is_readable_line(typed)


@pytest.mark.parametrize("typed", ["", "山田\t太郎\r\n", "👩\u200d💻", "\u202eabc", "\u0085"])
def test_line_with_odd_but_readable_characters_is_fine(typed):
    assert normalise.is_readable_line(typed)


@pytest.mark.parametrize("clean", CLEANERS)
@given(text=any_text)
def test_cleaning_twice_changes_nothing_more(clean, text):
    assert clean(clean(text)) == clean(text)


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="｡\u3099\u309a")
    )
)
def test_line_keeps_whatever_is_neither_space_nor_half_width(text):
    kept = "".join(c for c in text if not c.isspace() and not "\uff65" <= c <= "\uff9f")
    cleaned = "".join(c for c in normalise.clean_line(kept) if not c.isspace())
    assert cleaned in (kept, "")


@pytest.mark.parametrize("clean", CLEANERS)
@pytest.mark.parametrize("part", ["ｶﾞ", "\u3099", " ", "\u200b", "ー", "@", "2026年", "\r"])
def test_long_input_is_cleaned_in_linear_time(clean, part):
    started = time.process_time()
    clean(part * 100_000)
    assert time.process_time() - started < 1
