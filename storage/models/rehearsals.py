"""That this database is a copy, to be looked at."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Moment


class Rehearsal(Base):
    """The one row of a backup that was restored for practice: nothing leaves this site.

    `taken_at` is when the backup was made, `began_at` when it was restored.
    """

    __tablename__ = "rehearsal"

    id: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[Moment]
    began_at: Mapped[Moment]
