"""The form in which an organizer changes an event: texts, time, places, looks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, Self

from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.validators import StopValidation

from services.branding import derive_brand
from services.dates import list_zones
from services.event_documents import (
    LONGEST_DESCRIPTION,
    LONGEST_EVENT_MINUTES,
    LONGEST_LEAD,
    LONGEST_LINE,
    MOST_SEATS,
    OLDEST_LEAST_AGE,
    EventDocument,
    check_slug,
    check_url,
)
from services.texts import LOCALES

from .fields import RowField
from .markdown import check_tables
from .organizer_fields import (
    OrganizerForm,
    build_both,
    build_choice,
    build_line,
    build_moment,
    build_number,
    build_switch,
    build_text,
    read_moment,
    write_moment,
)

TEXTS = ("title", "lead", "description", "fee", "cohost")
SWITCHES = ("has_waitlist", "is_listed", "keeps_zoom_mails", "records_attendance")
MOMENTS = ("starts_at", "opens_at", "closes_at")
PLAIN = ("approval", "bot_check", "date_choice", "link_policy", "zoom_name_order")
PLAIN += ("default_locale", "timezone")
PICTURE_ALTS = ("logo", "header")


class ContentForm(OrganizerForm):
    """What the page of an event says; `build_content_form` makes it in one language.

    `to_document` speaks of the outcome of `validate()`.
    """

    @classmethod
    def from_document(cls, document: EventDocument) -> Self:
        """Fill the form with what is stored."""
        zone = document.timezone or "UTC"
        typed: dict[str, str] = {
            "slug": document.slug,
            "duration_minutes": str(document.duration_minutes or ""),
            "capacity": str(document.capacity or ""),
            "seats_per_date": str(document.seats_per_date or ""),
            "least_age": str(document.least_age or ""),
            "fallback_url": document.fallback_url,
            "brand_color": document.brand_color,
        }
        typed |= {name: write_moment(getattr(document, name), zone) for name in MOMENTS}
        typed |= {name: getattr(document, name) or "" for name in PLAIN}
        for locale in LOCALES:
            typed |= {f"{n}_{locale}": getattr(document, n).get(locale, "") for n in TEXTS}
            for place in PICTURE_ALTS:
                ref = getattr(document, place)
                typed[f"{place}_alt_{locale}"] = ref.alt.get(locale, "") if ref else ""
        for name in SWITCHES:
            if getattr(document, name):
                typed[name] = "yes"
        return cls(MultiDict(typed))

    def validate(self, extra_validators: object = None) -> bool:
        is_valid = self._check_all()
        if is_valid and not self[f"title_{self.default_locale.data[0]}"].data:
            field = self[f"title_{self.default_locale.data[0]}"]
            field.errors = [_("Enter the title in the event's own language")]
            return False
        if is_valid and not self._are_times_in_order():
            self.closes_at.errors = [_("Registration must close after it opens")]
            return False
        if is_valid and self.has_waitlist.data and self.seats_per_date.data:
            self.seats_per_date.errors = [
                _("Single dates have no waiting list: leave this empty, or the waiting list off")
            ]
            return False
        return is_valid

    def _check_all(self) -> bool:
        """Check every field, so that all that is wrong is told at once."""
        return not [field for field in self if not field.validate(self)]

    def _are_times_in_order(self) -> bool:
        opens, closes = self.opens_at.data, self.closes_at.data
        return not opens or not closes or opens < closes

    def to_document(self, stored: EventDocument) -> EventDocument:
        """Return the stored event as this form wants it; pictures stay as they are."""
        zone = self.timezone.data[0]
        values: dict[str, Any] = {name: self.read_text(name) for name in TEXTS}
        values |= {name: self[name].data[0] for name in PLAIN}
        for name in MOMENTS:
            # A moment with seconds would look changed each time that it is shown without them.
            is_same = self[name].data == write_moment(getattr(stored, name), zone)
            is_kept = is_same and zone == stored.timezone
            moment = getattr(stored, name) if is_kept else read_moment(self[name].data, zone)
            values[name] = moment
        for place in PICTURE_ALTS:
            ref = getattr(stored, place)
            values[place] = replace(ref, alt=self.read_text(f"{place}_alt")) if ref else None
        color = self.brand_color.data.lower()
        return replace(
            stored,
            **values,
            slug=self.slug.data,
            duration_minutes=int(self.duration_minutes.data),
            capacity=int(self.capacity.data) if self.capacity.data else None,
            least_age=int(self.least_age.data) if self.least_age.data else None,
            seats_per_date=int(self.seats_per_date.data) if self.seats_per_date.data else None,
            **{name: bool(self[name].data) for name in SWITCHES},
            fallback_url=self.fallback_url.data,
            brand_color=f"#{color.removeprefix('#')}" if color else "",
        )


def build_content_form(locale: str, zone: str) -> type[ContentForm]:
    """Make the form; an event's own zone is offered beside the usual ones."""
    zones = list_zones(locale)
    return _build(locale, zone if zone not in dict(zones) else "")


