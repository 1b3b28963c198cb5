"""What tells two email addresses apart."""

from __future__ import annotations


def email_key(address: str) -> str:
    """Return the form of an address by which people are compared: small letters, ASCII domain.

    Neither dots nor `+tag` are folded: which of them matter is the mail host's secret.
    """
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{_to_ascii(domain)}".lower()


_GMAIL = ("gmail.com", "googlemail.com")


def fold_tag(key: str) -> str:
    """Reduce a compared address to its mailbox: without `+tag`, and for Gmail without dots.

    For limits alone, where it does no harm that two people may be counted as one. Gmail ignores
    dots: https://support.google.com/mail/answer/7436150.
    """
    local, at, domain = key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '') or local}@{_GMAIL[0]}"
    return f"{local}{at}{domain}"


def _to_ascii(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:  # no domain at all: it is compared as it stands
        return domain
