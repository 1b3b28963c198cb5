"""Tables as files, written while they are read: CSV in UTF-8 or CP932, and XLSX.

Each function takes rows of text of one length and yields bytes, so that a million rows take no more
memory than some hundred.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from enum import StrEnum
from xml.sax.saxutils import escape

from .formulas import defuse_parts

ROWS_AT_ONCE = 500
MOST_XLSX_ROWS = 1_048_576
"""What one sheet can hold, the headings included (Microsoft's specification of Excel's limits)."""

LONGEST_CELL = 32_767
MOST_MISFITS = 10_000
REPLACEMENT = "〓"

_BYTE_ORDER_MARK = "\ufeff".encode()

# The same characters under the code points that CP932 has them at.
_TWINS = str.maketrans(
    {
        "\u301c": "\uff5e",
        "\u2016": "\u2225",
        "\u2212": "\uff0d",
        "\u2014": "\u2015",
        "\u00a2": "\uffe0",
        "\u00a3": "\uffe1",
        "\u00ac": "\uffe2",
    }
)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Excel reads _x0041_ as the character of that number.
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


class FileFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    CP932 = "cp932"


def write_csv(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """Write UTF-8 with the mark by which Excel knows it, lines ended by CR LF."""
    yield _BYTE_ORDER_MARK
    for lines in _write_lines(rows):
        yield lines.encode()


def write_cp932(rows: Iterable[list[str]], *, headings: tuple[str, str, str]) -> Iterator[bytes]:
    """Write a ZIP of the table in CP932 and of the list of characters that do not fit in it.

    In the table they are 〓. The list, in UTF-8, has the row's first cell, the column and the
    character under the headings given.
    """
    misfits: list[list[str]] = [list(headings)]
    stream = _Drain()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("registrations.csv", "w", force_zip64=True) as file:
            for lines in _write_lines(_replace_misfits(rows, misfits)):
                file.write(lines.encode("cp932"))
                yield stream.take()
        with archive.open("characters.csv", "w") as file:
            for part in write_csv(misfits):
                file.write(part)
    yield stream.take()


def write_xlsx(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """Write a workbook with one sheet of plain text: no formulas, no links, no numbers."""
    stream = _Drain()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as file:
            file.write(_SHEET_BEGIN.encode())
            for batch in _take_batches(rows):
                file.write("".join(map(_write_xml_row, batch)).encode())
                yield stream.take()
            file.write(b"</sheetData></worksheet>")
    yield stream.take()


class _Drain(io.RawIOBase):
    """What a ZIP is written to: bytes that are taken away as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        part = bytes(content)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _take_batches(rows: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    batch: list[list[str]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _write_lines(rows: Iterable[list[str]]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for batch in _take_batches(rows):
        writer.writerows(map(defuse_parts, batch))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _replace_misfits(rows: Iterable[list[str]], misfits: list[list[str]]) -> Iterator[list[str]]:
    headings: list[str] | None = None
    for row in rows:
        headings = headings or row
        try:
            "".join(row).encode("cp932")
        except UnicodeEncodeError:
            row = [
                "".join(_fit(char, row[0], column, misfits) for char in cell.translate(_TWINS))
                for column, cell in zip(headings, row, strict=True)
            ]
        yield row


def _fit(char: str, who: str, column: str, misfits: list[list[str]]) -> str:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        if len(misfits) <= MOST_MISFITS:
            misfits.append([who, column, char])
        return REPLACEMENT
    return char


def _write_xml_row(row: list[str]) -> str:
    return f"<row>{''.join(map(_write_xml_cell, row))}</row>"


def _write_xml_cell(text: str) -> str:
    if not text:
        return "<c/>"
    if not text.isalnum():
        text = _NOT_XML.sub("", text[:LONGEST_CELL])
        text = escape(_LOOKS_ESCAPED.sub("_x005F_", text)).replace("\r", "&#13;")
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# Office Open XML, ECMA-376: the least that a workbook has to consist of.
_PARTS = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Registrations" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}
_SHEET_BEGIN = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)
