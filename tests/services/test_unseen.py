"""Characters that nobody sees are named; what belongs to names and emoji is left as it is."""

import pytest

from services.unseen import split_unseen


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("", ""),
        ("Ann O'Neill", "Ann O'Neill"),
        ("山田\u200b太郎", "山田[U+200B]太郎"),
        ("\u202egnp.exe", "[U+202E]gnp.exe"),
        ("a\u2066b\u2069", "a[U+2066]b[U+2069]"),
        ("\u3164\uffa0\u115f", "[U+3164][U+FFA0][U+115F]"),
        ("\U000e0041\U000e007f", "[U+E0041][U+E007F]"),
        ("\ufeff山", "[U+FEFF]山"),
        ("a\u200db", "a[U+200D]b"),
        ("tab\there\nand there", "tab\there\nand there"),
        ("bell\a", "bell[U+0007]"),
        # As they are: a variant of a kanji, a family, a heart, Persian, Sinhala.
        ("葛\U000e0100城", "葛\U000e0100城"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("髙﨑𠮷が", "髙﨑𠮷が"),
    ],
)
def test_what_nobody_sees_is_named(text, marked):
    parts = split_unseen(text)
    assert "".join(part + (f"[{code}]" if code else "") for part, code in parts) == marked
