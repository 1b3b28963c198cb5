"""Which language a page is in, and the way to the others."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from flask import g, request
from flask_babel import get_locale
from werkzeug.datastructures import MultiDict

from services.texts import LOCALES

_NAMES = {"ja": "日本語", "en": "English"}


def choose_locale() -> str:
    """Take `?lang=`, else what the page knows of its reader, else what the browser asks for."""
    if not request:
        return LOCALES[0]
    asked = request.args.get("lang")
    if asked in LOCALES:
        return asked
    known = g.get("known_locale")
    if known in LOCALES:
        return str(known)
    return request.accept_languages.best_match(LOCALES) or g.get("default_locale") or LOCALES[0]


def read_locale() -> str:
    """Return the language of this answer, `ja` or `en`."""
    return str(get_locale() or LOCALES[0])


def list_language_links(path: str | None = None) -> list[tuple[str, str, str]]:
    """Return (locale, name, address) of this page in each other language."""
    if not request or request.method == "POST":
        return []
    here, path = read_locale(), path or _quote_path()
    links = []
    for locale in LOCALES:
        if locale != here:
            query = MultiDict(request.args)
            query["lang"] = locale
            links.append(
                (
                    locale,
                    _NAMES[locale],
                    f"{path}?{urlencode(list(query.items(multi=True)))}",
                )
            )
    return links


def _quote_path() -> str:
    """Return this page's path; `//host` and `/\\host` would lead away from the site."""
    return "/" + quote(request.path.lstrip("/\\"))
