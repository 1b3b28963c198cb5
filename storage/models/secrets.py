"""Which secrets the database was made with."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Moment, Sealed


class KnownSecret(Base):
    """The fingerprint of a secret that signed links and encrypted values of this database.

    It tells secrets apart and says nothing about them. `hash_keys` is what hashes made with it are
    compared with, encrypted, for when it is left out.
    """

    __tablename__ = "known_secret"

    fingerprint: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_used_at: Mapped[Moment]
    hash_keys: Mapped[bytes | None] = mapped_column(
        Sealed("keys of recovery codes and known addresses")
    )
