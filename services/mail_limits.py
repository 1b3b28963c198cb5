"""How many mails a stranger may cause, and when those go that are too many for a day.

A mailbox gets ten in any 24 hours of what strangers can cause, and three about one registration. A
word about where somebody stands is put off rather than dropped, or goes at once where it would
come after the event has begun, up to twice as many. Half of the ten is for those that
were put off, so that whoever fills somebody's mailbox for days does not mute it for days; and no
more wait than would go in a week, or in three days about one event.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from storage import mails
from storage.arrivals import Mailbox
from storage.mails import Counting

PER_EVENT_A_DAY = 3
PER_ADDRESS_A_DAY = 10
PUT_OFF_A_DAY = 5
MOST_PUT_OFF_AT_EVENT = 3 * PUT_OFF_A_DAY
MOST_PUT_OFF = 7 * PUT_OFF_A_DAY

MAILBOX_FULL = "MailboxFull"
"""Why a mail never goes: too many wait for its mailbox, or it would come after the event."""

DAY = timedelta(days=1)
_NOBODY = 0


def find_time(
    session: Session,
    mailbox: Mailbox,
    *,
    event_id: int,
    registration_id: int = _NOBODY,
    now: datetime,
) -> datetime | None:
    """Find when a mail may go: now, later, or None where too many wait already."""
    counted = _list(session, mailbox)
    at_once = [mail.goes_at for mail in counted if not mail.is_put_off]
    put_off = [mail.goes_at for mail in counted if mail.is_put_off]
    about = [mail.goes_at for mail in counted if mail.registration_id == registration_id]
    most = PER_ADDRESS_A_DAY - PUT_OFF_A_DAY if put_off else PER_ADDRESS_A_DAY
    if len(at_once) < most and len(about) < PER_EVENT_A_DAY:
        return now
    waiting = [mail.event_id for mail in counted if mail.is_put_off and mail.goes_at > now]
    if len(waiting) >= MOST_PUT_OFF or waiting.count(event_id) >= MOST_PUT_OFF_AT_EVENT:
        return None
    return max(
        now,
        _find_free(about, most=PER_EVENT_A_DAY, now=now),
        _find_free(put_off, most=PUT_OFF_A_DAY, now=now),
        _find_free([*at_once, *put_off], most=PER_ADDRESS_A_DAY, now=now),
    )


def has_room_for_urgent(
    session: Session, mailbox: Mailbox, *, registration_id: int, now: datetime
) -> bool:
    """Tell whether a mailbox gets, at once, what would come too late on the day it has room."""
    about, everywhere = count_gone(session, mailbox, registration_id=registration_id, now=now)
    return about < 2 * PER_EVENT_A_DAY and everywhere < 2 * PER_ADDRESS_A_DAY


def count_gone(
    session: Session, mailbox: Mailbox, *, registration_id: int, now: datetime
) -> tuple[int, int]:
    """Count mails that do not wait for another day: about one registration, and all."""
    gone = [mail.registration_id for mail in _list(session, mailbox) if mail.goes_at <= now]
    return gone.count(registration_id), len(gone)


def _list(session: Session, mailbox: Mailbox) -> list[Counting]:
    return mails.list_counting(
        session, mailbox.key, since=mailbox.since, names=mailbox.names, but_for=MAILBOX_FULL
    )


def _find_free(times: Iterable[datetime], *, most: int, now: datetime) -> datetime:
    """Find from when on fewer than `most` of these are of the last day."""
    newest = sorted(times, reverse=True)[:most]
    return newest[-1] + DAY if len(newest) == most else now
