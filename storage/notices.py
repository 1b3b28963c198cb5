"""Reading and adding versions of an organization's privacy notice; none is ever changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import NoticeVersion


def list_versions(session: Session, organization_id: int) -> list[NoticeVersion]:
    """List all versions, the newest first."""
    return list(
        session.scalars(
            select(NoticeVersion)
            .where(NoticeVersion.organization_id == organization_id)
            .order_by(NoticeVersion.number.desc())
        )
    )


def get_version(session: Session, organization_id: int, number: int) -> NoticeVersion | None:
    return session.scalar(
        select(NoticeVersion).where(
            NoticeVersion.organization_id == organization_id, NoticeVersion.number == number
        )
    )


def get_standard_version(session: Session, organization_id: int) -> NoticeVersion | None:
    """Return the version that new events start with, or None before there is one."""
    return session.scalar(
        select(NoticeVersion)
        .where(NoticeVersion.organization_id == organization_id, NoticeVersion.is_standard)
        .order_by(NoticeVersion.number.desc())
        .limit(1)
    )


def add_version(
    session: Session,
    organization_id: int,
    *,
    number: int,
    document: dict[str, Any],
    is_standard: bool,
    author: str,
    now: datetime,
) -> NoticeVersion:
    version = NoticeVersion(
        organization_id=organization_id,
        number=number,
        document=document,
        is_standard=is_standard,
        author=author,
        created_at=now,
    )
    session.add(version)
    session.flush()
    return version
