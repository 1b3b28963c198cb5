"""Writing one mail: what it says, to whom, and whether it still should be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import urlsplit

from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from config import Settings
from services import zoom_closings
from services.calendar_entries import (
    CalendarOwner,
    make_calendar_entries,
    make_dropped_entries,
)
from services.calendars import CalendarEntry
from services.chosen_dates import read_people_dates
from services.codes import make_code
from services.coming_back import can_come_back, takes_people
from services.consents import list_present_consents
from services.deliveries import Delivery
from services.event_views import view_mail_event
from services.events import LinkPolicy, read_link_policy
from services.joining import may_be_changed
from services.keys import KeyRing
from services.links import Links
from services.mails import CALENDAR_METHODS, MailName, holds_for_event
from services.messages import Attachment, MailContext, attach_calendar, compose_message
from services.questions import ConsentKind
from services.registration_changes import had_link, is_by_organizer
from services.registrations import Status
from services.submissions import Surface
from services.texts import write_full_name
from services.waits import Wait, read_wait, write_opening
from storage import events, organizations, submissions, zoom_registrants
from storage.models import Event, Mail, Registration, SubmissionRow, ZoomRegistrant

from .mail_rendering import render_mail
from .new_requests import find_new_request, make_context
from .standings import write_no_date, write_standing

_REASONS = {
    "HostCannotRegister": lazy_gettext(
        "You host this event, so Zoom lets you in from your own Zoom account."
    ),
    "AlreadyPanelist": lazy_gettext(
        "You are a panelist of this event. Zoom has sent you a link of its own."
    ),
    "WorkEmailRequired": lazy_gettext("Zoom asks for the work address that was invited."),
    "ZoomAccountRequired": lazy_gettext("Zoom asks for an address that has a Zoom account."),
    "ValidationFailed": lazy_gettext("Zoom does not take this e-mail address or name."),
    "AtCapacity": lazy_gettext(
        "Every place at Zoom is taken. If one becomes free, we will register you and email you."
    ),
    "MeetingOver": lazy_gettext("Zoom has closed the registration for this event."),
}
"""What `deliveries` calls a problem, for the person whom it concerns."""


_DROPPING = (MailName.DATES, MailName.CANCELLED, MailName.DENIED, MailName.EVENT_CANCELLED)
"""What may be the first word of dates that were given up: what tells of them alone is dropped."""


@dataclass(frozen=True)
class Letter:
    """One mail with all that its text is made from, detached from the transaction."""

    mail: Mail
    registration: Registration
    event: Event
    context: MailContext
    sender_name: str
    reply_to: str | None
    entries: tuple[CalendarEntry, ...]
    dropped: tuple[CalendarEntry, ...] = ()


@dataclass(frozen=True)
class _WayIn:
    """What leads a person in; without a place, or a date that is ahead, nothing does."""

    join_url: str | None = None
    wait: Wait | None = None
    is_refused: bool = False
    problem: str | None = None
    needs_help: bool = False

    @property
    def is_too_late(self) -> bool:
        return self.wait is not None and self.wait.is_too_late


class LetterWriter:
    """Gathers and composes letters; composing needs an application context for its templates."""

    def __init__(self, settings: Settings, links: Links, keys: KeyRing) -> None:
        self._settings = settings
        self._sender_domain = settings.sender.rpartition("@")[2]
        self._links = links
        self._keys = keys

    def gather(
        self, session: Session, mail: Mail, registration: Registration, *, now: datetime
    ) -> Letter:
        """Read what a mail is about. Side effects: a code's 15 minutes begin now."""
        event = events.need_event(session, mail.event_id)
        organization = organizations.need_organization(session, event.organization_id)
        context = self._read_context(session, mail, registration, event, now)
        host = urlsplit(self._settings.site_url).hostname or "localhost"
        owner = CalendarOwner(registration, host, mail.locale, context.join_url)
        return Letter(
            mail=mail,
            registration=registration,
            event=event,
            context=context,
            sender_name=organization.name,
            reply_to=organization.contact_email or None,
            entries=make_calendar_entries(session, event, owner),
            dropped=(make_dropped_entries(session, event, owner) if mail.name in _DROPPING else ()),
        )

    def compose(self, letter: Letter) -> EmailMessage:
        """Write the message.

        Raises:
            MessageRefused: an address cannot stand in a header.
        """
        mail = letter.mail
        content = render_mail(mail.name, letter.context, mail.locale, self._attach(letter))
        return compose_message(
            content,
            sender=Address(addr_spec=self._settings.sender),
            sender_name=letter.sender_name,
            recipient=letter.registration.email,
            message_id=mail.message_id,
            locale=mail.locale,
            reply_to=letter.reply_to,
            date=mail.goes_at,
        )

    def _read_context(
        self, session: Session, mail: Mail, registration: Registration, event: Event, now: datetime
    ) -> MailContext:
        if sent := find_new_request(session, mail, registration):
            domain = self._sender_domain
            return make_context(session, event, sent, locale=mail.locale, domain=domain, now=now)
        submission = None
        if mail.submission_id is not None:
            submission = submissions.get_submission(session, mail.submission_id)
        code = None
        if submission and read_link_policy(session, event) is LinkPolicy.CODE:
            code = self._start_code(submission, now)
        return self._make_context(
            session, mail, registration, submission, event, code=code, now=now
        )

    def _make_context(
        self,
        session: Session,
        mail: Mail,
        registration: Registration,
        submission: SubmissionRow | None,
        event: Event,
        *,
        code: str | None,
        now: datetime,
    ) -> MailContext:
        personal_url = self._links.personal_from_mail(registration)
        registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
        repeat = submission if mail.name == MailName.REPEAT else None
        created = submissions.get_creating_submission(session, registration.id)
        dates = read_people_dates(session, event, registration) if event.dates else ()
        no_date = write_no_date(session, event, registration, dates, now=now)
        is_coming = registration.status == Status.APPROVED and not no_date
        way = self._find_way_in(session, event, registration, now=now) if is_coming else _WayIn()
        standing = write_standing(session, event, registration, no_date=no_date, now=now)
        return MailContext(
            event=view_mail_event(session, event, mail.locale, dates=dates, now=now),
            sender_domain=self._sender_domain,
            greeting_name=write_full_name(
                registration.family_name, registration.given_name, mail.locale
            ),
            number=created.number if created else "",
            join_url=way.join_url,
            is_link_ready=registrant is not None and registrant.join_url is not None,
            opens_text=write_opening(way.wait, event.timezone, mail.locale),
            is_too_late=way.is_too_late,
            needs_help=way.needs_help,
            has_fallback=way.needs_help and bool(event.fallback_url),
            personal_url=personal_url,
            code=code,
            # Still lazy: its language is that of the mail, which is set when it is drawn.
            reason=_REASONS.get(way.problem, "") if way.problem else "",
            standing=standing if _tells_standing(mail, way) else "",
            no_date=no_date,
            proposal_url=(
                f"{personal_url}/answers/{repeat.public_id}"
                if repeat and may_be_changed(event, registration, now=now)
                else None
            ),
            again_url=self._find_way_back(session, event, registration, way, now=now),
            is_by_organizer=is_by_organizer(session, registration),
            had_link=had_link(session, registration),
            name_differs=repeat is not None and _differs(repeat, registration),
            marketing_withdraw_url=(personal_url if _wants_news(session, registration) else None),
        )

    def _find_way_in(
        self,
        session: Session,
        event: Event,
        registration: Registration,
        *,
        now: datetime,
    ) -> _WayIn:
        """Tell what leads in who has a place, as the pages do: past a refusal the organizer's link.

        The link stays where somebody has to help whom Zoom has not refused: no mail brings it
        later.
        """
        wait = read_wait(session, event, registration, now=now)
        registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
        is_refused = registrant is not None and registrant.delivery == Delivery.REFUSED
        has_link = not is_refused or bool(event.fallback_url)
        return _WayIn(
            join_url=self._links.join_from_mail(registration) if has_link else None,
            wait=wait,
            is_refused=is_refused,
            problem=registrant.problem if registrant is not None and is_refused else None,
            needs_help=is_refused or (wait is not None and wait.needs_help),
        )

    def _find_way_back(
        self,
        session: Session,
        event: Event,
        registration: Registration,
        way: _WayIn,
        *,
        now: datetime,
    ) -> str | None:
        """Return where who has left, or whom Zoom refused, registers again; None if nowhere."""
        if can_come_back(session, event, registration, now=now):
            return f"{self._links.personal_from_mail(registration)}/again"
        # Where Zoom refuses everybody, another address would only take a second place in the queue.
        is_alone = way.is_refused and way.problem not in zoom_closings.REFUSALS
        is_open = is_alone and takes_people(session, event, now=now)
        return self._links.event(event.slug) if is_open else None

    def _start_code(self, submission: SubmissionRow, now: datetime) -> str | None:
        if submission.code_issued_at is None or submission.code_used_at is not None:
            return None
        if submission.surface == Surface.BY_HAND:
            # An older version has issued one, though they have no page that asks for it.
            return None
        submission.code_issued_at = now
        return make_code(self._keys, submission.public_id, submission.code_version)

    def _attach(self, letter: Letter) -> tuple[Attachment, ...]:
        method = CALENDAR_METHODS.get(letter.mail.name)
        if method == "PUBLISH" and letter.registration.status != Status.APPROVED:
            method = None
        if method == "CANCEL" and not letter.context.had_link:
            method = None
        files = {method: letter.entries} if method else {}
        if letter.context.had_link:
            files["CANCEL"] = files.get("CANCEL", ()) + letter.dropped
        return tuple(attach_calendar(entries, how) for how, entries in files.items() if entries)


