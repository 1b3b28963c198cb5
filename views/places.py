"""Names of prefectures and countries for pages and exports."""

from __future__ import annotations

from functools import cache

from forms.countries import list_country_groups
from forms.prefectures import list_prefecture_groups
from services.questions import QuestionKind


def name_place(kind: QuestionKind, code: str, locale: str) -> str:
    """Return the name of a code such as `JP-13` or `JP`; an unknown code is its own name."""
    return _list_names(kind, locale).get(code, code)


@cache
def _list_names(kind: QuestionKind, locale: str) -> dict[str, str]:
    groups = (
        list_prefecture_groups(locale)
        if kind is QuestionKind.PREFECTURE
        else list_country_groups(locale)
    )
    return {option.value: option.label for group in groups for option in group.options}
