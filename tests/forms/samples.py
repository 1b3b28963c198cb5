"""Small forms and what people send with them."""

from __future__ import annotations

from itertools import count

from werkzeug.datastructures import MultiDict

from forms.registration import RegistrationForm, build_registration_form
from services.questions import Choice, ConsentKind, FormDefinition, Question, QuestionKind

_version_ids = count(1)

TARO = {"family_name": "山田", "given_name": "太郎", "email": "taro@example.co.jp"}


def make_question(kind: QuestionKind | str, question_id: str = "q", **members) -> Question:
    members.setdefault("label", {"ja": "質問", "en": "Question"})
    return Question(question_id, QuestionKind(kind), **members)


def make_choices(*values: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, {"ja": value, "en": value}) for value in values)


def make_privacy_consent(**members) -> Question:
    label = {"ja": "「個人情報の取扱い」に同意する", "en": "I agree to the privacy notice"}
    return make_question("consent", "privacy", label=label, consent=ConsentKind.PRIVACY, **members)


def make_form_class(*questions: Question, locale: str = "en") -> type[RegistrationForm]:
    return build_registration_form(FormDefinition(next(_version_ids), 1, questions), locale)


def fill(*questions: Question, locale: str = "en", **typed) -> RegistrationForm:
    """Return the form that came back with a name, an address and what is given."""
    form_class = make_form_class(*questions, locale=locale)
    return form_class(MultiDict(TARO | typed))


def submit(*questions: Question, **typed):
    """Return the submission of a form that must be valid."""
    form = fill(*questions, **typed)
    assert form.validate(), form.error_list
    return form.to_submission(nonce="nonce-1")


def list_messages(*questions: Question, **typed) -> list[tuple[str, str]]:
    """Return what is wrong with what was sent."""
    form = fill(*questions, **typed)
    assert not form.validate()
    return form.error_list
