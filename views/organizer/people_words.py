"""The words of the dashboard for what becomes of a registration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext, lazy_pgettext

from services.people_acts import Act, ActResult
from services.people_adding import KnownAs
from services.people_columns import EMAIL, FAMILY_NAME, FULL_NAME, GIVEN_NAME, LANGUAGE
from services.people_files import FileProblem
from services.people_imports import RowResult
from services.sources import BY_HAND, BY_PROGRAM, DIRECT, ORIGIN_NAMES, PAGE, REF
from services.submissions import Doubt
from services.texts import write_full_name

STATUS = {
    "approved": lazy_gettext("Confirmed"),
    "pending": lazy_gettext("Waiting for approval"),
    "waitlisted": lazy_gettext("On the waiting list"),
    "denied": lazy_gettext("Turned down"),
    "cancelled": lazy_pgettext("registration", "Cancelled"),
}
STATUS_KIND = {"approved": "success", "pending": "warning"}
DELIVERY = {
    "waiting": lazy_gettext("On the way to Zoom"),
    "registered": lazy_gettext("Registered at Zoom"),
    "withdrawn": lazy_gettext("Taken back at Zoom"),
    "needs_setting": lazy_gettext("Needs a setting changed in Zoom"),
    "refused": lazy_gettext("Zoom refused"),
    "": lazy_gettext("Not meant for Zoom yet"),
}
DELIVERY_KIND = {"needs_setting": "warning", "refused": "warning"}
YES_NO = {"yes": lazy_gettext("Yes"), "no": lazy_gettext("No")}
LOCALE = {"ja": "日本語", "en": "English"}
SOURCE = {
    "utm_source": lazy_gettext("Campaign source"),
    "utm_medium": lazy_gettext("Campaign medium"),
    "utm_campaign": lazy_gettext("Campaign name"),
    "utm_term": lazy_gettext("Campaign term"),
    "utm_content": lazy_gettext("Campaign content"),
    PAGE: lazy_gettext("Page with the form"),
    REF: lazy_gettext("Invitation link"),
}
LINK_KIND = {
    "channel": lazy_gettext("Channel"),
    "helper": lazy_gettext("Person who invites"),
    "person": lazy_gettext("Registered person"),
}
ORIGIN = {
    DIRECT: lazy_gettext("Direct or unknown"),
    BY_HAND: lazy_gettext("Entered by an organizer"),
    BY_PROGRAM: lazy_gettext("Through the API"),
}
FIELD = {
    "family_name": lazy_gettext("Last name"),
    "given_name": lazy_gettext("First name"),
    "email": lazy_gettext("Email address"),
    "old_enough": lazy_gettext("Your age"),
}
MAIL = {
    "confirmation": lazy_gettext("Confirmation"),
    "pending": lazy_gettext("Received, waits for approval"),
    "waitlisted": lazy_gettext("Place on the waiting list"),
    "approved": lazy_gettext("Approval with the join link"),
    "denied": lazy_gettext("Turned down"),
    "cancelled": lazy_gettext("Cancellation"),
    "repeat": lazy_gettext("Registered already"),
    "delayed": lazy_gettext("The link comes later"),
    "refused": lazy_gettext("Zoom refused"),
    "event_cancelled": lazy_gettext("The event is cancelled"),
    "dates": lazy_gettext("Your dates have changed"),
    "moved": lazy_gettext("The time has changed"),
}
MAIL_STATE = {
    "queued": lazy_gettext("Waiting to be sent"),
    "sending": lazy_gettext("Being sent"),
    "unknown": lazy_gettext("Perhaps sent, tried once more"),
    "again": lazy_gettext("Perhaps sent, tried once more"),
    "sent": lazy_gettext("Sent"),
    "failed": lazy_gettext("Not sent: the mail server refused it"),
    "dropped": lazy_gettext("Not sent: another mail took its place"),
    "held": lazy_gettext("Held back by a restore"),
}
DOUBT: dict[str, Any] = {
    Doubt.TRAP: lazy_gettext("Filled in a field that people do not see"),
    Doubt.MAIL_PROOF: lazy_gettext("Has not pressed the button in the mail that we sent"),
    Doubt.MAIL_FAILED: lazy_gettext("Sent without a check; our mail to the address did not go"),
    Doubt.NO_MAIL: lazy_gettext("Sent without a check; the address had enough mails for now"),
    Doubt.ERASING: lazy_gettext("Registered again while being erased; then nobody could"),
}
"""Why somebody was kept aside."""
DOUBT_NAME: dict[str, Any] = {
    Doubt.TRAP: lazy_gettext("Hidden field"),
    Doubt.MAIL_PROOF: lazy_gettext("Not confirmed by email"),
    Doubt.MAIL_FAILED: lazy_gettext("Email did not go"),
    Doubt.NO_MAIL: lazy_gettext("No email left"),
    Doubt.ERASING: lazy_gettext("Came back"),
}
ACTOR = {
    "person": lazy_gettext("The person"),
    "organizer": lazy_gettext("The organizer"),
    "waitlist": lazy_gettext("A place became free"),
    "correction": lazy_gettext("A corrected address"),
}
ACT = {
    Act.APPROVE: lazy_gettext("Approve"),
    Act.DENY: lazy_gettext("Turn down"),
    Act.CANCEL: lazy_gettext("Cancel the registration"),
    Act.REINSTATE: lazy_gettext("Undo the cancellation"),
    Act.RESEND: lazy_gettext("Send the mail again"),
    Act.RETRY: lazy_gettext("Try Zoom again"),
    Act.LINK: lazy_gettext("Make an invitation link"),
}
ACT_WARNING = {
    Act.DENY: lazy_gettext("The person is told by mail. A join link that they have stops working."),
    Act.CANCEL: lazy_gettext(
        "The person is told by mail, and the join link stops working. You can undo it here, but "
        "their place goes to whoever waits or registers meanwhile."
    ),
    Act.REINSTATE: lazy_gettext(
        "The person gets a place again, or waits for one where the event is full and has a waiting "
        "list, and is told by mail. Who has cancelled by themselves should have asked for it."
    ),
}
"""What one press must not do, as it tells the person."""
ACT_EFFECT = {
    Act.APPROVE: lazy_gettext("They are told by mail, with their join links."),
    Act.DENY: lazy_gettext("They are told by mail. Join links that they have stop working."),
    Act.CANCEL: lazy_gettext(
        "They are told by mail, and their join links stop working. It is undone for one person at "
        "a time, on their own page, and their places go to whoever waits or registers meanwhile."
    ),
    Act.RESEND: lazy_gettext("Each gets the last mail about their registration once more."),
    Act.RETRY: lazy_gettext(
        "Zoom is asked once more for those whom it did not take; where it is full, for one after"
        " the other."
    ),
    Act.LINK: lazy_gettext("Nobody is told. Their links stand in the export."),
}
"""What an act means for several people, before it is done."""
RESULT = {
    ActResult.DONE: lazy_gettext("Done"),
    ActResult.UNCHANGED: lazy_gettext("Nothing to do"),
    ActResult.FULL: lazy_gettext("Not done: no place is left"),
    ActResult.CANCELLED: lazy_gettext(
        "Not done: the registration is cancelled, which is undone on the person's own page"
    ),
    ActResult.ERASED: lazy_gettext("Not done: the person's details are erased, or about to be"),
    ActResult.PAST: lazy_gettext(
        "Not done: the event, or each date that they chose, is over or cancelled"
    ),
    ActResult.ENOUGH: lazy_gettext("Not sent: there were enough mails for today"),
    ActResult.OVER: lazy_gettext("Not sent: the event is over"),
    ActResult.IN_TURN: lazy_gettext("Zoom had no place: one after the other is tried"),
    ActResult.PAUSED: lazy_gettext("Waits until Zoom takes people again: it is being tried"),
    ActResult.CHANGED: lazy_gettext("Not done: somebody has decided about them meanwhile"),
    ActResult.ALONE: lazy_gettext("Not done: decide it on the person's own page"),
}
COLUMN = {
    FAMILY_NAME: lazy_gettext("Last name"),
    GIVEN_NAME: lazy_gettext("First name"),
    FULL_NAME: lazy_gettext("Last and first name in one"),
    EMAIL: lazy_gettext("Email address"),
    LANGUAGE: lazy_gettext("Language of the mails"),
}
ROW_RESULT = {
    RowResult.ADDED: lazy_gettext("Added"),
    RowResult.KNOWN: lazy_gettext("The address is known already; stays as it is"),
    RowResult.INVALID: lazy_gettext("Not added: something is wrong in the row"),
    RowResult.CLOSED: lazy_gettext("Not added: the event took nobody"),
}
KNOWN_AS = {
    KnownAs.STANDING: lazy_gettext("This address is registered already."),
    KnownAs.CANCELLED: lazy_gettext(
        "The registration of this address is cancelled. Whether it is undone is decided on the "
        "person's page."
    ),
    KnownAs.DENIED: lazy_gettext(
        "Whoever has this address was turned down. To give them a place after all, approve them on "
        "their page."
    ),
    KnownAs.ERASING: lazy_gettext(
        "Whoever has this address is being erased. As soon as that is done, they can be added."
    ),
    KnownAs.CORRECTED: lazy_gettext(
        "This address was entered by mistake and then corrected. Once it is erased on its page, it "
        "can be added."
    ),
}
NOT_OPEN = {
    "draft": lazy_gettext("The event is not published"),
    "soon": lazy_gettext("Registration is not open yet"),
    "full": lazy_gettext("No place is left"),
    "closed": lazy_gettext("Registration is closed"),
    "ended": lazy_gettext("The event is over"),
    "cancelled": lazy_gettext("The event is cancelled"),
}
ROW_REASON: dict[str, Any] = {
    **NOT_OPEN,
    **{str(known): text for known, text in KNOWN_AS.items() if known is not KnownAs.STANDING},
}
"""Why a row of a table added nobody, where its result alone does not tell."""
FILE_PROBLEM = {
    FileProblem.UNREADABLE: lazy_gettext(
        "This is no table that can be read here. Save it as XLSX or CSV, and send it again."
    ),
    FileProblem.OLD_EXCEL: lazy_gettext(
        "This is a workbook of an old Excel, or one with a password. Save it as XLSX without one."
    ),
    FileProblem.TOO_LARGE: lazy_gettext("There is more in this workbook than a table of people."),
    FileProblem.TOO_MANY_ROWS: lazy_gettext(
        "There are more rows than can be taken at once. Please split the table."
    ),
    FileProblem.NO_ROWS: lazy_gettext("There is no row below the headings."),
}
PROBLEM = {
    "AuthenticationFailed": lazy_gettext("Zoom does not take the credentials of the app."),
    "ScopeMissing": lazy_gettext("The app lacks a permission in Zoom's marketplace."),
    "HostNotFound": lazy_gettext("The host is no user of this Zoom account."),
    "HostNotAllowed": lazy_gettext("The host's plan or settings at Zoom do not allow it."),
    "MeetingNotFound": lazy_gettext("The meeting is gone, or belongs to another Zoom account."),
    "WrongKind": lazy_gettext("A meeting was turned into a webinar, or the reverse."),
    "RegistrationDisabled": lazy_gettext("Registration is switched off in Zoom."),
    "EverybodyRefused": lazy_gettext("Zoom refuses whoever comes. Please look at it in Zoom."),
    "MeetingOver": lazy_gettext("At Zoom the meeting is over."),
    "AtCapacity": lazy_gettext("Zoom has no place left."),
    "HostCannotRegister": lazy_gettext("The host needs no registration: they start the meeting."),
    "AlreadyPanelist": lazy_gettext("The person has a panelist's link from Zoom."),
    "WorkEmailRequired": lazy_gettext("Zoom wants the work address that was invited."),
    "ZoomAccountRequired": lazy_gettext("Zoom wants an address with a Zoom account."),
    "ValidationFailed": lazy_gettext("Zoom does not take a value: please ask for another one."),
    "MailOutcomeUnknown": lazy_gettext("A mail may never have gone."),
    "HeldBack": lazy_gettext(
        "The site was restored from a backup, and nobody knows whether a mail was sent before: the"
        " site's operator decides whether it is sent."
    ),
    "MailUnavailable": lazy_gettext(
        "For a day the mail server was away, or took no mail from here."
    ),
    "StillAtZoom": lazy_gettext(
        "Somebody was erased while the event was over, and Zoom may still let them in. Remove them"
        " from Zoom's list of registrants, then press “Try Zoom again” on their page."
    ),
    "MailRefused": lazy_gettext("The mail server refused a mail for good."),
}
OTHER_PROBLEM = lazy_gettext("Work was put aside after several tries.")


def write_name(person: Any) -> str:
    """Return how a person is called in a list: by the address where the name was erased."""
    name = write_full_name(person.family_name, person.given_name, person.locale)
    return name or person.email or gettext("Erased")


def write_origin(origin: str, tags: Mapping[str, str]) -> str:
    """Return what people came with, in one line."""
    if origin in ORIGIN:
        return str(ORIGIN[origin])
    return " / ".join(str(tags[name]) for name in ORIGIN_NAMES if tags.get(name)) or origin
