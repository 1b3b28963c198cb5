"""Reading rows of text from a file that an organizer sent: CSV in any usual encoding, and XLSX.

Nothing of a file is believed. A workbook is a ZIP of XML: what it says to be unpacked is bounded
before anything is, a document type (the way to entities) is refused, formulas count as what they
came to, and only so many columns and rows are looked at. openpyxl reads row by row; libraries that
build the whole sheet can be made to ask for all memory by two cells that are far apart.
"""

from __future__ import annotations

import codecs
import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from enum import StrEnum
from typing import IO, Any

MOST_ROWS = 100_000
MOST_COLUMNS = 200
LONGEST_CELL = 10_000
MOST_BYTES = 32 * 1024 * 1024

_MOST_UNPACKED = 400 * 1024 * 1024
_MOST_TEXTS = 100 * 1024 * 1024
"""Of the part with shared texts, which is kept in memory."""
_MOST_PARTS = 2_000

_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What openpyxl and the modules below it raise for files that are broken, or made to break them.
_BROKEN = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError),
    *(OSError, EOFError, RuntimeError, SyntaxError, csv.Error, zipfile.BadZipFile, zlib.error),
)


class FileProblem(StrEnum):
    """Why a file is not taken."""

    UNREADABLE = "unreadable"
    OLD_EXCEL = "old_excel"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    NO_ROWS = "no_rows"


class FileRefused(Exception):
    """A file is not taken; `problem` says why."""

    def __init__(self, problem: FileProblem) -> None:
        super().__init__(problem)
        self.problem = problem


def read_rows(content: bytes) -> Iterator[list[str]]:
    """Yield the rows of a file that are not empty, the headings first.

    Raises:
        FileRefused: while they are read; rows that came before it are not to be used.
    """
    if content.startswith(_OLD_EXCEL):
        raise FileRefused(FileProblem.OLD_EXCEL)
    read = _read_workbook if content.startswith(_ZIP) else _read_text
    count = 0
    try:
        for cells in read(content):
            row = [cell.replace("\0", "").strip()[:LONGEST_CELL] for cell in cells[:MOST_COLUMNS]]
            while row and not row[-1]:
                row.pop()
            if not row:
                continue
            count += 1
            if count > MOST_ROWS + 1:
                raise FileRefused(FileProblem.TOO_MANY_ROWS)
            yield row
    except _BROKEN as error:
        raise FileRefused(FileProblem.UNREADABLE) from error
    if count < 2:
        raise FileRefused(FileProblem.NO_ROWS)


def decode(content: bytes) -> str:
    """Decode text: UTF-8 or UTF-16 by their marks, else UTF-8, else UTF-16, else Shift_JIS.

    Raises:
        UnicodeDecodeError: it is none of them.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding)
    head = content[:4000]
    if 0 in head:
        # No other text has zeros; here they are half of each comma and line end.
        is_little = head[1::2].count(0) >= head[::2].count(0)
        return content.decode("utf-16-le" if is_little else "utf-16-be")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp932")


def _read_text(content: bytes) -> Iterator[list[str]]:
    text = decode(content).lstrip("\r\n")
    first = text.split("\n", 1)[0]
    delimiter = max("\t,;", key=first.count)
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _read_workbook(content: bytes) -> Iterator[list[str]]:
    # Only whoever reads a workbook pays for what reads it.
    from openpyxl import load_workbook

    _check_parts(content)
    with warnings.catch_warnings():
        # Of features that a table of people does not need.
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        sheet = (shown or book.worksheets)[0]
        sheet.reset_dimensions()  # what a file says of its size need not be so
        for seen, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True)):
            if seen > 2 * MOST_ROWS:
                raise FileRefused(FileProblem.TOO_MANY_ROWS)
            if cells.count(None) < len(cells):
                yield [_write_cell(cell) for cell in cells]


def _check_parts(content: bytes) -> None:
    """Look at a ZIP before anything is made of it; no more comes out than it says there is."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if (
            len(parts) > _MOST_PARTS
            or sum(part.file_size for part in parts) > _MOST_UNPACKED
            or any(
                part.file_size > _MOST_TEXTS for part in parts if "worksheets/" not in part.filename
            )
        ):
            raise FileRefused(FileProblem.TOO_LARGE)
        for part in parts:
            if part.filename.endswith((".xml", ".rels", ".vml")):
                with archive.open(part) as file:
                    _check_xml(file)


def _check_xml(file: IO[bytes]) -> None:
    """Refuse a document type, in whatever encoding it is written."""
    tail = b""
    while chunk := file.read(1 << 20):
        text = (tail + chunk).replace(b"\0", b"")
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise FileRefused(FileProblem.UNREADABLE)
        tail = text[-20:]


def _write_cell(value: Any) -> str:
    """Write a cell as it is read by people: 12 and not 12.0, 2030-04-01 and not its number."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")[:16]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
