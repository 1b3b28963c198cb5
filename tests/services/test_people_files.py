"""Files that organizers send: whatever they are, rows of text or a refusal."""

import io
import zipfile
from datetime import UTC, date, datetime

import openpyxl
import pytest

from services.people_columns import guess_columns, list_missing, split_name
from services.people_files import FileProblem, FileRefused, read_rows
from services.questions import Question, QuestionKind
from services.registration_exports import _HEADINGS as EXPORTED
from services.spreadsheets import write_csv, write_xlsx
from tests.factories import COMPANY, PRIVACY

ROWS = [["姓", "名", "メール"], ["髙﨑", "𠮷", "a@example.com"], ['"引用"', "a,b;\tc", "改\n行"]]
PLAIN = [["姓", "名", "メール"], ["髙﨑", "花子", "a@example.com"]]


def make_workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return save(book)


def save(book):
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repack(content, **parts):
    """Put other parts into a workbook: `sheet="…"` in the place of what it had."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "texts": "xl/sharedStrings.xml"}
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in {*old.namelist(), *(names[key] for key in parts)}:
            given = {names[key]: part for key, part in parts.items()}
            new.writestr(name, given[name] if name in given else old.read(name))
    return file.getvalue()


def find_problem(content):
    with pytest.raises(FileRefused) as refusal:
        list(read_rows(content))
    return refusal.value.problem


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"".join(write_csv(ROWS)), id="our own CSV"),
        pytest.param(b"".join(write_xlsx(ROWS)), id="our own XLSX"),
        pytest.param(make_workbook(*ROWS), id="another XLSX"),
    ],
)
def test_files_of_ours_and_others_come_back_as_they_were(content):
    assert list(read_rows(content)) == ROWS


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_is_read_whatever_its_encoding_and_what_parts_it(encoding, delimiter):
    text = "".join(f"{delimiter.join(row)}\r\n" for row in [*PLAIN, ["", " ", ""]])
    assert list(read_rows(text.encode(encoding))) == PLAIN


def test_cells_are_what_people_see_in_them():
    moment = datetime(2030, 4, 1, 9, 30, tzinfo=UTC).replace(tzinfo=None)
    cells = [12.0, 1.5, 9012345678, date(2030, 4, 1), moment, True, "0012"]
    [_, row] = read_rows(make_workbook(["a"] * 7, cells))
    seen = ["12", "1.5", "9012345678", "2030-04-01", "2030-04-01 09:30", "True", "0012"]
    assert row == seen


def test_formula_counts_as_what_it_came_to():
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row><c t="str"><v>姓</v></c></row>'
        '<row><c t="str"><f>WEBSERVICE("http://127.0.0.1/")</f><v>山田</v></c></row>'
        "</sheetData></worksheet>"
    )
    assert list(read_rows(repack(make_workbook(["x"]), sheet=sheet))) == [["姓"], ["山田"]]


def test_hidden_sheet_is_not_the_table():
    book = openpyxl.Workbook()
    book.active.append(["secret"])
    book.active.sheet_state = "hidden"
    shown = book.create_sheet()
    for row in PLAIN:
        shown.append(row)
    assert list(read_rows(save(book))) == PLAIN


def test_two_cells_far_apart_take_no_memory():
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active["XFD1048576"] = "姓", "山田", "x"
    assert find_problem(save(book)) == FileProblem.TOO_MANY_ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_anything_is_made_of_them(encoding):
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]>'
    content = repack(make_workbook(["x"], ["y"]), sheet=(bomb + "<a>&c;</a>").encode(encoding))
    assert find_problem(content) == FileProblem.UNREADABLE


def test_workbook_that_unpacks_to_too_much_is_refused():
    content = repack(make_workbook(["x"], ["y"]), texts=b" " * (101 * 1024 * 1024))
    assert len(content) < 200_000
    assert find_problem(content) == FileProblem.TOO_LARGE


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.NO_ROWS),
        ("姓,名".encode(), FileProblem.NO_ROWS),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileProblem.OLD_EXCEL),
        (b"PK\x03\x04 and nothing of a ZIP", FileProblem.UNREADABLE),
        (make_workbook(["x"], ["y"])[:-200], FileProblem.UNREADABLE),
        (repack(make_workbook(["x"], ["y"]), sheet=b"<worksheet"), FileProblem.UNREADABLE),
        (bytes(range(128, 256)) * 9, FileProblem.UNREADABLE),
        (b'a,b\n"never closed' + b"x" * 200_000, FileProblem.UNREADABLE),
        (b"a\n" * 100_002, FileProblem.TOO_MANY_ROWS),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(content, problem):
    assert find_problem(content) == problem


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_headings_of_our_exports_are_known(locale):
    columns = guess_columns(EXPORTED[locale], ())
    assert list(columns.values()) == ["family_name", "given_name", "email", "language"]
    assert list_missing(columns) == []


def test_columns_are_known_by_their_headings_once_each():
    headings = [
        "お名前",
        "Ｅｍａｉｌ",
        "会社名・団体名",
        "備考",
        "Email",
        "「個人情報の取扱い」に同意する",
    ]
    columns = guess_columns(headings, (COMPANY, PRIVACY))
    assert columns == {0: "full_name", 1: "email", 2: "?company"}
    assert list_missing({0: "given_name"}) == ["family_name", "email"]


def test_part_of_a_label_and_what_is_usual_are_known_behind_the_label_itself():
    title = Question(
        "title", QuestionKind.TEXT, {"ja": "お役目"}, autocomplete="organization-title"
    )
    other = Question("other", QuestionKind.TEXT, {"ja": "団体名"}, required=True)
    columns = guess_columns(["会社名", "役職", "団体名", "メール", "氏名"], (COMPANY, title, other))
    assert columns == {0: "?company", 1: "?title", 2: "?other", 3: "email", 4: "full_name"}
    assert list_missing({3: "email", 4: "full_name"}, (COMPANY, title, other, PRIVACY)) == [
        "?other"
    ]


@pytest.mark.parametrize(
    ("text", "locale", "parts"),
    [
        ("山田　太郎", "ja", ("山田", "太郎")),
        ("Ann Mary Smith", "en", ("Smith", "Ann Mary")),
        ("山田太郎", "ja", ("山田太郎", "")),
        ("", "en", ("", "")),
    ],
)
def test_name_in_one_column_is_split_at_its_space(text, locale, parts):
    assert split_name(text, locale) == parts