@cache
def _build(locale: str, further_zone: str) -> type[ContentForm]:
    with force_locale(locale):
        members = (
            _build_texts()
            | _build_time(locale, further_zone)
            | _build_dates()
            | _build_rules()
            | _build_finding()
            | _build_looks()
        )
    return type("LocalContentForm", (ContentForm,), members)


def _build_texts() -> dict[str, Any]:
    languages = [("ja", _("Japanese")), ("en", _("English"))]
    markdown = _(
        "You can write headings (### …), lists (- …), links and tables in Markdown. Press "
        "“Preview” to see it."
    )
    return {
        **build_both(
            "title",
            _("Title"),
            build_line,
            longest=LONGEST_LINE,
            width="full",
            help=_("Needed in the event's own language."),
        ),
        **build_both(
            "lead", _("Introduction, one to three lines"), build_text, longest=LONGEST_LEAD
        ),
        **build_both(
            "description",
            _("Text"),
            build_text,
            longest=LONGEST_DESCRIPTION,
            checks=[check_tables],
            help=markdown,
        ),
        **build_both("fee", _("Fee"), build_line, longest=LONGEST_LINE, width="full"),
        **build_both("cohost", _("Co-hosted by"), build_line, longest=LONGEST_LINE, width="full"),
        "default_locale": build_choice("default_locale", _("The event's own language"), languages),
    }


def _build_time(locale: str, further_zone: str) -> dict[str, Any]:
    zones = list_zones(locale) + ([(further_zone, further_zone)] if further_zone else [])
    return {
        "starts_at": build_moment("starts_at", _("Start"), missing=_("Enter the start")),
        "duration_minutes": build_number(
            "duration_minutes",
            _("Duration in minutes"),
            least=1,
            most=LONGEST_EVENT_MINUTES,
            missing=_("Enter the duration"),
        ),
        "timezone": build_choice("timezone", _("Time zone"), zones, kind="select", width="wide"),
        "opens_at": build_moment("opens_at", _("Registration opens")),
        "closes_at": build_moment(
            "closes_at",
            _("Registration closes"),
            help=_("Empty: it closes when the event ends."),
        ),
    }


def _build_dates() -> dict[str, Any]:
    """Make what only a series is asked; another event carries it on unseen."""
    return {
        "date_choice": build_choice(
            "date_choice",
            _("Which dates people come to"),
            [
                ("all", _("Everybody comes to all dates")),
                ("choose", _("People choose one or more dates in the form")),
            ],
            help=_("Fixed once somebody registers. Publish again after a change: for Zoom too."),
        ),
        "seats_per_date": build_number(
            "seats_per_date",
            _("Places on each date"),
            least=1,
            most=MOST_SEATS,
            help=_("Where people choose. Empty: as many as Zoom takes."),
        ),
    }


