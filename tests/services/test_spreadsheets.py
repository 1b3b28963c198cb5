"""Files for spreadsheets: the same characters come out, nothing runs, nothing is dropped."""

import csv
import io
import zipfile
from xml.etree import ElementTree

import pytest

from services.spreadsheets import REPLACEMENT, write_cp932, write_csv, write_xlsx

HEADINGS = ["受付番号", "氏名", "備考"]
NAMES = ["髙﨑①", "\U00020bb7田", "😀", "葛\U000e0100城", "㈱例", "Zoë O'Brien", "שלום"]
ODD = [
    'a,b;"c"',
    "一行目\r\n二行目\n三行目",
    "\t'=1+1",
    "",
    " 空白 ",
    "_x0041_",
    "<&>]]>",
    "0012",
    "-5",
]
REPORT = ("Receipt number", "Column", "Character")


def make_rows():
    cells = [*NAMES, *ODD]
    return [HEADINGS, *([f"R{n}", cell, cell[::-1]] for n, cell in enumerate(cells))]


def read_sheet(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    return [
        ["".join(cell.itertext()) for cell in row.iter(f"{space}c")]
        for row in sheet.iter(f"{space}row")
    ]


def test_csv_gives_back_every_cell_as_it_was():
    content = b"".join(write_csv(make_rows()))

    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == make_rows()
    assert text.count("\r\n") >= len(make_rows())


def test_workbook_gives_back_every_cell_as_text():
    read = read_sheet(b"".join(write_xlsx(make_rows())))
    meant = [[cell.replace("_x0041_", "_x005F_x0041_") for cell in row] for row in make_rows()]
    assert read == meant


def test_workbook_has_no_formula_and_nothing_that_xml_forbids():
    content = b"".join(write_xlsx([["a"], ["=1+1\x01\ud800"[:-1]], ["x\x0by"]]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert read_sheet(content) == [["a"], ["=1+1"], ["xy"]]


def test_what_cp932_cannot_write_is_marked_and_listed():
    rows = [HEADINGS, ["R1", "髙﨑①", "〜−—"], ["R2", "\U00020bb7田", "😀 ok"]]
    with zipfile.ZipFile(io.BytesIO(b"".join(write_cp932(rows, headings=REPORT)))) as archive:
        table = archive.read("registrations.csv").decode("cp932")
        report = archive.read("characters.csv").decode("utf-8-sig")
    assert table.splitlines()[1] == "R1,髙﨑①,～－―"
    assert table.splitlines()[2] == f"R2,{REPLACEMENT}田,{REPLACEMENT} ok"
    assert list(csv.reader(io.StringIO(report))) == [
        list(REPORT),
        ["R2", "氏名", "\U00020bb7"],
        ["R2", "備考", "😀"],
    ]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_file_begins_before_the_last_row_is_read(write):
    read = []

    def rows():
        for number in range(5_000):
            read.append(number)
            yield [str(number)]

    parts = write(rows())
    while not next(parts):
        pass
    next(parts)
    assert len(read) < 2_000


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_has_no_formula_whatever_separates_lists_where_it_is_opened(separator):
    text = "".join(
        part.decode("utf-8-sig") for part in write_csv([["1", f'A{separator}"=1+1\n=2', "z"]])
    )

    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    assert not [cell for line in lines for cell in line if cell.startswith("=")]
