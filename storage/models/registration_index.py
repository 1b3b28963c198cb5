"""The index of registrations: what they are found and counted by, made from them afterwards.

The registrations of an event stand in it in the order in which they came, each at a place of its
own from 0 on, and 4,096 places are a block. Registering writes none of this.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, PrimaryKey


class IndexProgress(Base):
    """How far an event's index has come: `places` are taken, the last one by `last_id`."""

    __tablename__ = "index_progress"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    last_id: Mapped[int] = mapped_column(BigInteger, default=0)
    places: Mapped[int] = mapped_column(BigInteger, default=0)


class IndexMark(Base):
    """One change of a registration that the index may not know yet; written with the change.

    Several may name one registration: each is taken away by whoever has read what it was about.
    """

    __tablename__ = "index_mark"

    id: Mapped[PrimaryKey]
    registration_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )


class IndexBlock(Base):
    """Who stands at the places of one block: `ids` has eight bytes for each, the least first."""

    __tablename__ = "index_block"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[int] = mapped_column(BigInteger)
    ids: Mapped[bytes] = mapped_column(LargeBinary)


class IndexBits(Base):
    """Which places of a block have one value of one facet: a bit each, the least first."""

    __tablename__ = "index_bits"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[str] = mapped_column(String(120), primary_key=True)
    block: Mapped[int] = mapped_column(primary_key=True)
    bits: Mapped[bytes] = mapped_column(LargeBinary)


class IndexTotal(Base):
    """How many of an event's registrations have one value of one facet."""

    __tablename__ = "index_total"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    value: Mapped[str] = mapped_column(String(120), primary_key=True)
    total: Mapped[int] = mapped_column(BigInteger)


class IndexOrder(Base):
    """What one place is sorted by under a name: bytes that compare as they are to be sorted."""

    __tablename__ = "index_order"
    __table_args__ = (Index(None, "event_id", "name", "key", "place"),)

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)


class IndexTexts(Base):
    """What 512 places are searched by, a line each."""

    __tablename__ = "index_texts"

    event_id: Mapped[int] = mapped_column(
        BigKey, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    texts: Mapped[str] = mapped_column(Text)
