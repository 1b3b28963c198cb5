"""The values that go to Zoom and come back: plain, typed, immutable.

Times are aware UTC, durations minutes, but for those named seconds. What is personal or opens a
room stays out of every repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any


class Kind(StrEnum):
    """Zoom keeps two like families of calls; an id belongs to one of them."""

    MEETING = "meeting"
    WEBINAR = "webinar"


class ApprovalType(IntEnum):
    """Zoom's numbers for who lets a registrant in; NONE means that registration is off."""

    AUTOMATIC = 0
    MANUAL = 1
    NONE = 2


class RegistrantStatus(StrEnum):
    """There is no "cancelled": Zoom lists cancelled people as denied."""

    APPROVED = "approved"
    PENDING = "pending"
    DENIED = "denied"


ALL_STATUSES = tuple(RegistrantStatus)


class RegistrantAction(StrEnum):
    """What can be done to a registrant; nothing leads back to pending."""

    APPROVE = "approve"
    CANCEL = "cancel"
    DENY = "deny"


@dataclass(frozen=True)
class Occurrence:
    """One date of a recurring meeting; `status` is available or deleted."""

    id: str
    start_time: datetime | None
    duration_minutes: int | None
    status: str


@dataclass(frozen=True)
class MeetingSummary:
    """A meeting or webinar as the list of a host shows it."""

    kind: Kind
    id: int
    uuid: str
    topic: str
    type: int
    start_time: datetime | None
    duration_minutes: int | None
    timezone: str
    host_id: str


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """A meeting or webinar.

    `type`: meetings 1 instant, 2 scheduled, 3 recurring without and 8 with fixed time, 10 screen
    share; webinars 5 scheduled, 6 recurring without and 9 with fixed time. `start_time` is None
    where there is none. `settings` is Zoom's own object, unread. The host's start link, which is
    a login, is not kept.
    """

    kind: Kind
    id: int
    uuid: str
    topic: str
    type: int
    agenda: str = ""
    start_time: datetime | None = None
    duration_minutes: int | None = None
    timezone: str = ""
    status: str = ""
    host_id: str = ""
    host_email: str = field(default="", repr=False)
    approval_type: int = ApprovalType.NONE
    registration_type: int | None = None
    registrants_confirmation_email: bool | None = None
    registrants_email_notification: bool | None = None
    close_registration: bool | None = None
    registration_url: str | None = field(default=None, repr=False)
    join_url: str | None = field(default=None, repr=False)
    occurrences: tuple[Occurrence, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_recurring_webinar(self) -> bool:
        return self.type == 9

    @property
    def is_series(self) -> bool:
        """Whether it has dates; one without a fixed time has none."""
        return self.type in (8, 9)

    @property
    def has_fixed_time(self) -> bool:
        return self.type in (2, 8, 5, 9)


@dataclass(frozen=True, kw_only=True)
class _Editable:
    agenda: str | None = None
    start_time: datetime | None = None
    duration_minutes: int | None = None
    timezone: str | None = None
    password: str | None = field(default=None, repr=False)
    approval_type: ApprovalType | None = None
    registration_type: int | None = None
    registrants_confirmation_email: bool | None = None
    registrants_email_notification: bool | None = None
    close_registration: bool | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class MeetingDraft(_Editable):
    """A meeting or webinar to create, with one date.

    Zoom moves a missing or past `start_time` to now. `settings` holds further settings by Zoom's
    names; the named ones win over it. Without a `password` Zoom makes one.
    """

    topic: str


@dataclass(frozen=True, kw_only=True)
class MeetingPatch(_Editable):
    """Changes to a meeting or webinar, as in MeetingDraft; None leaves a value as it is."""

    topic: str | None = None


@dataclass(frozen=True)
class NewRegistrant:
    """A person to register. Empty fields are not sent.

    Zoom has been seen to ask for the last name that its description calls optional: give one.
    `custom_questions` maps the title of a question of the meeting, letter for letter, to the
    answer. `source_id` (a tracking source) is sent for webinars only. Limits stand in `limits`.
    """

    email: str = field(repr=False)
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    address: str = field(default="", repr=False, kw_only=True)
    city: str = field(default="", repr=False, kw_only=True)
    state: str = field(default="", repr=False, kw_only=True)
    zip: str = field(default="", repr=False, kw_only=True)
    country: str = field(default="", repr=False, kw_only=True)
    phone: str = field(default="", repr=False, kw_only=True)
    comments: str = field(default="", repr=False, kw_only=True)
    industry: str = field(default="", repr=False, kw_only=True)
    job_title: str = field(default="", repr=False, kw_only=True)
    org: str = field(default="", repr=False, kw_only=True)
    no_of_employees: str = field(default="", repr=False, kw_only=True)
    purchasing_time_frame: str = field(default="", repr=False, kw_only=True)
    role_in_purchase_process: str = field(default="", repr=False, kw_only=True)
    custom_questions: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)
    language: str = field(default="", kw_only=True)
    source_id: str = field(default="", kw_only=True)


