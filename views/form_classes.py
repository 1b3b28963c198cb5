"""Forms of events as classes, made once for each version and language and kept."""

from __future__ import annotations

from forms.registration import RegistrationForm, build_registration_form
from services.event_dates import add_dates, make_question, takes_choice
from services.events import read_definition

from .event_pages import EventPage
from .locale import read_locale
from .site import get_site


def get_form_class(page: EventPage, locale: str | None = None) -> type[RegistrationForm]:
    """Return the form of an event's page in a language, by default that of the answer."""
    site, version_id, locale = get_site(), page.form_version_id, locale or read_locale()
    # What the dates of a series add to the form: its words, and who may choose which.
    dates = (page.event.version, page.closed) if takes_choice(page.event) else ()

    def build() -> type[RegistrationForm]:
        with site.database.read() as session:
            definition = read_definition(session, version_id)
        if dates:
            question = make_question(page.event, closed=dict(page.closed))
            definition = add_dates(definition, question)
        return build_registration_form(definition, locale, page.event.least_age)

    return site.form_classes.get((version_id, locale, page.event.least_age, *dates), build)
