"""What the schema says about itself, beside Alembic's own table."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class SchemaFit(Base):
    """The oldest revision whose code works with this schema: one row, written by each upgrade."""

    __tablename__ = "schema_fit"

    oldest_revision: Mapped[str] = mapped_column(String(32), primary_key=True)
