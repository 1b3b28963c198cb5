"""Pictures as an event's file names them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .tables import Table
from .texts import Text

LONGEST_ALT = 200


@dataclass(frozen=True)
class PictureRef:
    """A picture beside the file; `file` is a path from the file's folder."""

    file: str
    alt: Text = field(default_factory=dict)


def read_picture_ref(table: Table, key: str) -> PictureRef | None:
    picture = table.take_table(key)
    if picture is None:
        return None
    ref = PictureRef(picture.need_text("file", 200), picture.take_localized("alt", LONGEST_ALT))
    picture.close()
    return ref
