"""The forms in which an organizer writes a speaker, an item of the programme, or a material."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from services.event_parts import (
    LONGEST_NAME,
    LONGEST_TEXT,
    LONGEST_TIME,
    LONGEST_TITLE,
    LONGEST_URL,
    NAMES,
    AnyEntry,
    Material,
    ProgrammeItem,
    Speaker,
    check_material_url,
)
from services.picture_refs import LONGEST_ALT, PictureRef
from services.texts import LOCALES, localize

from .fields import RowField
from .organizer_fields import (
    OrganizerForm,
    build_both,
    build_choices,
    build_line,
    build_text,
)


class EntryForm(OrganizerForm):
    """One entry of one of an event's lists; `build_entry_form` makes it."""

    part: str

    def validate(self, extra_validators: object = None) -> bool:
        is_valid = not [field for field in self if not field.validate(self)]
        name = NAMES[self.part]
        if not self.read_text(name):
            self.refuse(f"{name}_{LOCALES[0]}", _("Enter this in one language at least"))
            return False
        return is_valid

    def to_entry(self, entry_id: str, picture: PictureRef | None = None) -> AnyEntry:
        """Return what was typed; `picture` is a speaker's, with the words of this form."""
        texts = self.read_text
        if self.part == "speakers":
            ref = PictureRef(picture.file, texts("picture_alt")) if picture else None
            named = {name: texts(name) for name in ("name", "role", "text")}
            return Speaker(id=entry_id, **named, picture=ref)
        if self.part == "programme":
            speakers = tuple(self.speakers.data) if "speakers" in self else ()
            named = {name: texts(name) for name in ("time", "title", "text")}
            return ProgrammeItem(id=entry_id, **named, speakers=speakers)
        return Material(id=entry_id, label=texts("label"), url=self.url.data)


def build_entry_form(
    part: str,
    stored: AnyEntry | None,
    speakers: Sequence[Speaker],
    *,
    locale: str,
    formdata: MultiDict[str, str] | None = None,
) -> EntryForm:
    """Make the form of one entry, filled with what is stored or with what was sent."""
    members: dict[str, UnboundField] = {
        "speakers": _build_speaker,
        "programme": lambda: _build_item(speakers, locale),
        "materials": _build_material,
    }[part]()
    form = type("PageForm", (EntryForm,), {**members, "part": part})
    return form(formdata if formdata is not None else MultiDict(_list_typed(stored)))  # type: ignore[no-any-return]


def _build_speaker() -> dict[str, Any]:
    return {
        **build_both("name", _("Name"), build_line, longest=LONGEST_NAME, width="full"),
        **build_both(
            "role", _("Role and company"), build_line, longest=LONGEST_TITLE, width="full"
        ),
        **build_both("text", _("A few lines about them"), build_text, longest=LONGEST_TEXT),
        **build_both(
            "picture_alt",
            _("The picture in words"),
            build_line,
            longest=LONGEST_ALT,
            width="full",
            help=_("The name stands beside it, so this may be empty."),
        ),
    }


def _build_item(speakers: Sequence[Speaker], locale: str) -> dict[str, Any]:
    times = _("A time such as 14:00, or a few words. One language is enough.")
    fields = {
        **build_both(
            "time", _("When"), build_line, longest=LONGEST_TIME, width="medium", help=times
        ),
        **build_both("title", _("Title"), build_line, longest=LONGEST_TITLE, width="full"),
        **build_both("text", _("Text"), build_text, longest=LONGEST_TEXT),
    }
    if speakers:
        names = [(speaker.id, localize(speaker.name, locale)) for speaker in speakers]
        fields["speakers"] = build_choices("speakers", _("Speakers"), names)
    return fields


def _build_material() -> dict[str, Any]:
    return {
        **build_both("label", _("What it is"), build_line, longest=LONGEST_TITLE, width="full"),
        "url": build_line(
            "url",
            _("Address of the page"),
            longest=LONGEST_URL,
            missing=_("Enter the address"),
            checks=[_check_url],
            width="full",
            input_type="url",
            help=_("Like https://www.example.com/slides.pdf. It opens in a page of its own."),
        ),
    }


def _check_url(form: Any, field: RowField) -> None:
    if not check_material_url(field.data):
        raise StopValidation(_("Enter the page as https://www.example.com/page"))


def _list_typed(entry: AnyEntry | None) -> list[tuple[str, str]]:
    """Return what stands in the fields of an entry."""
    if entry is None:
        return []
    texts: dict[str, Any] = {}
    for name in ("name", "role", "text", "time", "title", "label"):
        texts[name] = getattr(entry, name, {})
    if isinstance(entry, Speaker) and entry.picture:
        texts["picture_alt"] = entry.picture.alt
    typed = [(f"{n}_{locale}", text) for n, both in texts.items() for locale, text in both.items()]
    if isinstance(entry, ProgrammeItem):
        typed += [("speakers", speaker) for speaker in entry.speakers]
    if isinstance(entry, Material):
        typed.append(("url", entry.url))
    return typed
