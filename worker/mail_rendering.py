"""Drawing mails from their templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flask import current_app
from flask_babel import force_locale

from services.messages import Attachment, MailContent, MailContext, safe_name


def render_mail(
    name: str, context: MailContext, locale: str, attachments: tuple[Attachment, ...] = ()
) -> MailContent:
    """Draw a mail in a language, inside an application context.

    The name in the greeting is made safe here, so that no caller can forget it.
    """
    safe = replace(context, greeting_name=safe_name(context.greeting_name))
    values = vars(safe) | {"has_calendar": bool(attachments)}
    content = render_parts(f"mail/{name}", values, locale)
    return replace(content, attachments=attachments)


def render_parts(folder: str, values: Mapping[str, object], locale: str) -> MailContent:
    """Draw the three files of a folder of templates in a language."""
    with force_locale(locale):
        subject, text, html = (
            # Not render_template: the pages' context processors need a request.
            current_app.jinja_env.get_template(f"{folder}/{part}").render(values, locale=locale)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return MailContent(subject.strip(), text.strip() + "\n", html)
