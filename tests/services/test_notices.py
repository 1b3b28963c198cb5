"""Notices as documents: every slot has its place, and nothing half filled goes out."""

import time
from dataclasses import replace

import pytest

from services.default_form import default_questions
from services.default_notice import Operator, list_sections, write_notice, write_summary
from services.notices import (
    ALL_SLOTS,
    MARKETING,
    NAME,
    PARTS,
    SLOTS,
    Gap,
    NoticeDocument,
    Shape,
    compare,
    dress,
    dump_document,
    find_gaps,
    follow_documents,
    load_document,
    make_default_document,
    write_document,
)

OPERATOR = Operator(
    name="例の会",
    legal_name="一般社団法人 例の会",
    address="東京都千代田区見本町1-2-3",
    representative="代表理事 見本 一郎",
    contact="contact@example.com",
)
DEFAULT = make_default_document()


def fill(document=DEFAULT, *, shape=None, **texts):
    """Return a document with other texts in both languages."""
    both = {slot: {"ja": text, "en": text} for slot, text in texts.items()}
    return NoticeDocument(shape or document.shape, {**document.slots, **both})


def fill_shape(shape):
    return fill(shape=shape, **{part: f"text of {part}" for part in PARTS[shape]})


def test_default_document_is_the_notice_that_ships():
    assert write_document(DEFAULT, OPERATOR) == write_notice(OPERATOR)
    for question in default_questions("ja", OPERATOR):
        assert dress(question, DEFAULT, OPERATOR) == question
    [privacy] = [q for q in default_questions("ja", OPERATOR) if q.id == "privacy"]
    assert privacy.notice_summary == write_summary(OPERATOR)


def test_document_survives_being_stored():
    document = fill_shape(Shape.JOINT)
    assert load_document(dump_document(document)) == document


@pytest.mark.parametrize("shape", Shape)
def test_each_shape_writes_all_of_its_parts_in_both_languages(shape):
    texts = write_document(fill_shape(shape), OPERATOR)

    for locale in ("ja", "en"):
        assert [part for part in PARTS[shape] if f"text of {part}" not in texts[locale]] == []
        assert texts[locale].count("### ") == 14


@pytest.mark.parametrize("slot", [*SLOTS, *(p for parts in PARTS.values() for p in parts)])
def test_every_empty_slot_is_a_gap_of_its_own(slot):
    shape = next((s for s, parts in PARTS.items() if slot in parts), Shape.ALONE)
    whole = fill_shape(shape)
    assert find_gaps(whole, OPERATOR, default_locale="ja") == []

    half = NoticeDocument(shape, {**whole.slots, slot: {**whole.slots[slot], "ja": " "}})

    assert find_gaps(half, OPERATOR, default_locale="ja") == [Gap(slot, "ja")]


def test_language_is_there_whole_or_not_at_all():
    only = NoticeDocument(slots={s: {"ja": DEFAULT.get(s, "ja"), "en": ""} for s in SLOTS})

    assert find_gaps(only, OPERATOR, default_locale="ja") == []
    assert list(write_document(only, OPERATOR)) == ["ja"]
    assert {gap.locale for gap in find_gaps(only, OPERATOR, default_locale="en")} == {"en"}
    some = NoticeDocument(slots={**only.slots, "items": {"ja": "項目", "en": "items"}})
    assert len(find_gaps(some, OPERATOR, default_locale="ja")) == len(SLOTS) - 1


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        (f"{NAME}からの広告メールを受け取る", False),
        ("一般社団法人 例の会からの広告・宣伝", False),
        ("例の会からの広告を受け取る", True),
        (f"{NAME}からのお知らせを受け取る", True),
    ],
)
def test_advertising_box_names_the_sender_and_says_what_it_is(text, is_refused):
    document = NoticeDocument(
        slots={**DEFAULT.slots, MARKETING: {"ja": text, "en": DEFAULT.get(MARKETING, "en")}}
    )

    gaps = find_gaps(document, OPERATOR, default_locale="ja")

    assert gaps == ([Gap(MARKETING, "ja", is_empty=False)] if is_refused else [])


@pytest.mark.parametrize("trick", ["{address.__class__}", "{0}", "%s", "{{7*7}}", "{", "$name"])
def test_nothing_but_the_name_is_replaced(trick):
    document = fill(fill_shape(Shape.JOINT), purposes=trick, joint_items=trick)

    texts = write_document(document, OPERATOR)

    assert texts["ja"].count(trick) == 2


def test_texts_follow_a_new_name_of_the_operator():
    present = replace(OPERATOR, legal_name="株式会社 新しい会")
    document = fill(purposes="我々の目的")
    for question in default_questions("ja", OPERATOR):
        if question.consent is None:
            continue
        before = dress(question, document, OPERATOR)
        after = follow_documents(before, [document], OPERATOR, present)
        assert after == dress(question, document, present)
    own = replace(before, notice={"ja": "自分の文"}, label={"ja": "自分の文"})
    assert follow_documents(own, [document], OPERATOR, present) is None


def test_difference_names_lines():
    assert compare("a\nb\nc", "a\nc\nd") == [
        ("same", "a"),
        ("gone", "b"),
        ("same", "c"),
        ("new", "d"),
    ]


def test_very_long_texts_are_not_matched_line_by_line():
    former, present = (
        "\n".join(f"{letter}{number % 7}" for number in range(5_000)) for letter in "ab"
    )

    began = time.process_time()
    lines = compare(former, present)

    # What looks for similar lines took 3.5 seconds for a fifth of them, and grows with the square.
    assert time.process_time() - began < 1
    assert [kind for kind, _ in lines] == ["gone"] * 5_000 + ["new"] * 5_000
    assert compare(former, former)[0] == ("same", "a0")


def test_every_section_has_a_slot_or_is_made():
    assert sorted(list_sections("ja")) == sorted(list_sections("en")) == list(range(1, 15))
    assert len(set(ALL_SLOTS)) == len(ALL_SLOTS)
