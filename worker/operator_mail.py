"""The mail that tells the operator what is wrong, or over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage

from config import Settings
from services.dates import HOME, format_moment
from services.messages import compose_message

from .mail_rendering import render_parts

LOCALE = "ja"
"""The site's own language: an operator belongs to no event."""


def compose(
    settings: Settings,
    *,
    title: object,
    advice: object,
    facts: Sequence[tuple[object, object]],
    began_at: datetime,
    ended_at: datetime | None,
    message_id: str,
) -> EmailMessage:
    """Write the mail to `UKETSUKE_OPERATOR_EMAIL`, inside an application context.

    `title` and `advice` are lazy texts, `facts` pairs of a label and a value; with `ended_at` it
    says that it is over.

    Raises:
        MessageRefused: the operator's address cannot be written to.
    """
    content = render_parts(
        "operator/over" if ended_at else "operator/alarm",
        {
            "title": title,
            "advice": advice,
            "facts": facts,
            "began_text": format_moment(began_at, HOME, LOCALE),
            "ended_text": format_moment(ended_at, HOME, LOCALE) if ended_at else "",
            "site_url": settings.site_url,
        },
        LOCALE,
    )
    return compose_message(
        content,
        sender=Address(addr_spec=settings.sender),
        sender_name="Uketsuke",
        recipient=settings.operator_email,
        message_id=message_id,
        locale=LOCALE,
        reply_to=None,
        date=ended_at or began_at,
    )