def _build_rules() -> dict[str, Any]:
    return (
        {
            "capacity": build_number(
                "capacity",
                _("Capacity"),
                least=1,
                most=MOST_SEATS,
                help=_("Empty: as many as Zoom takes."),
            ),
            "has_waitlist": build_switch(
                "has_waitlist",
                _("Waiting list"),
                _("Once it is full, people may wait for a free place"),
                help=_("Switched off, it takes nobody new; who waits already still moves up."),
            ),
            "least_age": build_number(
                "least_age",
                _("Least age"),
                least=1,
                most=OLDEST_LEAST_AGE,
                help=_(
                    "Empty: everybody. Else the form asks whether people are that old. Who is not "
                    "reads whom to ask, and nothing of what they typed is stored."
                ),
            ),
            "approval": build_choice(
                "approval",
                _("Approval"),
                [
                    ("automatic", _("Everybody is in at once")),
                    ("manual", _("An organizer approves each person")),
                ],
            ),
        }
        | _build_bot_check()
        | _build_ways_in()
    )


def _build_bot_check() -> dict[str, Any]:
    return {
        "bot_check": build_choice(
            "bot_check",
            _("Check against programs"),
            [
                ("automatic", _("While unusually many forms come")),
                ("always", _("Before every registration")),
                ("never", _("Not at all")),
            ],
            help=_(
                "Browsers compute for a moment by themselves. Without a script, people confirm "
                "by email."
            ),
        ),
    }


def _build_ways_in() -> dict[str, Any]:
    return {
        "link_policy": build_choice(
            "link_policy",
            _("How people get their join link"),
            [
                ("show", _("On the screen at once, and by email")),
                ("code", _("On the screen after a code from the email")),
                ("mail", _("By email alone")),
            ],
        ),
        "keeps_zoom_mails": build_switch(
            "keeps_zoom_mails",
            _("Zoom's own mails"),
            _("Zoom mails people too"),
            help=_(
                "Off: people get one confirmation, with your texts and their link. On: Zoom sends "
                "a second one beside it, with a link that leads past this site, and mails of its "
                "own about changes. Publish again after a change."
            ),
        ),
        "zoom_name_order": build_choice(
            "zoom_name_order",
            _("Names in Zoom"),
            [("given_first", _("First name first")), ("family_first", _("Last name first"))],
        ),
        "slug": build_line(
            "slug",
            _("Address of the registration page"),
            longest=80,
            missing=_("Enter the address"),
            checks=[_check_slug],
            width="wide",
            help=_("Small letters, digits and hyphens. It cannot change once it is published."),
        ),
        "fallback_url": build_line(
            "fallback_url",
            _("Another page to join if Zoom is down"),
            longest=1_000,
            checks=[_check_url],
            width="full",
            input_type="url",
            help=_("Like https://www.example.com/live. Leave it empty if there is none."),
        ),
    }


def _build_finding() -> dict[str, Any]:
    return {
        "is_listed": build_switch(
            "is_listed",
            _("Being found"),
            _("Search engines and your list of events may show this page"),
            help=_("Off: only who has the link finds it. A draft is never shown."),
        ),
        "records_attendance": build_switch(
            "records_attendance",
            _("Attendance"),
            _("Record who came, as Zoom reports it afterwards"),
            help=_(
                "The form's privacy notice then says so. It is recorded of those who register from "
                "then on by the form or the API. Zoom's app needs two more scopes for it."
            ),
        ),
    }


def _build_looks() -> dict[str, Any]:
    alt = _("Say in a few words what it shows; leave it empty for a mere decoration.")
    return {
        "brand_color": build_line(
            "brand_color",
            _("Colour"),
            longest=7,
            checks=[_check_color],
            width="narrow",
            help=_("Like #0b57d0. Press “Preview” to see what the pages make of it."),
        ),
        **build_both(
            "logo_alt",
            _("The logo in words"),
            build_line,
            longest=LONGEST_LINE,
            width="full",
            help=alt,
        ),
        **build_both(
            "header_alt",
            _("The header image in words"),
            build_line,
            longest=LONGEST_LINE,
            width="full",
            help=alt,
        ),
    }


def _check_slug(form: Any, field: RowField) -> None:
    if not check_slug(field.data):
        raise StopValidation(_("The address may have small letters, digits and single hyphens"))


def _check_url(form: Any, field: RowField) -> None:
    if not check_url(field.data):
        raise StopValidation(_("Enter the page as https://www.example.com/page"))


def _check_color(form: Any, field: RowField) -> None:
    try:
        derive_brand(field.data)
    except ValueError as error:
        raise StopValidation(_("Enter the colour like #0b57d0")) from error
