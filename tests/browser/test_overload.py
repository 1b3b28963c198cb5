"""Too many come while a person sends a form: what they typed is kept, and sent once."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect
from sqlalchemy.exc import OperationalError

from cli.web_server import WAITED_SECONDS, WAITING
from services.questions import Question, QuestionKind
from tests.browser.steps import JOIN, expect_room_of, fill_in, heading, send
from tests.factories import COMPANY, PRIVACY
from tests.fixtures.databases import only_sqlite

pytestmark = [pytest.mark.browser, only_sqlite]

BUSY = "ただいま混み合っています"
DONE = "お申し込みが完了しました"
COMMENT = Question("comment", QuestionKind.TEXTAREA, {"ja": "ご質問", "en": "Comment"})


class Crowd:
    """Says of every request, while it is there, that it has waited long among many.

    Only what a page says of itself is let through: it may come late, and the browser complains of
    what is turned away.
    """

    def __init__(self, application):
        self.is_there = False
        self._application = application

    def __call__(self, environ, start_response):
        if self.is_there and "/seen/" not in environ["PATH_INFO"]:
            environ |= {WAITED_SECONDS: 2.0, WAITING: 900}
        return self._application(environ, start_response)


@pytest.fixture
def crowd(site):
    site.app.wsgi_app = Crowd(site.app.wsgi_app)
    return site.app.wsgi_app


@pytest.fixture
def hurry(monkeypatch):
    monkeypatch.setattr("views.overload.RETRY_SECONDS", [2])


def fill_all(tab):
    fill_in(tab, **{"姓": "髙橋"})
    tab.get_by_label("40代").check()
    tab.get_by_label("その他", exact=True).check()
    tab.locator("[name=question_reason_other]").fill('"R&D" <b>')


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without"])
def test_answers_are_kept_and_sent_once(stage, crowd, hurry, open_tab, has_script):
    stage.add_event("spring")
    tab = open_tab(java_script_enabled=has_script)
    tab.goto(stage.address("spring"))
    fill_all(tab)

    crowd.is_there = True
    send(tab)
    expect(heading(tab)).to_have_text(BUSY)
    assert stage.site.count_rows("registration") == 0

    if has_script:
        expect(tab.get_by_text("秒で自動的に送信します")).to_be_visible()
    else:
        expect(tab.get_by_role("button")).to_have_text(["もう一度送信する"])
        tab.get_by_role("button", name="もう一度送信する").click()
        expect(heading(tab)).to_have_text(BUSY)
    crowd.is_there = False
    if not has_script:
        tab.get_by_role("button", name="もう一度送信する").click()

    expect(heading(tab)).to_have_text(DONE)
    expect(tab.get_by_text("髙橋 太郎 様")).to_be_visible()
    expect(tab.get_by_text("40代")).to_be_visible()
    expect(tab.get_by_text('"R&D" <b>')).to_be_visible()
    assert stage.is_registered("spring", "taro@example.com")
    assert stage.site.count_rows("submission") == 1


@pytest.mark.parametrize("trouble", ["crowd", "database"])
def test_lines_are_kept_as_they_were_typed(stage, crowd, open_tab, monkeypatch, trouble):
    stage.add_event("spring", questions=(COMMENT, replace(COMPANY, required=True), PRIVACY))
    tab = open_tab()
    tab.goto(stage.address("spring"))
    fill_in(tab)
    tab.locator("[name=question_comment]").fill("  一行目\n\n三行目 ")
    posts = []
    tab.on("request", lambda request: posts.append(request) if request.method == "POST" else None)

    with monkeypatch.context() as broken:
        if trouble == "crowd":
            broken.setattr(crowd, "is_there", True)
        else:
            broken.setattr(stage.site.database, "fetch", lose_database)
        send(tab)
        expect(tab.get_by_role("button", name="もう一度送信する")).to_be_visible()
    tab.get_by_role("button", name="もう一度送信する").click()

    expect(heading(tab)).to_have_text(DONE)
    typed = [parse_qs(post.post_data)["question_comment"] for post in posts]
    assert typed == [["  一行目\r\n\r\n三行目 "]] * 2


def lose_database(*_):
    raise OperationalError("SELECT 1", {}, Exception("the database is away"))


def test_sending_by_itself_can_be_stopped(stage, crowd, hurry, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.clock.install()
    tab.goto(stage.address("spring"))
    fill_all(tab)
    crowd.is_there = True
    send(tab)
    crowd.is_there = False

    tab.get_by_role("button", name="自動で送信しない").click()

    expect(tab.get_by_text("秒で自動的に送信します")).to_be_hidden()
    tab.clock.fast_forward(60_000)
    tab.wait_for_timeout(300)
    expect(heading(tab)).to_have_text(BUSY)
    tab.get_by_role("button", name="もう一度送信する").click()
    expect(heading(tab)).to_have_text(DONE)


def test_focus_stays_at_the_buttons_when_the_countdown_is_stopped(stage, crowd, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    crowd.is_there = True
    tab.goto(stage.address("spring"))

    tab.get_by_role("button", name="自動で開かない").press("Enter")

    expect(tab.get_by_role("link", name="今すぐ開く")).to_be_focused()


def test_two_clicks_send_once(stage, crowd, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    fill_all(tab)
    crowd.is_there = True
    send(tab)
    crowd.is_there = False
    posts = []
    tab.on("request", lambda request: posts.append(request) if request.method == "POST" else None)

    tab.get_by_role("button", name="もう一度送信する").dblclick()

    expect(heading(tab)).to_have_text(DONE)
    assert len(posts) == 1
    assert stage.site.count_rows("submission") == 1


def test_consent_that_was_not_given_is_not_given_by_sending_again(stage, crowd, open_tab):
    stage.add_event("spring")
    tab = open_tab()
    tab.goto(stage.address("spring"))
    fill_all(tab)
    tab.locator("[name=question_privacy]").uncheck()
    crowd.is_there = True
    send(tab)
    crowd.is_there = False

    tab.get_by_role("button", name="もう一度送信する").click()

    expect(tab.get_by_role("alert")).to_contain_text("同意が必要です")
    assert stage.site.count_rows("registration") == 0


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without"])
def test_page_opens_by_itself_after_a_while(stage, crowd, hurry, open_tab, has_script):
    event = stage.add_event("spring")
    tab = open_tab(java_script_enabled=has_script)
    crowd.is_there = True
    tab.goto(stage.address("spring"))
    expect(heading(tab)).to_have_text(BUSY)

    crowd.is_there = False

    expect(heading(tab)).to_have_text(event.title["ja"])


def test_join_button_that_was_turned_away_leads_to_zoom_after_all(stage, crowd, open_tab):
    stage.add_event("spring")
    stage.register("spring", "taro@example.com")
    stage.site.wait_until(lambda: stage.site.mailbox.list_mails("taro@example.com"))
    tab = open_tab()
    tab.goto(stage.join("taro@example.com"))
    crowd.is_there = True
    tab.get_by_role("button", name=JOIN["ja"]).click()
    expect(heading(tab)).to_have_text(BUSY)
    crowd.is_there = False

    tab.get_by_role("button", name=JOIN["ja"]).click()

    expect_room_of(tab, "太郎 山田", "taro@example.com")
