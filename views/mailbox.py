"""The demo's mailbox: the mails that a site without a mail server keeps as files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from services.dates import HOME, format_moment

from .headers import MAIL
from .locale import read_locale
from .site import get_site

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")

# Links open outside the mail's frame.
_MAIL_POLICY = f"{MAIL}; sandbox allow-popups allow-popups-to-escape-sandbox"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
_FILE_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}\.eml")
_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class MailLine:
    """One line of the list."""

    subject: str
    to: str
    date_text: str
    url: str


@bp.before_request
def refuse_other_machines() -> None:
    """Hide the mailbox from everybody but a browser on this machine."""
    try:
        is_here = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        abort(404)


@bp.get("")
def show_list() -> ResponseReturnValue:
    files = [path for path in _get_folder().glob("*.eml") if _FILE_NAME.fullmatch(path.name)]
    names = [path.name for path in sorted(files, key=_get_age, reverse=True)]
    return render_template(
        "mailbox/list.html", mails=[_describe(name, _read(name)) for name in names]
    )


@bp.get("/<name>")
def show_mail(name: str) -> ResponseReturnValue:
    mail = _read(name)
    line = _describe(name, mail)
    text = _get_text(mail, "plain")
    attachments = [
        (file.get_filename("file"), url_for(".download_attachment", name=name, number=number))
        for number, file in enumerate(mail.iter_attachments())
    ]
    page = render_template(
        "mailbox/mail.html",
        subject=line.subject,
        from_=str(mail["From"]),
        to=line.to,
        date_text=line.date_text,
        headers=[(key, str(value)) for key, value in mail.items()],
        text=text,
        links=list(dict.fromkeys(_LINK.findall(text))),
        html_url=url_for(".show_html", name=name),
        list_url=url_for(".show_list"),
        attachments=attachments,
    )
    return page, {"Content-Security-Policy": _PAGE_POLICY}


@bp.get("/<name>/html")
def show_html(name: str) -> ResponseReturnValue:
    """Show the HTML part in its frame; what it links to opens in a new tab."""
    html = _get_text(_read(name), "html").replace("<head>", '<head><base target="_blank">', 1)
    return html, {"Content-Security-Policy": _MAIL_POLICY}


@bp.get("/<name>/attachments/<int:number>")
def download_attachment(name: str, number: int) -> ResponseReturnValue:
    files = list(_read(name).iter_attachments())
    if number >= len(files):
        abort(404)
    response = Response(files[number].get_payload(decode=True))
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers.set(
        "Content-Disposition", "attachment", filename=files[number].get_filename("file")
    )
    return response


def _get_folder() -> Path:
    return get_site().settings.mailbox


def _get_age(path: Path) -> tuple[str, int]:
    """Order by the second in the name, then by the moment of writing."""
    return path.name[:16], path.stat().st_mtime_ns


def _read(name: str) -> EmailMessage:
    if not _FILE_NAME.fullmatch(name):
        abort(404)
    try:
        content = (_get_folder() / name).read_bytes()
    except FileNotFoundError:
        abort(404)
    return message_from_bytes(content, policy=policy.default)


def _describe(name: str, mail: EmailMessage) -> MailLine:
    return MailLine(
        subject=str(mail["Subject"]),
        to=str(mail["To"]),
        date_text=format_moment(mail["Date"].datetime, HOME, read_locale()),
        url=url_for(".show_mail", name=name),
    )


def _get_text(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return str(part.get_content()) if part else ""
