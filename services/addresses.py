"""What tells two email addresses apart."""

from __future__ import annotations


def email_key(address: str) -> str:
    """Return the form of an address by which people are compared: small letters, ASCII domain.

    Neither dots nor `+tag` are folded: which of them matter is the mail host's secret.
    """
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{_to_ascii(domain)}".lower()


def fold_tag(key: str) -> str:
    """Return an address without its `+tag`: what is surely one mailbox at most hosts.

    For limits alone, where it does no harm that two people may be counted as one.
    """
    local, at, domain = key.rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def _to_ascii(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:  # no domain at all: it is compared as it stands
        return domain
