"""What an organizer calls the parts of a form."""

from __future__ import annotations

from flask_babel import gettext as _

from services.questions import ConsentKind, Question, QuestionKind
from services.texts import localize


def name_kind(kind: QuestionKind) -> str:
    """Say in plain words what somebody does to answer a question of a kind."""
    return {
        QuestionKind.TEXT: _("One line of text"),
        QuestionKind.TEXTAREA: _("Several lines of text"),
        QuestionKind.SELECT: _("One choice from a list"),
        QuestionKind.RADIO: _("One choice, all in view"),
        QuestionKind.CHECKBOXES: _("Any number of choices"),
        QuestionKind.NUMBER: _("A number"),
        QuestionKind.DATE: _("A date"),
        QuestionKind.PHONE: _("A phone number"),
        QuestionKind.POSTAL_CODE: _("A Japanese postal code"),
        QuestionKind.PREFECTURE: _("A prefecture"),
        QuestionKind.COUNTRY: _("A country or region"),
        QuestionKind.KANA: _("A reading in katakana"),
        QuestionKind.CONSENT: _("A box to agree to something"),
    }[kind]


def name_consent(consent: ConsentKind) -> str:
    return {
        ConsentKind.PRIVACY: _("Consent to the privacy notice"),
        ConsentKind.MARKETING: _("Consent to advertising mail"),
        ConsentKind.COHOST: _("Consent to a co-host's advertising mail"),
        ConsentKind.PROVISION: _("Consent to giving data to a third party"),
        ConsentKind.OTHER: _("A box to agree to something"),
    }[consent]


def name_question(question: Question, locale: str) -> str:
    return localize(question.label, locale) or question.id


def list_kinds_offered() -> list[tuple[str, str]]:
    """Return each kind with its words, the usual ones first."""
    return [(str(kind), name_kind(kind)) for kind in _OFFERED]


def name_zoom_field(name: str) -> str:
    """Say what Zoom calls a field of its own."""
    return {
        "address": _("Address"),
        "city": _("City"),
        "state": _("State or province"),
        "zip": _("Postal code"),
        "country": _("Country or region"),
        "phone": _("Phone"),
        "comments": _("Questions and comments"),
        "industry": _("Industry"),
        "job_title": _("Job title"),
        "org": _("Organization"),
        "no_of_employees": _("Number of employees"),
        "purchasing_time_frame": _("Purchasing time frame"),
        "role_in_purchase_process": _("Role in purchase process"),
    }[name]


_OFFERED = (
    *(QuestionKind.TEXT, QuestionKind.TEXTAREA, QuestionKind.RADIO, QuestionKind.SELECT),
    *(QuestionKind.CHECKBOXES, QuestionKind.NUMBER, QuestionKind.DATE, QuestionKind.PHONE),
    *(QuestionKind.POSTAL_CODE, QuestionKind.PREFECTURE, QuestionKind.COUNTRY, QuestionKind.KANA),
    QuestionKind.CONSENT,
)
