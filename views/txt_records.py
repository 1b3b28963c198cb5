"""Asking DNS for TXT records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.mail_records import NotAsked

if TYPE_CHECKING:
    from dns.resolver import Resolver

SECONDS = 2.0


def look_up_txt(name: str, *, resolver: Resolver | None = None) -> list[str] | None:
    """Return the TXT records of a name, each in one piece; None where there is no such name.

    Raises:
        NotAsked: there is no DNS, or it does not answer within two seconds.
    """
    # Imported here: public pages need no DNS, and their processes start sooner without it.
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN, NoAnswer
    from dns.resolver import Resolver as SystemResolver

    try:
        answer = (resolver or SystemResolver()).resolve(name, "TXT", lifetime=SECONDS)
    except NXDOMAIN:
        return None
    except NoAnswer:
        return []
    except (DNSException, OSError) as error:
        raise NotAsked from error
    return [b"".join(row.strings).decode(errors="replace") for row in answer]
