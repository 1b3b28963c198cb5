"""Drawing mails from their templates."""

from __future__ import annotations

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
    values = vars(safe) | {"locale": locale, "has_calendar": bool(attachments)}
    with force_locale(locale):
        subject, text, html = (
            # Not render_template: the pages' context processors need a request.
            current_app.jinja_env.get_template(f"mail/{name}/{part}").render(values)
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return MailContent(subject.strip(), text.strip() + "\n", html, attachments)
