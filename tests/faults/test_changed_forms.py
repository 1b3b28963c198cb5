"""F32: the form, or the event, changes between the page and its sending."""

from dataclasses import replace

import pytest

from services.questions import Choice, Question, QuestionKind, question_to_dict
from storage import events
from tests.factories import COMPANY, PRIVACY
from tests.faults.journals import Answer, settle
from tests.fixtures.databases import open_database
from tests.organizer import Organizer
from tests.people import TARO
from tests.program import Program, make_key
from views import event_pages

WAY = Question(
    "way",
    QuestionKind.RADIO,
    {"ja": "知ったきっかけ", "en": "How you heard of it"},
    choices=(Choice("mail", {"ja": "メール", "en": "Mail"}), Choice("web", {"ja": "Web"})),
)
LESS = replace(WAY, choices=WAY.choices[1:])
NEW_WORDS = replace(PRIVACY, label={"ja": "新しい「個人情報の取扱い」に同意する"})

CHANGES = {
    "a question is gone": (WAY, PRIVACY),
    "a choice is gone": (COMPANY, LESS, PRIVACY),
    "a consent has other words": (COMPANY, WAY, NEW_WORDS),
}


def publish_elsewhere(site, event, questions, **members):
    """Have another process publish a form, of which this one hears nothing."""
    elsewhere = open_database(site.database.url.render_as_string(hide_password=False))
    with elsewhere.write() as session:
        changed = events.need_event(session, event.id)
        rows = [question_to_dict(question) for question in questions]
        events.add_form_version(session, changed, rows, now=site.clock())
        for name, value in members.items():
            setattr(changed, name, value)
    elsewhere.dispose()


@pytest.mark.parametrize("questions", CHANGES.values(), ids=CHANGES)
def test_f32_changed_form_comes_back_filled_in(site, questions):
    organizer = Organizer(site, site.add_event(slug="spring", questions=(COMPANY, WAY, PRIVACY)))
    form = site.visitor().open("/e/spring").form().fill(**TARO, question_way="mail")
    organizer.change_form(questions)

    again = form.submit(status=422)

    assert "ページを開いた後にフォームの内容が変わりました" in again.text
    assert site.count_rows("submission") == 0
    filled = again.form()
    assert filled["email"] == TARO["email"] and filled["family_name"] == TARO["family_name"]
    receipt = filled.fill(question_way="web", question_privacy="yes").submit()
    assert receipt.heading == "お申し込みが完了しました"
    path = receipt.url.removeprefix(site.url).partition("?")[0]
    settle(site, [Answer(TARO["email"], path, receipt.response.text)])


def test_f32_event_that_closed_meanwhile_says_so(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    organizer.change_event(closes_at=site.clock())

    page = form.submit(status=409)

    assert "受付を終了しました" in page.text
    assert site.count_rows("submission") == site.count_rows("registration") == 0


def test_f32_form_that_another_process_changed_a_moment_ago_comes_back(site, monkeypatch):
    monkeypatch.setattr(event_pages, "GLANCE_SECONDS", 1e9)
    event = site.add_event(slug="spring", questions=(COMPANY, PRIVACY))
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    publish_elsewhere(site, event, (COMPANY, WAY, NEW_WORDS))

    again = form.submit(status=422)

    assert "ページを開いた後にフォームの内容が変わりました" in again.text
    assert site.count_rows("submission") == 0
    filled = again.form()
    assert filled["email"] == TARO["email"] and filled["family_name"] == TARO["family_name"]
    monkeypatch.setattr(event_pages, "GLANCE_SECONDS", 0.1)
    receipt = filled.fill(question_way="web", question_privacy="yes").submit()
    assert receipt.heading == "お申し込みが完了しました"


def test_f32_event_that_another_process_changed_and_closed_says_so(site, monkeypatch):
    monkeypatch.setattr(event_pages, "GLANCE_SECONDS", 1e9)
    event = site.add_event(slug="spring", questions=(COMPANY, PRIVACY))
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    publish_elsewhere(site, event, (COMPANY, WAY, PRIVACY), closes_at=site.clock())

    assert "受付を終了しました" in form.submit(status=409).text
    assert site.count_rows("submission") == 0


def test_f32_program_is_told_of_a_form_that_another_process_changed_a_moment_ago(site, monkeypatch):
    monkeypatch.setattr(event_pages, "GLANCE_SECONDS", 1e9)
    event = site.add_event(slug="spring", questions=(COMPANY, PRIVACY))
    program = Program(site, make_key(site))
    program.get("/events/spring/form")
    site.visitor().open("/e/spring")
    publish_elsewhere(site, event, (COMPANY, WAY, NEW_WORDS))

    answer = program.register()

    told = answer.json()
    assert (answer.status_code, told["form_version"]) == (409, 2)
    assert told["type"] == "/api/v1/docs#problem-form-changed"
    assert site.count_rows("submission") == 0
