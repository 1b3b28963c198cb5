"""What the sandbox remembers: users, meetings (webinars too), registrants, and what was held."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from zoom_sandbox.clock import parse_time

NO_FIXED_TIME = (3, 6)
RECURRING = (8, 9)
UNREADY = ("zeros", "part", "missing")


def email_key(address: str) -> str:
    """Make addresses comparable: Zoom ignores case."""
    return address.strip().casefold()


def read_meeting_id(text: str) -> int | None:
    """Read the number in a path; None for a UUID or whatever else stands there."""
    return int(text) if re.fullmatch("[0-9]{1,19}", text) else None


@dataclass
class User:
    """A Zoom account holder. `type` is Zoom's: 1 basic, 2 licensed."""

    id: str
    email: str
    display_name: str
    type: int = 2
    has_webinars: bool = True
    timezone: str = "Asia/Tokyo"


@dataclass
class Meeting:
    """A meeting or webinar.

    `details` and `settings` are kept in Zoom's own words and shapes, the way they are answered;
    `start_time` in `details` is always UTC.
    """

    id: int
    uuid: str
    kind: str
    host_id: str
    created_at: str
    details: dict[str, Any]
    settings: dict[str, Any]
    occurrences: list[dict[str, Any]] = field(default_factory=list)
    questions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    capacity: int = 4999

    @property
    def type(self) -> int:
        return int(self.details["type"])

    @property
    def has_registration(self) -> bool:
        return bool(self.settings["approval_type"] != 2)

    @property
    def starts_at(self) -> datetime | None:
        start_time = self.details.get("start_time")
        return parse_time(start_time) if start_time else None

    @property
    def ends_at(self) -> datetime | None:
        """Tell when the last date is over; None where there is no fixed time."""
        if self.type in NO_FIXED_TIME:
            return None
        dates = [o for o in self.occurrences if o["status"] == "available"] or [self.details]
        last = max(dates, key=lambda date: str(date["start_time"]))
        return parse_time(last["start_time"]) + timedelta(minutes=last["duration"])

    def list_dates(self, registrant: "Registrant") -> list[str]:
        """List the dates that are still held and to which somebody comes."""
        held = (o["occurrence_id"] for o in self.occurrences if o["status"] == "available")
        return [occurrence_id for occurrence_id in held if registrant.comes_to(occurrence_id)]

    @property
    def seats(self) -> int:
        return min(self.capacity, self.settings.get("registrants_restrict_number") or self.capacity)

    @property
    def embedded_passcode(self) -> str:
        """Derive the `pwd` of links: a new passcode makes links handed out before stale."""
        secret = f"{self.id}:{self.details.get('password', '')}"
        return hashlib.sha256(secret.encode()).hexdigest()[:24]

    @property
    def alternative_hosts(self) -> set[str]:
        separator = ";" if self.kind == "meeting" else ","
        listed = self.settings.get("alternative_hosts", "").split(separator)
        return {email_key(address) for address in listed if address.strip()}


@dataclass
class Registrant:
    """Somebody registered for one meeting; `token` is the secret of the personal link.

    Without `occurrence_ids` they come to every date; `statuses` holds the dates on which theirs
    is another than `status`.
    """

    id: str
    meeting_id: int
    email: str
    profile: dict[str, Any]
    status: str
    token: str
    pin_code: int
    created_at: str
    occurrence_ids: list[str] = field(default_factory=list)
    source_id: str = ""
    statuses: dict[str, str] = field(default_factory=dict)

    def comes_to(self, occurrence_id: str) -> bool:
        return not self.occurrence_ids or occurrence_id in self.occurrence_ids

    def on_date(self, occurrence_id: str) -> "Registrant":
        """Return the person as one date sees them; no date is all of them."""
        return replace(self, status=self.statuses.get(occurrence_id, self.status))

    @property
    def name(self) -> str:
        parts = (self.profile["first_name"], self.profile.get("last_name"))
        return " ".join(part for part in parts if part)


@dataclass
class Stay:
    """Somebody came in and left; who comes again has another, with another `user_id`."""

    user_id: str
    name: str
    joined_at: str
    left_at: str
    registrant_id: str = ""
    email: str = ""
    is_waiting: bool = False
    room: str = ""

    @property
    def person(self) -> str:
        return self.registrant_id or self.email or self.name


@dataclass
class Instance:
    """One time a meeting was held; it has its own UUID.

    Until `ready_at` Zoom is `unready`: it answers every stay with a duration of 0 (`zeros`), leaves
    out half of them (`part`), or does not know the instance at all (`missing`).
    """

    uuid: str
    meeting_id: int
    kind: str
    started_at: str
    ended_at: str
    ready_at: str
    unready: str
    stays: list[Stay]

    def __post_init__(self) -> None:
        # A file brings them back as plain records.
        self.stays = [stay if isinstance(stay, Stay) else Stay(**stay) for stay in self.stays]
