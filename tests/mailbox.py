"""Read the mails that a site without a mail server writes into its folder."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

CODE = re.compile(r"(?m)^(\d{6})\s*$")
LINK = re.compile(r"https?://\S+")


class Mailbox:
    """The folder of mails; reading takes nothing out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list_mails(self, to: str | None = None) -> list[EmailMessage]:
        """List mails, to one address or to all, in the order in which they were written."""
        files = sorted(self._folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [mail for mail in mails if to is None or read_address(mail) == to]

    def list_subjects(self, to: str) -> list[str]:
        """List the beginnings of the subjects, up to the date, of what an address has got."""
        return [str(mail["Subject"]).split("】")[0].lstrip("【") for mail in self.list_mails(to)]

    def read_last(self, to: str) -> EmailMessage:
        return self.list_mails(to)[-1]

    def read_only(self, to: str) -> EmailMessage:
        """Return the one mail that an address has got."""
        mails = self.list_mails(to)
        assert len(mails) == 1, [str(mail["Subject"]) for mail in mails]
        return mails[0]


def read_address(mail: EmailMessage) -> str:
    return str(mail["To"].addresses[0].addr_spec)


def read_text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None, "every mail has a plain text"
    return str(part.get_content())


def find_link(mail: EmailMessage, kind: str) -> str:
    """Return the address of one kind in a mail: `j` joins, `r` is the personal page."""
    links = [link for link in LINK.findall(read_text(mail)) if _is_page(link, kind)]
    assert len(set(links)) == 1, links
    return links[0]


def find_code(mail: EmailMessage) -> str:
    """Return the six digits that a mail carries under the policy `code`."""
    [code] = CODE.findall(read_text(mail))
    return str(code)


def _is_page(link: str, kind: str) -> bool:
    """Tell whether a link opens a page itself, not one below it such as `/r/…/again`."""
    return urlsplit(link).path.split("/")[1:-1] == [kind]
