"""The editor of a privacy notice: every slot in both languages, and who collects the data."""

from __future__ import annotations

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField

from services.default_notice import list_sections
from services.notices import ALL_SLOTS, MARKETING, PARTS, SECTIONS, SUMMARY, NoticeDocument, Shape
from services.texts import LOCALES

from .organizer_fields import OrganizerForm, build_choice, build_choices, build_form, build_text

LONGEST_SLOT = 2_000
LONGEST_PART = 500
ALL_EVENTS, CHOSEN_EVENTS = "all", "chosen"


def build_notice_form(
    formdata: MultiDict[str, str] | None,
    document: NoticeDocument | None = None,
    *,
    locale: str,
    default_locale: str,
    events: list[tuple[str, str]],
) -> OrganizerForm:
    """Make the editor in one language; `events` are id and title of those that may take it.

    Slots in `default_locale` are marked as needed; which others are depends on what is filled in.
    """
    stored = {
        name_field(slot, each): document.get(slot, each)
        for slot in ALL_SLOTS
        for each in LOCALES
        if document is not None
    }
    return build_form(
        {
            "shape": build_choice("shape", _("Who collects the data"), _list_shapes()),
            **_build_slots(locale, default_locale),
            "use": build_choice(
                "use",
                _("Where it is used"),
                [
                    (ALL_EVENTS, _("All events with a text from here, and new ones")),
                    (CHOSEN_EVENTS, _("Only the events chosen below")),
                ],
            ),
            "events": build_choices(
                "events", _("Chosen events"), events, condition=("use", (CHOSEN_EVENTS,))
            ),
        },
        formdata,
        shape=str(document.shape) if document else "",
        use=ALL_EVENTS,
        **stored,
    )


def name_field(slot: str, locale: str) -> str:
    return f"{slot}_{locale}"


def read_document(form: OrganizerForm) -> NoticeDocument:
    """Return what was typed."""
    return NoticeDocument(
        Shape(form["shape"].data[0]),
        {slot: {each: form[name_field(slot, each)].data for each in LOCALES} for slot in ALL_SLOTS},
    )


def list_labels(locale: str) -> dict[str, str]:
    """Return what each slot is called, by the heading that its text has in the notice."""
    sections = list_sections(locale)
    return {
        SUMMARY: _("Summary above the box"),
        **{slot: sections[number].heading for number, slot in SECTIONS.items()},
        MARKETING: _("Box for advertising mail"),
        "cohosts": _("Co-hosts, one a line"),
        "joint_items": _("Data used jointly"),
        "joint_users": _("Who uses it jointly"),
        "joint_purposes": _("Purposes of joint use"),
        "joint_acquired": _("How it is obtained"),
        "joint_responsible": _("Who is responsible for it"),
        "joint_address": _("Their address"),
        "joint_representative": _("Their representative"),
        "joint_contact": _("Contact about joint use"),
        "recipients": _("Who receives data, one a line"),
        "provided_items": _("Data provided"),
        "provided_purposes": _("What they use it for"),
        "provided_means": _("How it is handed over"),
    }


def _list_shapes() -> list[tuple[str, str]]:
    return [
        (Shape.ALONE, _("My organization alone")),
        (Shape.EACH, _("Several hosts, each for itself under its own notice")),
        (Shape.JOINT, _("Several hosts in joint use, which one of them is responsible for")),
        (Shape.PROVISION, _("My organization, which provides data to other hosts")),
    ]


def _build_slots(locale: str, default_locale: str) -> dict[str, UnboundField]:
    labels = list_labels(locale)
    shapes = {part: str(shape) for shape, parts in PARTS.items() for part in parts}
    return {
        name_field(slot, each): build_text(
            name_field(slot, each),
            f"{labels[slot]} ({'日本語' if each == 'ja' else 'English'})",
            longest=LONGEST_PART if slot in shapes else LONGEST_SLOT,
            required=each == default_locale,
            condition=("shape", (shapes[slot],)) if slot in shapes else None,
        )
        for slot in ALL_SLOTS
        for each in LOCALES
    }
