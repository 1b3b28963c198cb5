"""What stands between an event and its people at Zoom, read back from there, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from zoom_client import (
    ApprovalType,
    HostNotAllowed,
    Kind,
    Meeting,
    MeetingNotFound,
    MeetingPatch,
    Questions,
    ScopeMissing,
    User,
    WrongKind,
    ZoomClient,
)

from .zoom_setup import (
    Wishes,
    find_start,
    get_registration_type,
    has_date,
    make_patch,
    read_questions_at_zoom,
    require_nothing,
)


class Obstacle(StrEnum):
    """One thing at Zoom that is not as an event needs it."""

    GONE = "gone"
    SERIES_GONE = "series_gone"
    OTHER_KIND = "other_kind"
    PERSONAL_ID = "personal_id"
    NO_FIXED_TIME = "no_fixed_time"
    PAST = "past"
    OTHER_TIME = "other_time"
    REGISTRATION_OFF = "registration_off"
    ZOOM_FORM_OPEN = "zoom_form_open"
    RECURRING_WEBINAR = "recurring_webinar"
    OTHER_DATES = "other_dates"
    FIELDS_REQUIRED = "fields_required"
    ZOOM_MAILS = "zoom_mails"
    NO_ZOOM_MAILS = "no_zoom_mails"
    TWO_CONFIRMATIONS = "two_confirmations"
    SIGN_IN_NEEDED = "sign_in_needed"
    HOST_UNLICENSED = "host_unlicensed"
    NO_WEBINAR_ADDON = "no_webinar_addon"
    ALTERNATIVE_HOSTS = "alternative_hosts"


class Weight(StrEnum):
    """How much an obstacle matters."""

    STOPS = "stops"
    PUBLISHING_MENDS = "publishing_mends"
    WORTH_KNOWING = "worth_knowing"


class Mend(StrEnum):
    """What one press does: at Zoom, and the last two here too."""

    OUR_FORM_ALONE = "our_form_alone"
    REQUIRE_NOTHING = "require_nothing"
    OWN_ID = "own_id"
    NO_SIGN_IN = "no_sign_in"
    SHOW_ADDRESSES = "show_addresses"
    TAKE_TIME = "take_time"
    CREATE_AGAIN = "create_again"


@dataclass(frozen=True)
class Finding:
    """An obstacle with what it is about: names of fields, addresses, how many."""

    obstacle: Obstacle
    weight: Weight
    mend: Mend | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preflight:
    """All that was found; `meeting` is None where Zoom has none."""

    meeting: Meeting | None
    findings: tuple[Finding, ...]

    @property
    def stops(self) -> bool:
        return any(finding.weight is Weight.STOPS for finding in self.findings)


def look_at_zoom(
    client: ZoomClient,
    kind: Kind,
    zoom_id: int,
    *,
    starts_at: datetime,
    wishes: Wishes,
    is_series: bool,
    now: datetime,
) -> Preflight:
    """Read a meeting, its questions and its host, and say what stands in the way.

    Raises:
        ZoomError: Zoom could not be asked. A scope that only the host's licence needs may lack.
    """
    try:
        meeting = client.get_meeting(kind, zoom_id)
    except MeetingNotFound:
        gone = Finding(Obstacle.GONE, Weight.STOPS, Mend.CREATE_AGAIN)
        return Preflight(
            None, (Finding(Obstacle.SERIES_GONE, Weight.STOPS) if is_series else gone,)
        )
    except WrongKind:
        return Preflight(None, (Finding(Obstacle.OTHER_KIND, Weight.STOPS),))
    questions = read_questions_at_zoom(client, kind, zoom_id)
    host = _read_host(client, meeting)
    findings = (
        *_look_at_time(meeting, starts_at, now),
        *_look_at_registration(meeting, questions, wishes),
        *_look_at_access(meeting, host),
        *_look_at_addon(client, meeting),
    )
    return Preflight(meeting, findings)


def mend_at_zoom(
    client: ZoomClient, kind: Kind, zoom_id: int, mend: Mend, *, wishes: Wishes
) -> None:
    """Change at Zoom what an obstacle needs; look again to see whether Zoom kept it.

    Raises:
        ZoomError: Zoom could not be asked, or refuses.
        ValueError: this obstacle is not mended at Zoom.
    """
    if mend is Mend.REQUIRE_NOTHING:
        client.update_questions(kind, zoom_id, require_nothing(client.get_questions(kind, zoom_id)))
        return
    meeting = client.get_meeting(kind, zoom_id)
    patches = {**_PATCHES, Mend.OUR_FORM_ALONE: make_patch(meeting, wishes)}
    if mend not in patches:
        raise ValueError(f"{mend} is not mended at Zoom")
    client.update_meeting(kind, zoom_id, patches[mend], host=meeting.host_id)


_PATCHES = {
    Mend.OWN_ID: MeetingPatch(settings={"use_pmi": False}),
    Mend.NO_SIGN_IN: MeetingPatch(settings={"meeting_authentication": False}),
    Mend.SHOW_ADDRESSES: MeetingPatch(settings={"email_in_attendee_report": True}),
}


def list_alternative_hosts(meeting: Meeting) -> tuple[str, ...]:
    """List their addresses; Zoom parts them by a comma at webinars, by a semicolon at meetings."""
    listed = meeting.settings.get("alternative_hosts")
    texts = str(listed or "").replace(";", ",").split(",")
    return tuple(text.strip() for text in texts if text.strip())


def _read_host(client: ZoomClient, meeting: Meeting) -> User | None:
    try:
        return client.get_user(meeting.host_id) if meeting.host_id else None
    except ScopeMissing:
        return None


def _look_at_time(meeting: Meeting, starts_at: datetime, now: datetime) -> Iterator[Finding]:
    if not meeting.has_fixed_time:
        yield Finding(Obstacle.NO_FIXED_TIME, Weight.STOPS)
    elif find_start(meeting, now) is None:
        yield Finding(Obstacle.PAST, Weight.STOPS)
    elif not meeting.occurrences and not has_date(meeting, starts_at):
        yield Finding(Obstacle.OTHER_TIME, Weight.STOPS, Mend.TAKE_TIME)


def _look_at_registration(
    meeting: Meeting, questions: Questions, wishes: Wishes
) -> Iterator[Finding]:
    is_mended = Weight.PUBLISHING_MENDS
    ours = Mend.OUR_FORM_ALONE
    if meeting.settings.get("use_pmi") is True:
        yield Finding(Obstacle.PERSONAL_ID, Weight.STOPS, Mend.OWN_ID)
    elif meeting.is_recurring_webinar and meeting.approval_type != ApprovalType.MANUAL:
        yield Finding(Obstacle.RECURRING_WEBINAR, Weight.STOPS)
    elif meeting.approval_type == ApprovalType.NONE:
        yield Finding(Obstacle.REGISTRATION_OFF, is_mended, ours)
    elif meeting.approval_type != ApprovalType.MANUAL:
        yield Finding(Obstacle.ZOOM_FORM_OPEN, is_mended, ours)
    if meeting.occurrences and meeting.registration_type != get_registration_type(wishes):
        yield Finding(Obstacle.OTHER_DATES, is_mended, ours)
    required = [question.field_name for question in questions.standard if question.required]
    required += [question.title for question in questions.custom if question.required]
    if required:
        yield Finding(Obstacle.FIELDS_REQUIRED, is_mended, Mend.REQUIRE_NOTHING, tuple(required))
    mails = (meeting.registrants_confirmation_email, meeting.registrants_email_notification)
    keeps = wishes.keeps_mails
    if meeting.approval_type != ApprovalType.NONE and mails != (keeps, keeps):
        yield Finding(Obstacle.NO_ZOOM_MAILS if keeps else Obstacle.ZOOM_MAILS, is_mended, ours)
    if keeps:
        yield Finding(Obstacle.TWO_CONFIRMATIONS, Weight.WORTH_KNOWING)


def _look_at_addon(client: ZoomClient, meeting: Meeting) -> Iterator[Finding]:
    """Have the host's webinars listed: Zoom refuses that where the add-on is missing."""
    if meeting.kind is not Kind.WEBINAR or not meeting.host_id:
        return
    try:
        next(client.list_meetings(Kind.WEBINAR, meeting.host_id), None)
    except HostNotAllowed:
        about = (meeting.host_email,) if meeting.host_email else ()
        yield Finding(Obstacle.NO_WEBINAR_ADDON, Weight.STOPS, None, about)
    except ScopeMissing:
        return


def _look_at_access(meeting: Meeting, host: User | None) -> Iterator[Finding]:
    if meeting.settings.get("meeting_authentication") is True:
        profile = str(meeting.settings.get("authentication_name") or "")
        about = (profile,) if profile else ()
        yield Finding(Obstacle.SIGN_IN_NEEDED, Weight.WORTH_KNOWING, Mend.NO_SIGN_IN, about)
    if host is not None and not host.is_licensed:
        yield Finding(Obstacle.HOST_UNLICENSED, Weight.STOPS, None, (host.email,))
    if addresses := list_alternative_hosts(meeting):
        yield Finding(Obstacle.ALTERNATIVE_HOSTS, Weight.WORTH_KNOWING, None, addresses)
