"""What an event's page shows beside its texts: speakers, the programme, materials to look at.

Each is a list in the order of the page. An entry has an id of small letters, digits, `_` and `-`,
unique in its list, which stays the same when its words change.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from .picture_refs import PictureRef, read_picture_ref
from .tables import DocumentError, Table
from .texts import Text

MOST_ENTRIES = 60
LONGEST_ID = 32
LONGEST_TIME = 40
LONGEST_NAME = 120
LONGEST_TITLE = 200
LONGEST_TEXT = 1_000
LONGEST_URL = 1_000

# https alone, and no user name, which makes an address look like another's.
_URL = re.compile(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?([/?#][!-~]*)?")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")

NEW = "new"
"""What stands in an address in place of the id of an entry that is yet to be written."""


@dataclass(frozen=True, kw_only=True)
class Speaker:
    id: str
    name: Text
    role: Text = field(default_factory=dict)
    text: Text = field(default_factory=dict)
    picture: PictureRef | None = None


@dataclass(frozen=True, kw_only=True)
class ProgrammeItem:
    """`time` is a time of day or any few words; `speakers` are ids of the event's speakers."""

    id: str
    title: Text
    time: Text = field(default_factory=dict)
    text: Text = field(default_factory=dict)
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Material:
    """A page elsewhere, such as a video or slides."""

    id: str
    label: Text
    url: str


AnyEntry = Speaker | ProgrammeItem | Material
Entry = TypeVar("Entry", bound=AnyEntry)

PARTS = ("speakers", "programme", "materials")
"""The lists by the names that documents and rows of events have them by."""

NAMES = {"speakers": "name", "programme": "title", "materials": "label"}
"""The text that an entry of each list cannot be without."""


class EntryChanged(Exception):
    """Somebody else has changed or removed the entry since it was read."""


class NoRoom(Exception):
    """The list has as many entries as it may have."""


def get_name(entry: AnyEntry) -> Text:
    """Return the text by which an entry is called."""
    name: Text = next(getattr(entry, name) for name in NAMES.values() if hasattr(entry, name))
    return name


def find_entry(entries: Iterable[Entry], entry_id: str) -> Entry | None:
    return next((entry for entry in entries if entry.id == entry_id), None)


def check_material_url(url: str) -> bool:
    return len(url) <= LONGEST_URL and _URL.fullmatch(url) is not None


def check_entry_id(entry_id: str) -> bool:
    return len(entry_id) <= LONGEST_ID and _ID.fullmatch(entry_id) is not None


def mark_entry(entry: AnyEntry, asset: str) -> str:
    """Return a digest that changes with the entry or with `asset`, the name of its picture."""
    return hashlib.sha256(f"{asset}\n{json.dumps(asdict(entry))}".encode()).hexdigest()[:20]


def choose_entry_id(stem: str, taken: Collection[str]) -> str:
    """Return an id that no other entry has, made of a name where that is possible."""
    stem = "-".join(re.findall(r"[a-z0-9]+", stem.lower()))[: LONGEST_ID - 4].strip("-") or "entry"
    number, entry_id = 1, stem
    while entry_id in taken or entry_id == NEW:
        number += 1
        entry_id = f"{stem}-{number}"
    return entry_id


def store_entry(entries: Sequence[Entry], wanted: Entry, *, is_as_seen: bool) -> tuple[Entry, ...]:
    """Append an entry whose id is `NEW`, else replace the one with its id.

    An entry that is stored already, as by an earlier try whose answer was lost, changes nothing.
    `is_as_seen` says that the stored entry is still what the editor saw; an entry that the editor
    saw as removed is put back.

    Raises:
        EntryChanged: it is not, and something else is stored by now.
        NoRoom: there would be too many.
    """
    stored = find_entry(entries, wanted.id)
    if wanted.id == NEW:
        if any(_strip(wanted) == _strip(other) for other in entries):
            return tuple(entries)
        stem, taken = get_name(wanted).get("en", ""), {other.id for other in entries}
        wanted = replace(wanted, id=choose_entry_id(stem, taken))
    elif not is_as_seen:
        if wanted == stored:
            return tuple(entries)
        raise EntryChanged
    if stored is None and len(entries) >= MOST_ENTRIES:
        raise NoRoom
    return put_entry(entries, wanted)


def _strip(entry: AnyEntry) -> AnyEntry:
    """Return an entry without what differs each time it is sent: its id and its picture."""
    entry = replace(entry, id=NEW)
    return replace(entry, picture=None) if isinstance(entry, Speaker) else entry


def put_entry(entries: Sequence[Entry], entry: Entry) -> tuple[Entry, ...]:
    """Put an entry in the place of the one with its id, else at the end."""
    changed = list(entries)
    for place, other in enumerate(entries):
        if other.id == entry.id:
            changed[place] = entry
            return tuple(changed)
    changed.append(entry)
    return tuple(changed)


def shift_entry(entries: Sequence[Entry], entry_id: str, steps: int) -> tuple[Entry, ...]:
    """Move an entry up (negative) or down by so many places; an unknown one moves nothing."""
    moved = list(entries)
    for place, entry in enumerate(entries):
        if entry.id == entry_id:
            moved.insert(min(max(place + steps, 0), len(moved) - 1), moved.pop(place))
    return tuple(moved)


