"""The audit log: who did and saw what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, BigKey, Moment, PrimaryKey


class AuditEntry(Base):
    """One act. Rows are only ever added.

    `chain` is the organization's id, or 0 for what belongs to none, such as a sign-in that failed.
    `number` counts up within the chain, and `hash` covers this row and the one before it: who
    changes or removes a row breaks all that follow. `actor` and `object` are public ids and kinds,
    and `facts` holds no personal content.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(None, "chain", "number", unique=True),
        Index(None, "chain", "actor", "number"),
        Index(None, "chain", "action", "number"),
    )

    id: Mapped[PrimaryKey]
    chain: Mapped[int] = mapped_column(BigKey)
    number: Mapped[int] = mapped_column(BigKey)
    at: Mapped[Moment]
    actor: Mapped[str] = mapped_column(String(30))
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(80), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of a chain: its lock, and what shows that rows at the end were cut off."""

    __tablename__ = "audit_head"

    chain: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigKey)
    hash: Mapped[str] = mapped_column(String(64))
