"""Programs register people: by the form's rules, with no more told than the form tells."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from forms.questions import get_field_name
from services.api_keys import Scope
from services.default_form import default_questions
from services.questions import Choice, ConsentKind, Question, QuestionKind, question_to_dict
from storage import events, registrations
from storage.api_keys import list_names
from storage.models import Consent
from tests.factories import COMPANY, PRIVACY
from tests.faults.crowd import Crowd
from tests.fixtures.databases import only_sqlite
from tests.installation import wait_until
from tests.mailbox import find_link
from tests.people import HANAKO
from tests.program import TARO, Program, make_key, name_faults
from tests.series import list_ids, make_series
from tests.stage import OPERATOR
from views.api import registering
from views.even_time import EVEN_SECONDS

pytestmark = only_sqlite

NEWS = Question(
    "news", QuestionKind.CONSENT, {"ja": "案内を受け取る"}, consent=ConsentKind.MARKETING
)
INDUSTRY = Question(
    "industry",
    QuestionKind.RADIO,
    {"ja": "業種"},
    required=True,
    choices=(Choice("it", {"ja": "IT"}), Choice("other", {"ja": "その他"})),
    has_other=True,
)


def find_person(site, email="taro@example.com", slug="spring"):
    with site.database.read() as session:
        event = events.get_event_by_slug(session, slug)
        return registrations.get_registration_by_email_key(session, event.id, email)


def test_person_is_registered_and_joins(site, program):
    answer = program.register(source={"utm_source": "crm", "utm_term": "x" * 300})
    site.drain()

    assert answer.status_code == 201
    told = answer.json()
    person = find_person(site)
    assert told | {"receipt": "", "join_url": "", "number": ""} == {
        "number": "",
        "receipt": "",
        "state": "confirmed",
        "link": "shown",
        "join_url": "",
        "waitlist_position": None,
        "registration": person.public_id,
    }
    assert (person.surface, person.locale) == ("api", "ja")
    key = person.source.pop("api_key")
    assert person.source == {"utm_source": "crm", "utm_term": "x" * 100}
    with site.database.read() as session:
        assert list_names(session, [key]) != {}, "who reads it knows which program has sent it"
    visitor = site.visitor()
    assert told["number"] in visitor.open(told["receipt"]).text
    room = visitor.open(told["join_url"]).form().leave()
    assert "taro@example.com" in site.read_room(room)
    mail = site.mailbox.read_only("taro@example.com")
    assert find_link(mail, "j") != told["join_url"], "the screen's link proves no address"


def test_key_that_only_writes_learns_nothing_of_people(site, program):
    writer = Program(site, make_key(site, [Scope.REGISTRATIONS_WRITE]))

    assert "registration" not in writer.register().json()


@pytest.mark.parametrize("policy", ["show", "code", "mail"])
def test_known_address_is_answered_by_the_policy(site, policy):
    site.add_event(slug="spring", link_policy=policy)
    writer = Program(site, make_key(site, [Scope.REGISTRATIONS_WRITE]))
    [new, known] = [writer.register(), writer.register(given_name="次郎")]

    def describe(answer):
        told = answer.json()
        return answer.status_code, {n: v for n, v in told.items() if n not in ("number", "receipt")}

    by_mail = {"state": "mailed", "link": "code" if policy == "code" else "mail"}
    assert describe(known) == (201, by_mail | {"join_url": None, "waitlist_position": None})
    if policy == "show":
        assert describe(new)[1]["link"] == "shown"
    else:
        assert describe(new) == describe(known)
    assert find_person(site).given_name == "太郎"


def test_full_event_tells_no_known_address_from_a_new_one(site):
    site.add_event(slug="spring", link_policy="code", capacity=1)
    program = Program(site, make_key(site))
    program.register()
    answers = [program.register(email=email) for email in ("taro@example.com", "new@example.com")]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["state"] == "full"
    assert min(answer.elapsed.total_seconds() for answer in answers) >= EVEN_SECONDS


def test_form_and_program_are_told_the_same(site):
    """What the form refuses, the API refuses, in the same words, for each kind of question."""
    questions = tuple(default_questions("ja", OPERATOR)) + (INDUSTRY,)
    site.add_event(slug="spring", questions=questions)
    program = Program(site, make_key(site))
    cases = [
        {"email": "taro@"},
        {"email": "taro@gmial.com"},
        {"family_name": "", "given_name": "x" * 65},
        {"answers": {"company": "x" * 300, "age_band": "none", "prefecture": "JP-99"}},
        {"answers": {"industry": "other", "industry_other": "x" * 300}},
        {"answers": {"company": ["a", "b"], "reason": ["learn", "made up"]}},
        {"consents": {"privacy": False}},
        {"family_name": "a\u202eb\u0000"},
    ]
    for case in cases:
        body = TARO | case
        told = program.register(**case).json()["errors"]
        typed = {name: body[name] for name in ("family_name", "given_name", "email")}
        typed |= {get_field_name(name): value for name, value in body["answers"].items()}
        typed["question_privacy"] = "yes" if body["consents"]["privacy"] else []
        page = site.visitor().open("/e/spring")
        fields = [pair for pair in page.form().fields if pair[0] == "form_token"]
        for name, value in typed.items():
            fields += [(name, text) for text in (value if isinstance(value, list) else [value])]
        answer = page.visitor.post("/e/spring", fields, status=422)
        shown = {error["detail"] for error in told if error["detail"] != SAY}
        assert shown == set(answer.errors), case


SAY = "同意するかどうかを true か false で示してください"


def test_every_box_has_to_be_answered_and_is_kept_as_evidence(site):
    site.add_event(slug="spring", questions=(COMPANY, PRIVACY, NEWS))
    program = Program(site, make_key(site))

    assert name_faults(program.register()) == {"/consents/news": "required"}
    assert name_faults(program.register(consents={"privacy": True, "news": "yes"})) == {
        "/consents/news": "type"
    }
    assert name_faults(program.register(consents={"privacy": False, "news": True})) == {
        "/consents/privacy": "required"
    }
    assert program.register(consents={"privacy": True, "news": False}).status_code == 201
    with site.database.read() as session:
        kept = [(box.question_id, box.is_given, box.surface) for box in session.query(Consent)]
    assert sorted(kept) == [("news", False, "api"), ("privacy", True, "api")]


def test_form_that_was_changed_since_is_refused(site, program):
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        questions = [question_to_dict(question) for question in (PRIVACY, NEWS)]
        events.add_form_version(session, event, questions, now=site.clock())

    answer = program.register()

    assert answer.status_code == 409
    told = answer.json()
    assert (told["type"], told["form_version"]) == ("/api/v1/docs#problem-form-changed", 2)
    form = program.get(told["form"].partition("/api/v1")[2]).json()
    boxes = {box["id"]: True for box in form["consents"]}
    again = program.register(form_version=form["form_version"], consents=boxes, answers={})
    assert again.status_code == 201


def test_mistyped_address_is_asked_about(site, program):
    answer = program.register(email="taro@gmial.com")

    assert name_faults(answer) == {"/email": "suggestion"}
    assert answer.json()["errors"][0]["suggestion"] == "taro@gmail.com"
    assert program.register(email="taro@gmial.com", email_is_right=True).status_code == 201
    assert find_person(site, "taro@gmial.com") is not None


def test_who_is_too_young_leaves_nothing(site):
    site.add_event(slug="spring", least_age=18)
    program = Program(site, make_key(site))

    assert name_faults(program.register()) == {"/is_old_enough": "required"}
    young = program.register(is_old_enough=False, email="young@example.com")
    assert (young.status_code, site.count_rows("submission")) == (409, 0)
    assert "too-young" in young.json()["type"]
    assert program.register(is_old_enough=True).status_code == 201


def test_errors_are_in_the_language_that_is_asked_for(program):
    def read(**members):
        return program.register(family_name="", **members).json()["errors"][0]["detail"]

    assert read(language="en") == "Enter your last name"
    assert read(language="ja") == "お名前（姓）を入力してください"
    body = {name: value for name, value in TARO.items() if name != "language"}
    answer = program.ask(
        "POST",
        "/events/spring/registrations",
        json=body | {"family_name": ""},
        headers={"Accept-Language": "en"},
    )
    assert answer.json()["errors"][0]["detail"] == "Enter your last name"


def test_what_is_unknown_or_of_another_type_is_named(program):
    answer = program.register(
        status="approved",
        form_version="1",
        email=5,
        answers={"nothing": "x", "company": {"a": 1}, "privacy": "yes", "company_other": "x"},
        consents={"company": True, "privacy": None},
        source={"utm_source": 1, "x/y~z": "x"},
        language="fr",
    )

    assert name_faults(answer) == {
        "/language": "invalid",
        "/form_version": "type",
        "/source/x~1y~0z": "unknown",
        "/source/utm_source": "type",
        "/status": "unknown",
        "/email": "type",
        "/answers/nothing": "unknown",
        "/answers/company": "type",
        "/answers/privacy": "unknown",
        "/answers/company_other": "unknown",
        "/consents/company": "unknown",
        "/consents/privacy": "type",
    }


SHAPES = {
    b"": 400,
    b"{": 400,
    b"[]": 422,
    b"null": 422,
    b'{"email": "a", "email": "b"}': 400,
    b'{"form_version": NaN}': 400,
    b'{"form_version": 1e999}': 422,
    b'{"form_version": ' + b"1" * 5_000 + b"}": 400,
    b'{"email": "\xff"}': 400,
    b'{"email": "\\ud800"}': 400,
    b'{"email": "\\u0000"}': 422,
    b"\xef\xbb\xbf{}": 400,
    b"[" * 100_000: 400,
    b'{"answers":' * 20_000 + b"1": 400,
    b'{"answers": {"company": ' + b"[" * 90 + b"]" * 90 + b"}}": 422,
    b'{"answers": {' + b",".join(b'"a%d":1' % n for n in range(20_000)) + b"}}": 422,
    b'{"email": "' + b"a" * 250_000 + b'@example.com"}': 422,
    b'{"email": "' + b"a" * 300_000 + b'"}': 413,
}


def test_bodies_of_any_shape_are_answered(program):
    for body, status in SHAPES.items():
        answer = program.ask(
            "POST",
            "/events/spring/registrations",
            data=body,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == status, (body[:60], answer.text[:300])
        assert answer.elapsed.total_seconds() < 2
    for kind in ("text/plain", "application/json; charset=shift_jis", "application/x-json", ""):
        answer = program.ask(
            "POST", "/events/spring/registrations", data=b"{}", headers={"Content-Type": kind}
        )
        assert answer.status_code == 415, kind

    assert program.register().status_code == 201


def test_body_in_chunks_is_bounded_too(program):
    def send():
        for _ in range(30):
            yield b"x" * 10_000

    answer = program.ask(
        "POST",
        "/events/spring/registrations",
        data=send(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 413


def test_methods_that_do_not_work_are_named(program):
    answer = program.ask("DELETE", "/events/spring/registrations")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    options = program.ask("OPTIONS", "/events/spring/registrations")
    assert (options.status_code, options.headers["Allow"]) == (200, answer.headers["Allow"])
    assert program.ask("HEAD", "/events").status_code == 200
    assert program.get("/nothing").status_code == 404
    assert program.ask("POST", "/events/spring/registrations", params={"x": "1"}).status_code == 400


def test_dates_of_a_series_are_chosen(site):
    with site.database.write() as session:
        event = make_series(session, site.zoom, now=site.clock(), slug="spring")
        ids = list_ids(event)
    program = Program(site, make_key(site))
    [asked] = [q for q in program.get("/events/spring/form").json()["questions"] if q["choices"]]

    assert (asked["id"], [choice["value"] for choice in asked["choices"]]) == ("event_dates", ids)
    assert name_faults(program.register()) == {"/answers/event_dates": "required"}
    assert name_faults(program.register(answers={"event_dates": ["1"]})) == {
        "/answers/event_dates": "invalid"
    }
    answer = program.register(answers={"event_dates": ids[1:]})
    path = f"/events/spring/registrations/{answer.json()['registration']}"
    assert program.get(path).json()["answers"] == {"event_dates": ids[1:]}


def test_held_submission_says_so(site, program, monkeypatch):
    register = registering.register

    def hold(session, event, submission, **options):
        return register(session, event, replace(submission, is_suspicious=True), **options)

    monkeypatch.setattr(registering, "register", hold)
    told = program.register().json()

    assert (told["state"], told["link"]) == ("held", "none")
    assert site.count_rows("registration") == 0


def test_programs_and_people_who_register_at_once_share_a_commit(site, program):
    ends: list[str] = []
    queue = site.database._write_queue
    crowd = Crowd(site.url)
    form = crowd.fill_in(HANAKO)
    assert program.get("/events").ok, "a key's first use is stored by itself"
    with ThreadPoolExecutor(2) as hands:
        with site.database.write() as session:
            driver = session.pooled.driver_connection
            both = [hands.submit(program.register), hands.submit(crowd.send, form)]
            wait_until(lambda: queue.count_waiting() == len(both))
            driver.set_trace_callback(ends.append)
        registered, sent = (done.result() for done in both)
        driver.set_trace_callback(None)

    assert registered.status_code == 201 and sent.receipt
    assert ends.count("COMMIT") == 2, "of who was before them, and theirs"