def drop_entry(entries: Sequence[Entry], entry_id: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry.id != entry_id)


def name_known(
    items: Iterable[ProgrammeItem], speakers: Iterable[Speaker]
) -> tuple[ProgrammeItem, ...]:
    """Take those out of a programme who are not among the speakers."""
    known = {speaker.id for speaker in speakers}
    return tuple(
        replace(item, speakers=tuple(speaker for speaker in item.speakers if speaker in known))
        for item in items
    )


def read_parts(table: Table) -> dict[str, Any]:
    """Read the lists of an event's file by their names.

    Raises:
        DocumentError: a key is missing, unknown or wrong, or a speaker is not in the list.
    """
    parts: dict[str, tuple[AnyEntry, ...]] = {}
    for name, read in (
        ("speakers", _read_speaker),
        ("programme", _read_item),
        ("materials", _read_material),
    ):
        entries = [
            read(entry, number) for number, entry in enumerate(table.take_tables(name), start=1)
        ]
        if len(entries) > MOST_ENTRIES:
            raise table.fault(name, f"has more than {MOST_ENTRIES} entries")
        if len({entry.id for entry in entries}) < len(entries):
            raise table.fault(name, "has an id twice")
        parts[name] = tuple(entries)
    known = {speaker.id for speaker in parts["speakers"]}
    for item in parts["programme"]:
        assert isinstance(item, ProgrammeItem), "it was read as one"
        for unknown in set(item.speakers) - known:
            raise DocumentError(f"programme names a speaker {unknown!r}, who is not in the list")
    return parts


def write_entry(entry: AnyEntry) -> dict[str, Any]:
    """Write what `read_parts` reads back as the same value."""
    values = {part.name: getattr(entry, part.name) for part in fields(entry)}
    if isinstance(entry, ProgrammeItem):
        values["speakers"] = list(entry.speakers)
    elif isinstance(entry, Speaker) and entry.picture:
        picture = {"file": entry.picture.file, "alt": dict(entry.picture.alt)}
        values["picture"] = {name: value for name, value in picture.items() if value}
    return {name: value for name, value in values.items() if value not in (None, "", {}, [])}


def entry_to_row(entry: AnyEntry, asset: str) -> dict[str, Any]:
    """Turn an entry into what the event's row keeps; `asset` names the picture of a speaker."""
    row = asdict(entry)
    if isinstance(entry, ProgrammeItem):
        row["speakers"] = list(entry.speakers)
    elif isinstance(entry, Speaker):
        alt = dict(entry.picture.alt) if entry.picture else {}
        row["picture"] = {"asset": asset, "alt": alt} if asset else None
    return row


def speaker_from_row(row: Mapping[str, Any], file: str) -> Speaker:
    """Turn a row back; `file` is how a file beside the event's calls the picture."""
    picture = row["picture"]
    ref = PictureRef(file, picture["alt"]) if picture else None
    return Speaker(**{**row, "picture": ref})


def item_from_row(row: Mapping[str, Any]) -> ProgrammeItem:
    return ProgrammeItem(**{**row, "speakers": tuple(row["speakers"])})


def material_from_row(row: Mapping[str, Any]) -> Material:
    return Material(**row)


def _read_speaker(table: Table, number: int) -> Speaker:
    speaker = Speaker(
        id=_read_id(table, f"speaker{number}"),
        name=_need_localized(table, "name", LONGEST_NAME),
        role=table.take_localized("role", LONGEST_TITLE),
        text=table.take_localized("text", LONGEST_TEXT),
        picture=read_picture_ref(table, "picture"),
    )
    table.close()
    return speaker


def _read_item(table: Table, number: int) -> ProgrammeItem:
    item = ProgrammeItem(
        id=_read_id(table, f"item{number}"),
        time=table.take_localized("time", LONGEST_TIME),
        title=_need_localized(table, "title", LONGEST_TITLE),
        text=table.take_localized("text", LONGEST_TEXT),
        speakers=tuple(dict.fromkeys(table.take_texts("speakers", LONGEST_ID))),
    )
    table.close()
    return item


def _read_material(table: Table, number: int) -> Material:
    material = Material(
        id=_read_id(table, f"material{number}"),
        label=_need_localized(table, "label", LONGEST_TITLE),
        url=table.need_text("url", LONGEST_URL),
    )
    if not check_material_url(material.url):
        raise table.fault("url", "must be like https://www.example.com/page, in ASCII")
    table.close()
    return material


def _read_id(table: Table, default: str) -> str:
    entry_id = table.take_text("id", LONGEST_ID, default)
    if not check_entry_id(entry_id) or entry_id == NEW:
        raise table.fault("id", f"may have small letters, digits, _ and - alone, and not be {NEW}")
    return entry_id


def _need_localized(table: Table, key: str, longest: int) -> Text:
    text = table.take_localized(key, longest)
    if not text:
        raise table.fault(key, "is missing: a table with ja, en or both")
    return text
