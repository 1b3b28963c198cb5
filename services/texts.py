"""Texts in several languages: a mapping from locale to text."""

from __future__ import annotations

from collections.abc import Mapping

Text = Mapping[str, str]
"""`{"ja": "…", "en": "…"}`; a missing locale falls back to the others."""

LOCALES = ("ja", "en")


def localize(text: Text, locale: str) -> str:
    """Return the text in a locale, else in the first one that has it, else an empty string."""
    if chosen := text.get(locale):
        return chosen
    return next((text[other] for other in LOCALES if text.get(other)), "")
