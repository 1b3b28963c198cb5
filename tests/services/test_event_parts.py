"""Speakers, programme and materials: in files, and changed one after the other."""

import pytest

from services.event_documents import read_document, write_document
from services.event_parts import (
    Material,
    ProgrammeItem,
    Speaker,
    choose_entry_id,
    drop_entry,
    mark_entry,
    name_known,
    put_entry,
    shift_entry,
)
from services.picture_refs import PictureRef
from services.tables import DocumentError
from tests.services.test_event_documents import SHORT, make_document

HANAKO = Speaker(
    id="hanako",
    name={"ja": "山田 花子"},
    role={"en": "Sample Inc."},
    text={"ja": "一行目\n二行目"},
    picture=PictureRef("hanako.webp", {"ja": "山田 花子の写真"}),
)
KENICHI = Speaker(id="kenichi", name={"en": "Kenichi"})
TALK = ProgrammeItem(
    id="talk", time={"ja": "14:00"}, title={"en": "A talk"}, speakers=("kenichi", "hanako")
)
SLIDES = Material(id="slides", label={"en": "Slides"}, url="https://example.com/a?b=1#c")


def test_lists_are_read_back_as_they_were_written():
    document = make_document(
        speakers=(HANAKO, KENICHI), programme=(TALK,), materials=(SLIDES,), is_listed=False
    )

    assert read_document(write_document(document)) == document


def test_file_may_leave_out_every_id():
    document = read_document(
        SHORT + '[[speakers]]\nname.ja = "花"\n[[programme]]\ntitle.ja = "始"\n[[programme]]\n'
        'title.en = "End"\n'
    )

    assert [entry.id for entry in document.speakers] == ["speaker1"]
    assert [entry.id for entry in document.programme] == ["item1", "item2"]
    assert document.is_listed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[speakers]]\nid = 'a'", r"speakers\[1\].name is missing"),
        ("[[speakers]]\nname.ja = 'a'\nphoto = 'x'", r"speakers\[1\].photo is not a key"),
        ("[[speakers]]\nid = '../a'\nname.ja = 'a'", r"speakers\[1\].id may have"),
        ("[[speakers]]\nid = 'new'\nname.ja = 'a'", "and not be new"),
        ("[[programme]]\ntitle.ja = 'a'\nspeakers = ['b']", "names a speaker 'b'"),
        ("[[programme]]\nid = 'a'\ntitle.ja = 'a'\n" * 2, "programme has an id twice"),
        ("[[materials]]\nlabel.ja = 'a'\nurl = 'http://a.example/'", r"materials\[1\].url must be"),
        ("[[materials]]\nlabel.ja = 'a'\nurl = 'javascript:alert(1)'", "url must be"),
        ("[[materials]]\nlabel.ja = 'a'\nurl = 'https://a@b.example/'", "url must be"),
        ("[[materials]]\nlabel.ja = 'a'\nurl = 'https://b.example/'\n" * 61, "more than 60"),
    ],
)
def test_mistake_in_a_list_is_named(text, message):
    with pytest.raises(DocumentError, match=message):
        read_document(f"{SHORT}\n{text}")


def test_entries_are_put_moved_and_dropped():
    renamed = Speaker(id="hanako", name={"ja": "花子"})
    both = put_entry((HANAKO,), KENICHI)

    assert both == (HANAKO, KENICHI)
    assert put_entry(both, renamed) == (renamed, KENICHI)
    assert shift_entry(both, "hanako", 1) == (KENICHI, HANAKO)
    assert shift_entry(both, "hanako", -1) == both
    assert shift_entry(both, "nobody", 1) == both
    assert drop_entry(both, "hanako") == (KENICHI,)
    assert name_known((TALK,), (KENICHI,))[0].speakers == ("kenichi",)


def test_ids_come_from_names_and_never_twice():
    assert choose_entry_id("Dr. Hanako Yamada", []) == "dr-hanako-yamada"
    assert choose_entry_id("Hanako", {"hanako", "hanako-2"}) == "hanako-3"
    assert choose_entry_id("花子", []) == "entry"
    assert choose_entry_id("New", []) == "new-2"
    assert len(choose_entry_id("x" * 99, ["x" * 28])) <= 32


def test_another_picture_is_another_mark():
    assert mark_entry(HANAKO, "/assets/a.webp") != mark_entry(HANAKO, "/assets/b.webp")
