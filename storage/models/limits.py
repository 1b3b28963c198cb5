"""Rate limits, which all processes share through the database."""

from __future__ import annotations

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class RateBucket(Base):
    """A rate limit by GCRA: `full_at` is the theoretical arrival time, in seconds since 1970."""

    __tablename__ = "rate_bucket"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    full_at: Mapped[float] = mapped_column(Float(53))
