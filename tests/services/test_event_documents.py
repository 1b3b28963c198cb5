"""Events as files: whole, and with each kind of mistake."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.default_form import default_questions
from services.default_notice import Operator
from services.event_documents import EventDocument, read_document, set_schedule, write_document
from services.questions import Choice, Condition, Question, QuestionKind
from services.tables import DocumentError
from zoom_client import Kind

EXAMPLES = Path(__file__).parents[2] / "examples"

SHORT = """
slug = "autumn"
kind = "webinar"

[title]
ja = "秋の講座"
"""


def make_document(**changes):
    document = EventDocument(
        slug="autumn-2026",
        kind=Kind.WEBINAR,
        zoom_id=81234567890,
        zoom_name_order="family_first",
        default_locale="en",
        starts_at=datetime(2026, 12, 10, 5, tzinfo=UTC),
        duration_minutes=90,
        timezone="Asia/Tokyo",
        capacity=40,
        has_waitlist=True,
        opens_at=datetime(2026, 11, 1, tzinfo=UTC),
        closes_at=datetime(2026, 12, 9, 15, tzinfo=UTC),
        approval="manual",
        bot_check="always",
        link_policy="code",
        fallback_url="https://example.com/live",
        brand_color="#0b5cff",
        title={"ja": "秋の講座", "en": "Autumn “course” \\ 2026"},
        lead={"ja": "一行目\n二行目\n"},
        description={"en": '### Program\n\n- "one"\n- two\ttabs \\ and """quotes"""\n'},
        fee={"en": "Free"},
        cohost={"ja": "見本協会"},
        questions=default_questions("en", Operator(name="サンプル")),
    )
    return replace(document, **changes)


def test_document_is_read_back_as_it_was_written():
    document = make_document()
    assert read_document(write_document(document)) == document


def test_every_kind_of_question_is_read_back():
    questions = tuple(
        Question(
            id=f"q_{kind}",
            kind=kind,
            label={"ja": f"質問 {kind}"},
            help={"en": "Help"},
            required=True,
            choices=(Choice("a", {"ja": "あ"}), Choice("b", {"en": "B" * 90})),
            has_other=True,
            max_length=7,
            autocomplete="off",
            zoom_title=f"Question {kind}",
        )
        for kind in QuestionKind
        if kind is not QuestionKind.CONSENT
    )
    follow_up = Question(
        id="why",
        kind=QuestionKind.NUMBER,
        label={"en": "Why?"},
        condition=Condition("q_select", ("a", "b")),
        minimum="1",
        maximum="9",
        zoom_field="comments",
    )
    document = make_document(questions=(*questions, follow_up))
    assert read_document(write_document(document)) == document


@pytest.mark.parametrize("name", ["demo.toml", "demo-en.toml"])
def test_examples_are_read_and_written_back(name):
    document = read_document((EXAMPLES / name).read_text(encoding="utf-8"))
    assert document.slug == name.removesuffix(".toml")
    assert set(document.title) == set(document.description) == {"ja", "en"}
    assert read_document(write_document(document)) == document


def test_short_file_leaves_the_rest_to_zoom_and_defaults():
    document = read_document(SHORT)
    assert (document.zoom_id, document.questions, document.has_schedule) == (None, None, False)
    starts_at = datetime(2026, 12, 10, 5, tzinfo=UTC)
    filled = set_schedule(document, starts_at=starts_at, duration_minutes=45, timezone="Asia/Tokyo")
    assert (filled.starts_at, filled.duration_minutes, filled.timezone) == (
        starts_at,
        45,
        "Asia/Tokyo",
    )


def test_time_without_offset_is_local_to_the_event():
    text = 'starts_at = 2026-12-10 14:00:00\ntimezone = "Asia/Tokyo"\n' + SHORT
    assert read_document(text).starts_at == datetime(2026, 12, 10, 5, tzinfo=UTC)


def test_windows_line_ends_are_read_like_others():
    assert read_document(SHORT.replace("\n", "\r\n")) == read_document(SHORT)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("capacty = 5", "capacty is not a key that is known here"),
        ('capacity = "many"', "capacity must be a whole number"),
        ("capacity = true", "capacity must be a whole number"),
        ("capacity = 0", "capacity must be 1 to 100000, not 0"),
        ("zoom_id = -4", "zoom_id must be 1 to"),
        ("has_waitlist = 1", "has_waitlist must be true or false"),
        ('approval = "maybe"', "approval must be one of automatic, manual, not 'maybe'"),
        ('link_policy = "post"', "link_policy must be one of show, code, mail"),
        ('default_locale = "fr"', "default_locale must be one of ja, en"),
        ('timezone = "Mars/Base"', "timezone must be a name such as Asia/Tokyo"),
        ('timezone = "../../etc/passwd"', "timezone must be a name such as Asia/Tokyo"),
        ('starts_at = "tomorrow"', "starts_at must be a date and time such as"),
        ("starts_at = 2026-12-10", "starts_at must be a date and time such as"),
        ("starts_at = 2026-12-10 14:00:00", "starts_at needs the key timezone"),
        (
            "opens_at = 2026-12-10 14:00:00Z\ncloses_at = 2026-12-10 14:00:00Z",
            "closes_at must be after opens_at",
        ),
        ("duration_minutes = 2000", "duration_minutes must be 1 to 1440"),
        ('brand_color = "red"', "brand_color must be written as #0b5cff"),
        ('fallback_url = "http://example.com"', "fallback_url must be like https://"),
        ('fallback_url = "javascript:alert(1)"', "fallback_url must be like https://"),
        ('fallback_url = "https://例え.jp/x"', "fallback_url must be like https://"),
        ('fallback_url = "https://a.example;script-src *"', "fallback_url must be like https://"),
        ('fallback_url = "https://me@a.example/"', "fallback_url must be like https://"),
        ('lead = "Hello"', "lead must be a table"),
        ('fee = { fr = "gratuit" }', "fee.fr is not a key that is known here"),
        ('fee = { ja = "\\u0000" }', "fee.ja has a control character"),
        (f'fee = {{ ja = "{"長" * 201}" }}', "fee.ja has more than 200 characters"),
        (
            f'description = {{ ja = "{"a|" * 21}a\\n{"-|" * 21}-" }}',
            "description has tables of more than 20 columns",
        ),
        ("logo = { alt = { ja = 'x' } }", "logo.file is missing"),
        ("organization = {}", "organization.name is missing"),
        ('organization = { name = " " }', "organization.name is empty"),
        ('organization = { name = "A", fax = "1" }', "organization.fax is not a key"),
        ("questions = [1]", "questions must be a list of tables"),
        ('questions = [{ id = "a" }]', "questions[1].kind is missing"),
        ('questions = [{ kind = "magic" }]', "questions[1].kind must be one of text,"),
        ('questions = [{ kind = "text" }]', "questions[1].id is missing"),
        ('questions = [{ id = "a", kind = "text" }]', "question 'a' has no label"),
        ('questions = [{ id = "a", kind = "consent" }]', "questions[1].consent belongs to"),
        (
            'questions = [{ id = "a", kind = "radio", label = { en = "A" }, '
            "choices = [{ value = 1 }] }]",
            "questions[1].choices[1].value must be a text in quotes",
        ),
        (
            'questions = [{ id = "a", kind = "text", label = { en = "A" }, zoom_field = "email" }]',
            "questions[1].zoom_field must be one of address,",
        ),
        (
            'questions = [{ id = "a", kind = "text", label = { en = "A" }, '
            'condition = { question_id = "b", values = [1] } }]',
            "questions[1].condition.values must be a list of texts",
        ),
        (
            'questions = [{ id = "a", kind = "text", label = { en = "A" }, '
            'condition = { question_id = "b", values = ["1"] } }]',
            "question 'a' has a condition on something that isn't an earlier question",
        ),
    ],
)
def test_mistake_is_named_by_its_key(line, words):
    with pytest.raises(DocumentError) as refusal:
        read_document(f"{line}\n{SHORT}")
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slug =", "This is not TOML"),
        ("", "slug is missing"),
        ('slug = "a"', "kind is missing: webinar or meeting"),
        ('slug = "a"\nkind = "meeting"', "title is missing"),
        ('slug = "a"\nkind = "meeting"\ntitle = {}', "title is missing"),
    ],
)
def test_what_is_missing_is_named(text, words):
    with pytest.raises(DocumentError, match=words):
        read_document(text)


@pytest.mark.parametrize("slug", ["", "A", "a b", "a--b", "-a", "a/b", "秋", "a" * 81, "a\n"])
def test_slug_that_makes_no_address_is_refused(slug):
    with pytest.raises(DocumentError, match="slug"):
        read_document(SHORT.replace('"autumn"', f"'''{slug}'''"))
