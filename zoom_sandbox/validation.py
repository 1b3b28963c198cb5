"""Checks for bodies and queries, built from small parts.

A check is called with a value and the name of its field, and yields what is wrong. Zoom itself
ignores keys it does not know; the sandbox refuses them, so that a typo shows in a test.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from zoom_sandbox.answers import FieldError
from zoom_sandbox.clock import parse_time

Check = Callable[[Any, str], Iterator[FieldError]]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIMEZONES = available_timezones()


def text(longest: int | None = None) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if not isinstance(value, str):
            yield FieldError(field, "Must be a string.")
        elif longest is not None and len(value) > longest:
            yield FieldError(field, f"Cannot be longer than {longest} characters.")

    return check


def filled(check_text: Check) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        yield from check_text(value, field)
        if value == "":
            yield FieldError(field, "Cannot be empty.")

    return check


def matching(allowed: Callable[[str], Any], message: str) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if not isinstance(value, str):
            yield FieldError(field, "Must be a string.")
        elif not allowed(value):
            yield FieldError(field, message)

    return check


def email() -> Check:
    def is_email(value: str) -> bool:
        return len(value) <= 128 and _EMAIL.fullmatch(value) is not None

    return matching(is_email, "Invalid email address.")


def country() -> Check:
    return matching(
        lambda value: value == "" or re.fullmatch("[A-Za-z]{2}", value),
        "Must be a two-letter country code.",
    )


def timezone() -> Check:
    return matching(_TIMEZONES.__contains__, "Invalid timezone.")


def time() -> Check:
    def is_time(value: str) -> bool:
        try:
            # Later additions of days and zones stay within what a datetime can hold.
            is_near = 1970 <= parse_time(value).year <= 2200
        except (ValueError, OverflowError):
            return False
        return is_near and "T" in value

    return matching(is_time, "Must be a time like 2026-12-01T10:00:00Z.")


def day() -> Check:
    def is_day(value: str) -> bool:
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
        return len(value) == 10

    return matching(is_day, "Must be a day like 2026-12-01.")


def number(least: int | None = None, most: int | None = None) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield FieldError(field, "Must be an integer.")
        elif (least is not None and value < least) or (most is not None and value > most):
            yield FieldError(field, f"Must be between {least} and {most}.")

    return check


def flag() -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if not isinstance(value, bool):
            yield FieldError(field, "Must be true or false.")

    return check


def choice(*allowed: Any) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if isinstance(value, bool) or value not in allowed:
            yield FieldError(field, "Must be one of: " + ", ".join(map(str, allowed)) + ".")

    return check


def each(check_item: Check, *, most: int | None = None, least: int = 0) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if not isinstance(value, list):
            yield FieldError(field, "Must be an array.")
        elif len(value) < least or (most is not None and len(value) > most):
            yield FieldError(field, f"Must have {least} to {most} entries.")
        else:
            for position, item in enumerate(value):
                yield from check_item(item, f"{field}[{position}]")

    return check


def record(
    parts: Mapping[str, Check], *, required: Iterable[str] = (), open_ended: bool = False
) -> Check:
    def check(value: Any, field: str) -> Iterator[FieldError]:
        if not isinstance(value, dict):
            yield FieldError(field, "Must be an object.")
            return
        prefix = f"{field}." if field else ""
        for name in required:
            if name not in value:
                yield FieldError(prefix + name, "Required.")
        for name, part in value.items():
            if name in parts:
                yield from parts[name](part, prefix + name)
            elif not open_ended:
                yield FieldError(prefix + name, "Unknown field.")

    return check


def digits(least: int, most: int) -> Check:
    """Check a whole number in a query, where everything arrives as text."""
    return matching(
        lambda value: re.fullmatch("[0-9]{1,9}", value) and least <= int(value) <= most,
        f"Must be between {least} and {most}.",
    )
