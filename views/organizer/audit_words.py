"""The words of an audit entry's facts and objects; the file of the log has them as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext

from services.audit import Fact

from . import people_words

_LABELS = {
    "act": lazy_gettext("Act"),
    "all_events": lazy_gettext("All events"),
    "by": lazy_gettext("By"),
    "change": lazy_gettext("Change"),
    "changed": lazy_gettext("Fields"),
    "company_only": lazy_gettext("Without passwords"),
    "count": lazy_gettext("How many"),
    "days": lazy_gettext("Days"),
    "domains": lazy_gettext("Domains"),
    "fields": lazy_gettext("Fields"),
    "filters": lazy_gettext("Filters"),
    "format": lazy_gettext("Format"),
    "is_held": lazy_gettext("Kept aside"),
    "is_searched": lazy_gettext("With a search"),
    "joins_as": lazy_gettext("Colleagues join as"),
    "kind": lazy_gettext("Kind"),
    "needed": lazy_gettext("Needed permission"),
    "origin": lazy_gettext("Site"),
    "part": lazy_gettext("Part"),
    "payload": lazy_gettext("Message"),
    "people": lazy_gettext("How many"),
    "question": lazy_gettext("Question"),
    "removed": lazy_gettext("Removed"),
    "result": lazy_gettext("Result"),
    "role": lazy_gettext("Role"),
    "rows": lazy_gettext("Rows"),
    "scopes": lazy_gettext("Rights"),
    "secret": lazy_gettext("With a new secret"),
    "several": lazy_gettext("How many"),
    "step": lazy_gettext("Step"),
    "version": lazy_gettext("Version"),
    "why": lazy_gettext("Why"),
}
# What only the file says, as the rest of the entry tells enough.
_LEFT_OUT = {"mend"}
_ROLES = {
    "owner": lazy_gettext("Owner"),
    "editor": lazy_gettext("Editor"),
    "approver": lazy_gettext("Approver"),
    "exporter": lazy_gettext("Exporter"),
    "viewer": lazy_gettext("Viewer"),
}
_VALUES: dict[str, Mapping[str, Any]] = {
    "act": {
        **{str(act): words for act, words in people_words.ACT.items()},
        "edit": lazy_gettext("Change the details"),
        "add": lazy_gettext("Add a person"),
        "erase": lazy_gettext("Erase the person"),
        "drop_mails": lazy_gettext("Dropped mails that a restore had held back"),
        "attendance": lazy_gettext("Asked Zoom again who came"),
    },
    "by": {
        "company": lazy_gettext("the company's account"),
        "password": lazy_gettext("password"),
        "passkey": lazy_gettext("passkey"),
        "link": lazy_gettext("link"),
        "app": lazy_gettext("authenticator app"),
        "recovery": lazy_gettext("recovery code"),
    },
    "change": {
        "created": lazy_gettext("Made"),
        "published": lazy_gettext("Published"),
        "close": lazy_gettext("Registration closed"),
        "reopen": lazy_gettext("Registration opened again"),
        "cancelled": lazy_gettext("Cancelled"),
        "removed": lazy_gettext("Removed"),
        "mended": lazy_gettext("Changed at Zoom"),
        "moved": lazy_gettext("Created anew at Zoom"),
        "told": lazy_gettext("Told again"),
        "notice": lazy_gettext("Privacy notice"),
        "form": lazy_gettext("Form"),
        "link": lazy_gettext("Invitation link"),
        "allowed": lazy_gettext("Allowed"),
        "withdrawn": lazy_gettext("Not allowed any more"),
        "paused": lazy_gettext("Paused"),
        "resumed": lazy_gettext("Resumed"),
        "replayed": lazy_gettext("Sent again"),
    },
    "part": {
        "organization": lazy_gettext("Organization"),
        "zoom": lazy_gettext("Zoom"),
        "notice": lazy_gettext("Privacy notice"),
        "sign_in": lazy_gettext("Company sign-in"),
        "test_mail": lazy_gettext("Test mail"),
        "list": lazy_gettext("List of events"),
        "embed": lazy_gettext("Embed"),
    },
    "kind": {"webinar": lazy_gettext("Webinar"), "meeting": lazy_gettext("Meeting")},
    "payload": {
        "thin": lazy_gettext("ids and status"),
        "full": lazy_gettext("personal data too"),
    },
    "result": {
        **{str(result): words for result, words in people_words.RESULT.items()},
        "under_way": lazy_gettext("under way"),
    },
    "role": _ROLES,
    "joins_as": _ROLES,
    "why": {
        "stale": lazy_gettext("begun elsewhere, used, or too late"),
        "declined": lazy_gettext("stopped there"),
        "silent": lazy_gettext("no answer"),
        "not_set_up": lazy_gettext("not set up rightly"),
        "no_address": lazy_gettext("no address"),
        "not_verified": lazy_gettext("address not confirmed"),
        "other_domain": lazy_gettext("address of another domain"),
        "other_account": lazy_gettext("linked to another account"),
        "not_proven": lazy_gettext("account not confirmed by mail"),
        "not_invited": lazy_gettext("not invited"),
        "not_fresh": lazy_gettext("not asked again there"),
        "somebody_else": lazy_gettext("another account"),
    },
    "step": {
        **dict.fromkeys(("up", "down", "move"), lazy_gettext("moved to another place")),
        **dict.fromkeys(("add", "added", "duplicate"), lazy_gettext("added")),
        "remove": lazy_gettext("removed"),
        "saved": lazy_gettext("Change"),
        "undo": lazy_gettext("Undo"),
        "discard": lazy_gettext("Discard the changes"),
        "template": lazy_gettext("Start from a template"),
        "published": lazy_gettext("Published"),
    },
}
# As the pages name them on which they are changed.
_FIELDS = {
    "title": lazy_gettext("Title"),
    "lead": lazy_gettext("Introduction, one to three lines"),
    "description": lazy_gettext("Text"),
    "fee": lazy_gettext("Fee"),
    "cohost": lazy_gettext("Co-hosted by"),
    "default_locale": lazy_gettext("Language"),
    "starts_at": lazy_gettext("Start"),
    "duration_minutes": lazy_gettext("Duration in minutes"),
    "timezone": lazy_gettext("Time zone"),
    "opens_at": lazy_gettext("Registration opens"),
    "closes_at": lazy_gettext("Registration closes"),
    "date_choice": lazy_gettext("Which dates people come to"),
    "seats_per_date": lazy_gettext("Places on each date"),
    "capacity": lazy_gettext("Capacity"),
    "has_waitlist": lazy_gettext("Waiting list"),
    "least_age": lazy_gettext("Least age"),
    "approval": lazy_gettext("Approval"),
    "bot_check": lazy_gettext("Check against programs"),
    "link_policy": lazy_gettext("How people get their join link"),
    "keeps_zoom_mails": lazy_gettext("Zoom's own mails"),
    "zoom_name_order": lazy_gettext("Names in Zoom"),
    "slug": lazy_gettext("Address of the page"),
    "fallback_url": lazy_gettext("Another page to join if Zoom is down"),
    "is_listed": lazy_gettext("Being found"),
    "records_attendance": lazy_gettext("Attendance"),
    "brand_color": lazy_gettext("Colour"),
    "logo": lazy_gettext("Logo"),
    "header": lazy_gettext("Header image"),
    "speakers": lazy_gettext("Speakers"),
    "programme": lazy_gettext("Program"),
    "materials": lazy_gettext("Videos and slides"),
    "name": lazy_gettext("Name of the organization"),
    "legal_name": lazy_gettext("Official name"),
    "address": lazy_gettext("Postal address"),
    "representative": lazy_gettext("Representative"),
    "contact_email": lazy_gettext("Contact email address"),
    "contact_url": lazy_gettext("Contact page"),
    "status": lazy_gettext("Status"),
    "delivery": lazy_gettext("Delivery to Zoom"),
    "proof": lazy_gettext("Address proven"),
    "mailable": lazy_gettext("May be mailed"),
    "locale": lazy_gettext("Language"),
}
_KINDS = {
    "event": lazy_gettext("Event"),
    "registration": lazy_gettext("Person"),
    "submission": lazy_gettext("Submission"),
    "organizer": lazy_gettext("Account"),
    "invitation": lazy_gettext("Invitation"),
    "api_key": lazy_gettext("API key"),
    "webhook": lazy_gettext("Webhook"),
    "task": lazy_gettext("Work on several people"),
    "import": lazy_gettext("Add people from a table"),
}


def describe_facts(facts: Mapping[str, Fact]) -> str:
    """Write what an entry says besides who, what and of what; what is empty or no is left out."""
    return gettext(", ").join(
        _describe_fact(name, value)
        for name, value in sorted(facts.items())
        if value and name not in _LEFT_OUT
    )


def _describe_fact(name: str, value: Fact) -> str:
    label = str(_LABELS.get(name, name))
    if value is True:
        return label
    words = str(_VALUES.get(name, {}).get(str(value), value))
    if name in ("fields", "changed"):
        words = _name_fields(str(value).split(","))
    elif name == "filters":
        words = _name_fields(str(value).split())
    return gettext("%(label)s: %(words)s", label=label, words=words)


def _name_fields(names: Iterable[str]) -> str:
    return gettext(", ").join(str(_FIELDS.get(name, name)) for name in names)


def describe_object(object_: str) -> tuple[str, str]:
    """Return what an entry is about, in words, and its public id."""
    kind, _, public_id = object_.partition(":")
    return str(_KINDS.get(kind, kind)), public_id