@dataclass(frozen=True, kw_only=True)
class AddedRegistrant:
    """Zoom's answer to an add. `join_url` is None while the person waits for approval.

    The pin code, for meetings, lets somebody in who joins by phone; `share_url` is a webinar's form
    with the person as the source.

    `meeting_id` and `email` are what Zoom says it registered, None where it says nothing: compare
    them with what was asked before handing the link to anybody. Meetings tell no `status`.
    """

    registrant_id: str
    meeting_id: int | None = None
    join_url: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    topic: str = ""
    start_time: datetime | None = None
    status: RegistrantStatus | None = None
    occurrences: tuple[Occurrence, ...] = ()
    participant_pin_code: int | None = field(default=None, repr=False)
    share_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Registrant:
    """A person in Zoom's list; only approved ones have a `join_url`."""

    id: str
    email: str = field(repr=False)
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    status: RegistrantStatus
    join_url: str | None = field(default=None, repr=False)
    create_time: datetime | None = None
    custom_questions: Mapping[str, str] = field(default_factory=dict, repr=False)
    participant_pin_code: int | None = field(default=None, repr=False)
    share_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RegistrantRef:
    """Who a status change is for. A wrong `id` beside a right address changes nothing."""

    id: str
    email: str = field(repr=False)


@dataclass(frozen=True)
class StandardQuestion:
    """One of Zoom's own fields shown on its form; e-mail and first name always are."""

    field_name: str
    required: bool = False


@dataclass(frozen=True)
class CustomQuestion:
    """A question of the meeting's own, known by its title.

    `type`: meetings short, single; webinars short, single_radio, single_dropdown, multiple.
    """

    title: str
    type: str = "short"
    required: bool = False
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Questions:
    """Everything Zoom's form of one meeting asks."""

    standard: tuple[StandardQuestion, ...] = ()
    custom: tuple[CustomQuestion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class User:
    """A Zoom user. `type`: 1 basic, 2 licensed, 4 unassigned, 99 none."""

    id: str
    email: str = field(repr=False)
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    type: int
    timezone: str = ""
    language: str = ""
    account_id: str = ""

    @property
    def is_licensed(self) -> bool:
        return self.type == 2


@dataclass(frozen=True)
class Instance:
    """One time a meeting or webinar was held; every start makes a `uuid` of its own."""

    uuid: str
    started_at: datetime


@dataclass(frozen=True)
class Participant:
    """One stay of somebody in one instance: who leaves and comes again has two.

    `registrant_id` is known of those who came by their personal link. `email` is there for users of
    the account and for who registered with it; Zoom hides those of other guests. `seconds` is
    Zoom's own count, 0 until it has made it. A stay in a breakout room, whose id is
    `breakout_room`, lies within another.
    """

    registrant_id: str | None
    email: str | None = field(repr=False)
    name: str = field(repr=False)
    joined_at: datetime
    left_at: datetime | None
    seconds: int
    was_waiting: bool
    breakout_room: str | None

    @property
    def is_ready(self) -> bool:
        """Whether Zoom has finished this row; it says a duration of 0 until then."""
        return self.left_at is not None and (self.seconds > 0 or self.left_at <= self.joined_at)
