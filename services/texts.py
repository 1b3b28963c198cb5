"""Texts by language: a mapping from locale to text, and names in the order of a language."""

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


def write_full_name(family_name: str, given_name: str, locale: str) -> str:
    """Join a name in the order of the language."""
    parts = (family_name, given_name) if locale == "ja" else (given_name, family_name)
    return " ".join(part for part in parts if part)
