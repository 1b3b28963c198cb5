"""Tables of people that organizers have sent: the file, its rows, and what became of each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey, PublicId


class PeopleImport(Base):
    """One table; `done` of its `total` rows have a result.

    `state` is reading, ready (its columns are to be confirmed), running, done, or refused with
    `problem` as the reason. `columns` says by place what a column holds. Results are in the words
    of `words_locale`, people are registered in `locale` where no column says theirs.
    """

    __tablename__ = "people_import"

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), index=True
    )
    file_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(8), default="reading")
    problem: Mapped[str] = mapped_column(String(20), default="")
    headings: Mapped[list[str]] = mapped_column(JSON, default=list)
    columns: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    basis: Mapped[str] = mapped_column(String(200), default="")
    locale: Mapped[str] = mapped_column(String(5))
    words_locale: Mapped[str] = mapped_column(String(5))
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Moment]
    ended_at: Mapped[Moment | None]


class PeopleImportFile(Base):
    """The file as it was sent; gone once its rows are stored."""

    __tablename__ = "people_import_file"

    import_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("people_import.id", ondelete="CASCADE"), primary_key=True
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PeopleImportRow(Base):
    """One row below the headings; `result` is empty until its turn has come."""

    __tablename__ = "people_import_row"

    import_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("people_import.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[list[str]] = mapped_column(JSON)
    result: Mapped[str] = mapped_column(String(10), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
