"""Mails as values, and their way into a message that every mail server takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.header import Header
from email.headerregistry import (
    Address,
    AddressHeader,
)
from email.message import EmailMessage
from email.utils import quote

from .calendars import CalendarEntry, Method, build_calendar

NAME_LENGTH = 64


class MessageRefused(ValueError):
    """An address or id cannot stand in a header; sending it later changes nothing."""


@dataclass(frozen=True)
class Attachment:
    """A file; `media_type` is `text/calendar`, `parameters` stand beside it."""

    filename: str
    media_type: str
    content: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MailContent:
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class MailEvent:
    """What mails say about an event; texts are in the reader's language, dates in words.

    In a series, `dates` are those of the reader.
    `former_text` is when people had registered for, where the event was moved.
    """

    title: str
    date_text: str
    short_date: str
    organizer: str
    organizer_address: str
    contact_email: str
    contact_url: str
    kind: str
    dates: tuple[str, ...] = ()
    former_text: str = ""


@dataclass(frozen=True)
class MailContext:
    """What the templates of mails may use.

    `join_url` is our link; until `is_link_ready` it opens a page that waits. `opens_text` is the
    hour from which it leads to Zoom, where that is known, and `is_too_late` says that the event has
    begun by then. Who `needs_help` gets in only if the organizer sees to it: Zoom has refused,
    `reason` says why, or does not know of them; where the event `has_fallback`, `join_url` leads
    there meanwhile. `standing` says where the registration stands, where that has not changed;
    `no_date`, in a series, that and why none of the reader's dates is ahead any more.
    `code` is set under the `code` policy. `name_differs` says that a repeated form
    came with another name, which is not told; `is_new_request` that it is somebody new who sent it,
    and will be registered. `proof_url` is where who has not registered yet does
    so, until `proof_until`, in words. `is_by_organizer` says that it was not the person who
    cancelled, `had_link` that they had more to lose than a request.
    """

    event: MailEvent
    sender_domain: str
    greeting_name: str = ""
    number: str = ""
    join_url: str | None = None
    is_link_ready: bool = True
    opens_text: str = ""
    is_too_late: bool = False
    needs_help: bool = False
    has_fallback: bool = False
    personal_url: str | None = None
    code: str | None = None
    reason: str = ""
    standing: str = ""
    no_date: str = ""
    proposal_url: str | None = None
    again_url: str | None = None
    proof_url: str | None = None
    proof_until: str = ""
    is_by_organizer: bool = False
    had_link: bool = True
    name_differs: bool = False
    is_new_request: bool = False
    marketing_withdraw_url: str | None = None


def attach_calendar(entries: Sequence[CalendarEntry], method: Method = "PUBLISH") -> Attachment:
    # Outlook refuses a file whose METHOD is not also that of its media type.
    parameters = {"method": method, "charset": "utf-8"}
    return Attachment("invite.ics", "text/calendar", build_calendar(entries, method), parameters)


def compose_message(
    content: MailContent,
    *,
    sender: Address,
    sender_name: str,
    recipient: str,
    message_id: str,
    locale: str,
    reply_to: str | None,
    date: datetime,
) -> EmailMessage:
    """Build the message: text and HTML as alternatives, attachments after them.

    `message_id` is the part before the sender's domain, the same for every try. Line breaks,
    controls and invisible characters in the subject and the sender's name are dropped.

    Raises:
        MessageRefused: an address or the id is not one.
    """
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,100}", message_id):
        raise MessageRefused("message id")
    message = EmailMessage(policy=_POLICY)
    message["From"] = make_address(sender.addr_spec, sender_name)
    message["To"] = make_address(recipient)
    if reply_to:
        message["Reply-To"] = make_address(reply_to)
    message["Subject"] = write_line(content.subject)
    message["Date"] = date
    message["Message-ID"] = f"<{message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_drop_controls(content.text))
    message.add_alternative(_drop_controls(content.html), subtype="html")
    for attachment in content.attachments:
        maintype, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content,
            maintype=maintype,
            subtype=subtype,
            filename=write_line(attachment.filename),
            params=dict(attachment.parameters),
        )
    # Set last: adding an alternative moves every Content- header into the first part.
    message["Content-Language"] = locale
    return message


def make_address(email: str, name: str = "") -> Address:
    """Make an address of one person; its local part is quoted where mail servers want that.

    Raises:
        MessageRefused: it is not one ASCII address.
    """
    local, at, domain = email.rpartition("@")
    if local.startswith('"') and local.endswith('"') and len(local) > 2:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    if not (at and re.fullmatch(r"[!-~]{1,64}", local) and _DOMAIN.fullmatch(domain)):
        raise MessageRefused("address")
    return _QuotingAddress(write_line(name), local, domain)


def safe_name(name: str) -> str:
    """Return a name fit to greet with, or nothing where it looks like a message.

    Anybody can have a mail sent to anybody by typing an address, so a name with a link, an address,
    a telephone number or a sentence is not repeated, and no name is long.
    """
    line = write_line(name)
    plain = unicodedata.normalize("NFKC", line).casefold()
    # Marks that stand on letters, or choose their shape, hide what is written.
    bare = "".join(char for char in plain if not unicodedata.category(char).startswith("M"))
    looks = bare.translate(_LOOK_ALIKES)
    is_text = len(looks.split()) > _MOST_WORDS
    return "" if is_text or _ADVERT.search(looks) else line[:NAME_LENGTH].rstrip()


def write_line(text: str) -> str:
    """Make one line of a text, without controls, direction marks and invisible characters."""
    visible = "".join(
        char
        for char in " ".join(text.splitlines())
        if char == "\t"
        or not (unicodedata.category(char) in ("Cc", "Cf", "Cs") or char in _BLANK_LETTERS)
    )
    # The email package decodes an encoded word in a value, and so lets its line breaks out.
    return re.sub(r"[ \t\xa0]+", " ", visible).strip().replace("=?", "= ?")


def _drop_controls(text: str) -> str:
    return "".join(
        char for char in text if char == "\n" or unicodedata.category(char) not in ("Cc", "Cs")
    )


_DOMAIN = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Letters and marks that leave nothing, or nothing but room, on the screen.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_MOST_WORDS = 8
_LOOK_ALIKES = str.maketrans("。․ꓸ٠〇零一二三四五六七八九", "....00123456789")
_ADVERT = re.compile(
    r"://|www\.|[@:!?\[\]]"
    r"|\d+\.\d+\.\d+"
    r"|[^\W_][\w-]*\.[^\W\d_]{2,}"  # example.com, 例え.テスト
    r"|(\d[\s().+/ー\u2010-\u2015\u2212-]*){6,}"  # six digits, however they are spaced
)


class _QuotingAddress(Address):
    """Writes `"da..me"@docomo.ne.jp`: old carrier addresses are valid only when quoted."""

    @property
    def addr_spec(self) -> str:
        if _DOT_ATOM.fullmatch(self.username):
            return f"{self.username}@{self.domain}"
        quoted = re.sub(r'(["\\])', r"\\\1", self.username)
        return f'"{quoted}"@{self.domain}'


class _FoldingPolicy(policy.EmailPolicy):
    """Writes the two headers that may hold any text by `Header`.

    The email package folds them wrongly: spaces between encoded words vanish, characters are cut
    in two, and a long name loses its quotes (seen on Python 3.11.7).
    """

    def fold(self, name: str, value: str) -> str:
        if name == "Subject":
            return f"Subject: {_encode(value)}\r\n"
        if isinstance(value, AddressHeader) and value.addresses[0].display_name:
            (address,) = value.addresses
            return f"{name}: {_encode_name(address.display_name)}\r\n <{address.addr_spec}>\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii")


def _encode(text: str) -> str:
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, maxlinelen=66).encode(linesep="\r\n")


def _encode_name(name: str) -> str:
    return f'"{quote(name)}"' if name.isascii() else _encode(name)


_POLICY = _FoldingPolicy(linesep="\r\n", cte_type="7bit")
