"""Whose address will Zoom show afterwards? An answer for each way into a session.

Since 1 March 2022 Zoom's reports leave out the address of a guest, unless they registered for that
meeting, are named on a calendar integration's invitation, signed in through the host's own
authentication, or are named in its exceptions or in the list of breakout rooms (Zoom's developer
changelog, read 2026-11-22). Since April 2025 a meeting has a switch that shows guests' addresses in
the attendee report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from zoom_client import ApprovalType, Kind, Meeting

from .event_preflight import Mend


class Way(StrEnum):
    """One way in which somebody comes into a session."""

    OUR_FORM = "our_form"
    ZOOM_FORM = "zoom_form"
    FORWARDED_LINK = "forwarded_link"
    CALENDAR = "calendar"
    SIGNED_IN = "signed_in"
    BREAKOUT_LIST = "breakout_list"
    PHONE = "phone"


class Shown(StrEnum):
    """Whether Zoom shows the address of whoever came this way; CLOSED: nobody comes this way."""

    YES = "yes"
    NO = "no"
    SOMETIMES = "sometimes"
    CLOSED = "closed"


@dataclass(frozen=True)
class Answer:
    """`mend` is the one-press change that would improve the answer, if there is one."""

    way: Way
    shown: Shown
    mend: Mend | None = None


def list_answers(meeting: Meeting) -> list[Answer]:
    """Answer for every way that this kind of session has."""
    return list(_answer(meeting))


def _answer(meeting: Meeting) -> Iterator[Answer]:
    settings = meeting.settings
    has_registration = meeting.approval_type != ApprovalType.NONE
    shows_guests = settings.get("email_in_attendee_report") is True
    switch = None if shows_guests or meeting.kind is Kind.WEBINAR else Mend.SHOW_ADDRESSES
    if has_registration:
        yield Answer(Way.OUR_FORM, Shown.YES)
    else:
        yield Answer(Way.OUR_FORM, Shown.NO, Mend.OUR_FORM_ALONE)
    if meeting.approval_type == ApprovalType.AUTOMATIC:
        yield Answer(Way.ZOOM_FORM, Shown.YES, Mend.OUR_FORM_ALONE)
    else:
        yield Answer(Way.ZOOM_FORM, Shown.CLOSED)
    yield Answer(Way.FORWARDED_LINK, Shown.NO)
    is_integrated = settings.get("calendar_type") in (1, 2)
    yield Answer(Way.CALENDAR, Shown.SOMETIMES if is_integrated else Shown.NO)
    asks_to_sign_in = settings.get("meeting_authentication") is True
    is_seen = asks_to_sign_in or shows_guests
    yield Answer(Way.SIGNED_IN, Shown.SOMETIMES if is_seen else Shown.NO, switch)
    if meeting.kind is Kind.MEETING:
        rooms = settings.get("breakout_room")
        is_listed = isinstance(rooms, dict) and any(
            room.get("participants") for room in rooms.get("rooms") or ()
        )
        yield Answer(Way.BREAKOUT_LIST, Shown.YES if is_listed else Shown.NO)
    yield Answer(Way.PHONE, Shown.SOMETIMES if meeting.kind is Kind.MEETING else Shown.NO)
