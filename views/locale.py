"""Which language a page is in, and the way to the others."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urlencode

from flask import has_request_context, request
from flask_babel import get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from services.texts import LOCALES

from .site import get_notes, get_request

_NAMES = {"ja": "日本語", "en": "English"}

# Browsers send a tenth of it; reading a very long one takes longer than the page does.
_LONGEST_ACCEPTED = 500


def select_locale() -> str | None:
    """Tell Flask-Babel the language of the answer; outside of requests it has a default."""
    return read_locale() if has_request_context() else None


def _choose_locale() -> str:
    """Take `?lang=`, else what the page knows of its reader, else what the browser asks for."""
    sent, notes = get_request(), get_notes()
    asked = sent.args.get("lang")
    if asked in LOCALES:
        return asked
    known = notes.get("known_locale")
    if known in LOCALES:
        return str(known)
    accepted = match_accepted(sent.headers.get("Accept-Language", ""))
    return accepted or notes.get("default_locale") or LOCALES[0]


def match_accepted(header: str) -> str | None:
    """Return the best of our languages; a long header would take long to read."""
    return _match_accepted(header[:_LONGEST_ACCEPTED])


@lru_cache(maxsize=1024)
def _match_accepted(header: str) -> str | None:
    # Browsers send few different ones.
    return parse_accept_header(header, LanguageAccept).best_match(LOCALES)


def read_locale() -> str:
    """Return the language of this answer, `ja` or `en`; it is chosen once."""
    if not has_request_context():
        return str(get_locale() or LOCALES[0])
    notes = get_notes()
    locale: str | None = notes.get("locale")
    if locale is None:
        locale = notes.locale = _choose_locale()
    return locale


def list_other_languages(here: str) -> list[tuple[str, str]]:
    """Return (locale, name) of each language but one."""
    return [(locale, _NAMES[locale]) for locale in LOCALES if locale != here]


def list_language_links(
    path: str | None = None, *, rest: str | None = None
) -> list[tuple[str, str, str]]:
    """Return (locale, name, address) of this page in each other language.

    `rest` is what follows the language, if that is not what this address has beside it.
    """
    if not request or request.method == "POST":
        return []
    path = path or _quote_path()
    if rest is None:
        asked = request.args.items(multi=True)
        rest = "".join(f"&{urlencode([pair])}" for pair in asked if pair[0] != "lang")
    others = list_other_languages(read_locale())
    return [(locale, name, f"{path}?lang={locale}{rest}") for locale, name in others]


def _quote_path() -> str:
    """Return this page's path; `//host` and `/\\host` would lead away from the site."""
    return "/" + quote(request.path.lstrip("/\\"))
