"""The boxes that follow from a privacy notice: one for each co-host's advertising and recipient."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy.orm import Session

from storage import notices, organizations

from .notices import NoticeDocument, Shape, dress, flatten, list_lines, load_document
from .organizations import make_operator
from .questions import ConsentKind, Question, QuestionKind
from .texts import Text

_FROM_NOTICE = (ConsentKind.COHOST, ConsentKind.PROVISION)

_COHOST = {
    "ja": "{name}からのセミナー・製品のご案内メール（広告・宣伝を含みます）を受け取る",
    "en": "Send me news about events and products from {name} (advertising)",
}
_PROVISION = {
    "ja": "{name}に次の情報を提供することに同意する：{items}",
    "en": "I agree that {name} is given the following: {items}",
}
_HELP = {
    "ja": "任意です。いつでも個人ページで取り消せます。",
    "en": "This is up to you. You can take it back on your personal page at any time.",
}


def dress_questions(
    session: Session, organization_id: int, questions: Iterable[Question]
) -> tuple[Question, ...]:
    """Give consents the words of the notice that new events start with, if one was written."""
    standard = notices.get_standard_version(session, organization_id)
    if standard is None:
        return tuple(questions)
    document = load_document(standard.document)
    operator = make_operator(organizations.need_organization(session, organization_id))
    dressed = (dress(question, document, operator) for question in questions)
    return place_boxes(dressed, document)


def place_boxes(questions: Iterable[Question], document: NoticeDocument) -> tuple[Question, ...]:
    """Return a form with just the boxes that its notice speaks of, after everything else.

    A co-host's box keeps the words that the organizer gave it.
    """
    asked = tuple(questions)
    known = {question.id: question for question in asked if question.consent is ConsentKind.COHOST}
    boxes = (known.get(box.id, box) for box in _list_boxes(document))
    return (*(question for question in asked if question.consent not in _FROM_NOTICE), *boxes)


def _list_boxes(document: NoticeDocument) -> Iterator[Question]:
    if document.shape is Shape.EACH:
        for names in _list_names(document, "cohosts"):
            yield _make_box(ConsentKind.COHOST, names, _write(document, names, _COHOST))
    if document.shape is Shape.PROVISION:
        for names in _list_names(document, "recipients"):
            yield _make_box(ConsentKind.PROVISION, names, _write(document, names, _PROVISION))


def _list_names(document: NoticeDocument, slot: str) -> Iterator[Text]:
    """Yield each company by language; a language with fewer lines has the first one's names."""
    locales = document.list_locales()
    lines = {locale: list_lines(document.get(slot, locale)) for locale in locales}
    first = next(iter(lines.values()), [])
    for place, name in enumerate(first):
        yield {
            locale: found[place] if place < len(found) else name for locale, found in lines.items()
        }


def _make_box(kind: ConsentKind, names: Text, label: Text) -> Question:
    name = next(iter(names.values()))
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return Question(
        id=f"{kind}_{digest}",
        kind=QuestionKind.CONSENT,
        label=label,
        help={locale: _HELP[locale] for locale in names},
        consent=kind,
        recipient=name,
    )


def _write(document: NoticeDocument, names: Text, templates: Text) -> Text:
    return {
        locale: templates[locale].format(
            name=name, items=flatten(document.get("provided_items", locale))
        )
        for locale, name in names.items()
    }
