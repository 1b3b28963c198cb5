"""Who handles people's data for an organizer, by what is switched on: a part of the notice."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Processor(StrEnum):
    """A service that this site hands data to, or that it runs on."""

    ZOOM = "zoom"
    MAIL = "mail"
    HOST = "host"


def list_processors(*, has_zoom: bool, mail_host: str, site_host: str) -> dict[str, str]:
    """Return where each one is that is in use, by its name; "" where that says nothing.

    `mail_host` is empty where no mail leaves the machine.
    """
    found = {Processor.ZOOM: ""} if has_zoom else {}
    if mail_host:
        found[Processor.MAIL] = mail_host
    found[Processor.HOST] = site_host
    return {str(name): place for name, place in found.items()}


def write_processors(processors: Mapping[str, str], locale: str) -> str:
    """Write them as a list in Markdown: who, what for, and what each gets."""
    return "\n".join(_LINES[locale][name].format(place=place) for name, place in processors.items())


_LINES: dict[str, dict[str, str]] = {
    "ja": {
        Processor.ZOOM: "- Zoom Communications, Inc.（米国）：ウェビナー・ミーティングの提供"
        "（氏名、メールアドレス、参加の記録）",
        Processor.MAIL: "- メール配信の事業者（{place}）：メールの送信"
        "（氏名、メールアドレス、メールの内容）",
        Processor.HOST: "- 申込ページの運用の事業者（{place}）：お申し込みの受付と保管"
        "（お申し込みの情報のすべて）",
    },
    "en": {
        Processor.ZOOM: "- Zoom Communications, Inc. (USA): webinars and meetings "
        "(name, email address, how you took part)",
        Processor.MAIL: "- the company that sends our emails ({place}): "
        "name, email address, what the email says",
        Processor.HOST: "- the company that runs this registration page ({place}): "
        "all that you enter",
    },
}
