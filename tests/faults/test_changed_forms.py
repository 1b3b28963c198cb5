"""F32: the form, or the event, changes between the page and its sending."""

from dataclasses import replace

import pytest

from forms.details import DetailsForm
from services.questions import Choice, Question, QuestionKind, question_to_dict
from storage import events, registrations
from tests.factories import COMPANY, PRIVACY
from tests.faults.journals import Answer, settle
from tests.fixtures.databases import open_database
from tests.organizer import Organizer
from tests.people import TARO
from tests.program import Program, make_key
from tests.series import list_ids, make_series
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
CHANGED = "ページを開いた後にフォームの内容が変わりました"
UNSAVED = CHANGED + "。入力内容はまだ保存されていません。"
SAVED = "登録内容を変更しました。"


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

    assert CHANGED in again.text
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

    assert CHANGED in again.text
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


def open_edit(site):
    receipt = site.visitor().open("/e/spring").form().fill(**TARO).submit()
    edit = receipt.follow("登録内容の変更・キャンセル").follow("登録内容を変更する")
    return edit.form("変更を保存する")


def read_details(site, organizer):
    person = organizer.find(TARO["email"])
    with site.database.read() as session:
        rows = registrations.list_answers(session, person.id)
    return person.given_name, {row.question_id: row.value for row in rows}


def publish_once_checked(site, event, questions, monkeypatch):
    """Have another process publish between a form's check and its transaction."""
    validate = DetailsForm.validate

    def validate_slowly(form):
        is_valid = validate(form)
        monkeypatch.setattr(DetailsForm, "validate", validate)
        publish_elsewhere(site, event, questions)
        return is_valid

    monkeypatch.setattr(DetailsForm, "validate", validate_slowly)


def test_f32_changed_form_of_the_personal_page_comes_back_filled_in(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    form = open_edit(site).fill(given_name="太朗", question_company="見本商店")
    organizer.change_form((WAY, PRIVACY))

    again = form.submit(status=422)

    assert UNSAVED in again.text
    assert read_details(site, organizer) == ("太郎", {"company": "例株式会社"})
    filled = again.form("変更を保存する")
    assert filled["given_name"] == "太朗" and "question_way" in again.response.text
    assert SAVED in filled.fill(question_way="web").submit().text
    assert read_details(site, organizer) == ("太朗", {"company": "例株式会社", "way": "web"})


def test_f32_mistake_in_a_changed_form_of_the_personal_page_hides_no_word_of_the_change(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    form = open_edit(site).fill(given_name="", question_company="見本商店")
    organizer.change_form((COMPANY, WAY, PRIVACY))

    again = form.submit(status=422)

    assert UNSAVED in again.text and "お名前（名）を入力してください" in again.errors
    filled = again.form("変更を保存する")
    assert filled["question_company"] == "見本商店"
    assert SAVED in filled.fill(given_name="太朗", question_way="web").submit().text


def test_f32_form_of_the_personal_page_that_another_process_changes_meanwhile_comes_back(
    site, monkeypatch
):
    event = site.add_event(slug="spring")
    form = open_edit(site).fill(question_company="見本商店")
    publish_once_checked(site, event, (WAY, PRIVACY), monkeypatch)

    again = form.submit(status=422)

    assert UNSAVED in again.text and "question_company" not in again.response.text
    assert read_details(site, Organizer(site, event)) == ("太郎", {"company": "例株式会社"})


def test_f32_page_of_an_older_version_that_names_no_form_is_taken(site):
    organizer = Organizer(site, site.add_event(slug="spring"))
    form = open_edit(site).fill(question_company="見本商店")
    form.fields = [pair for pair in form.fields if pair[0] != "form_version"]

    assert SAVED in form.submit().text
    assert read_details(site, organizer) == ("太郎", {"company": "見本商店"})


@pytest.mark.parametrize("is_meanwhile", [False, True])
def test_f32_changed_form_for_coming_back_comes_back_filled_in(site, monkeypatch, is_meanwhile):
    with site.database.write() as session:
        event = make_series(session, site.zoom, now=site.clock(), slug="spring")
    dates = list_ids(event)
    form = site.visitor().open("/e/spring").form("同意して申し込む")
    receipt = form.fill(**TARO, question_event_dates=dates[:1]).submit()
    personal = receipt.follow("登録内容の変更・キャンセル")
    gone = personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    form = gone.follow("もう一度申し込む").form("もう一度申し込む")
    form.fill(question_company="見本商店", question_event_dates=dates[1:])
    if is_meanwhile:
        publish_once_checked(site, event, (COMPANY, WAY, PRIVACY), monkeypatch)
    else:
        publish_elsewhere(site, event, (COMPANY, WAY, PRIVACY))

    again = form.submit(status=422)

    assert UNSAVED in again.text
    filled = again.form("もう一度申し込む")
    assert filled["question_company"] == "見本商店"
    assert filled.list_values("question_event_dates") == dates[1:]
    back = filled.fill(question_way="web").submit()
    assert "あらためてお申し込みを受け付けました。" in back.text
