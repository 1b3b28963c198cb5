"""Alembic's entry: runs on the connection that `storage.migrate` hands over."""

from __future__ import annotations

from typing import Any

from alembic import context

from storage.models import Base
from storage.models.base import UtcDateTime


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | bool:
    """Write our column type as the plain one it stores, so that old migrations need no import."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
    on_version_apply=lambda **_: context.config.attributes["on_step"](),
)
with context.begin_transaction():
    context.run_migrations()