def _tells_standing(mail: Mail, way: _WayIn) -> bool:
    """Tell whether a mail says where somebody stands; of troubles others tell."""
    return mail.name in (MailName.REPEAT, MailName.DATES) and not way.needs_help


def is_wanted(
    name: MailName,
    registration: Registration,
    registrant: ZoomRegistrant | None,
    *,
    event: Event,
    has_date: bool,
    now: datetime,
) -> bool:
    """Tell whether what the mail says still holds; `has_date` as `has_date_ahead`.

    To whom no date is ahead the mails about their status say that, also whom Zoom has refused; what
    came of them at Zoom is no news any more.
    """
    if not holds_for_event(name, event, now=now):
        return False
    if name in (MailName.DELAYED, MailName.REFUSED) and not has_date:
        return False
    is_approved = registration.status == Status.APPROVED
    counts_on_it = registration.status in (Status.APPROVED, Status.PENDING, Status.WAITLISTED)
    is_refused = registrant is not None and registrant.delivery == Delivery.REFUSED
    has_link = registrant is not None and registrant.join_url is not None
    wanted = {
        MailName.CONFIRMATION: is_approved and not (is_refused and has_date),
        MailName.APPROVED: is_approved and not (is_refused and has_date),
        MailName.DELAYED: is_approved and not is_refused and not has_link,
        MailName.REFUSED: is_approved and is_refused,
        MailName.PENDING: registration.status == Status.PENDING,
        MailName.WAITLISTED: registration.status == Status.WAITLISTED,
        MailName.DENIED: registration.status == Status.DENIED,
        MailName.CANCELLED: registration.status == Status.CANCELLED,
        MailName.DATES: counts_on_it,
        MailName.MOVED: counts_on_it,
    }
    return wanted.get(name, True)


def _wants_news(session: Session, registration: Registration) -> bool:
    present = list_present_consents(session, registration, ConsentKind.MARKETING)
    return any(consent.is_given for consent in present)


def _differs(submission: SubmissionRow, registration: Registration) -> bool:
    return (submission.family_name, submission.given_name) != (
        registration.family_name,
        registration.given_name,
    )
