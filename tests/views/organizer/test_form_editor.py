"""Editing an event's form from the dashboard: each act, in steps, by several people."""

from datetime import timedelta

import pytest

from services import facets
from services.events import read_current_form
from services.form_drafts import read_edited_form
from services.members import Role
from services.questions import Choice, Condition, Question, QuestionKind
from storage import events, organizations, registrations
from storage.models import Registration
from tests.dashboard import sign_in
from tests.factories import COMPANY, PRIVACY
from tests.fixtures.databases import only_sqlite
from tests.page import Form
from tests.people import TARO
from views.places import name_place
from zoom_client import Kind

pytestmark = only_sqlite

COLOUR = Question(
    "colour",
    QuestionKind.RADIO,
    {"ja": "好きな色", "en": "Colour"},
    choices=(Choice("red", {"ja": "赤", "en": "Red"}), Choice("blue", {"ja": "青", "en": "Blue"})),
)
SHADE = Question(
    "shade",
    QuestionKind.TEXT,
    {"ja": "濃さ", "en": "Shade"},
    condition=Condition("colour", ("red",)),
)
FORM = (COMPANY, COLOUR, SHADE, PRIVACY)


@pytest.fixture
def event(site):
    site.zoom.set_clock(site.clock())
    start = (site.clock() + timedelta(days=7)).replace(microsecond=0)
    return site.add_event(slug="spring", questions=FORM, starts_at=start)


@pytest.fixture
def owner(site, event):
    return sign_in(site)


def read_plain(page):
    """Return a page's text without the marks that keep directions of writing apart."""
    return str(page.text).translate(dict.fromkeys((0x2068, 0x2069)))


def open_form(browser, event, path=""):
    return browser.open(f"/organizer/events/{event.public_id}/form{path}")


def find_act(page, act, question=""):
    """Return the form of one button that does an act, to a question or to the whole form."""
    found = [
        form
        for form in page.root.find_all("form")
        if form["data-editor-act"] == act
        and (
            not question or any(above["id"] == f"question-{question}" for above in form.ancestors())
        )
    ]
    form = Form(page, found[0])
    form.fields.append(("act", act))
    return form


def do(page, act, question="", status=200):
    return find_act(page, act, question).submit(status=status)


def read(site, event, *, public=False):
    with site.database.read() as session:
        found = events.need_event(session, event.id)
        if public:
            return list(read_current_form(session, found).questions)
        return list(read_edited_form(session, found).questions)


def ids(site, event, **which):
    return [question.id for question in read(site, event, **which)]


def register(site, **answers):
    fields = TARO | {"question_colour": "red", "question_shade": "濃い"} | answers
    return site.visitor().open("/e/spring").form().fill(**fields).submit()


def publish(page):
    return page.form("フォームを公開").submit()


def test_questions_are_listed_with_all_that_matters(site, owner, event):
    page = open_form(owner, event)

    texts = [read_plain(item) for item in page.root.find_all("li") if item["data-question"]]
    assert len(texts) == 4
    assert "会社名・団体名" in texts[0] and "Company" in texts[0] and "1行の文章" in texts[0]
    assert "赤、青" in texts[1]
    assert "「好きな色」が「赤」の方だけ" in texts[2]
    assert "保存先：このサイトだけ" in texts[2]
    [frame] = page.root.find_all("iframe")
    assert frame["src"].startswith(f"/organizer/events/{event.public_id}/trial?frame=1")


def test_acts_change_the_working_copy_and_nothing_that_visitors_see(site, owner, event):
    page = do(open_form(owner, event), "down", "company")
    assert ids(site, event) == ["colour", "company", "shade", "privacy"]
    assert "最終変更：主催 花子" in read_plain(page)
    page = do(page, "duplicate", "company")
    assert ids(site, event) == ["colour", "company", "company_2", "shade", "privacy"]
    page = do(page, "remove", "company")
    assert "質問を削除しました" in page.text
    assert ids(site, event) == ["colour", "company_2", "shade", "privacy"]
    page = do(page, "undo")
    assert ids(site, event) == ["colour", "company", "company_2", "shade", "privacy"]
    assert page.root.find_all("form", data_editor_act="undo") == []
    form = find_act(page, "up", "shade")
    form.fields = [*form.fields[:-1], ("act", "move"), ("position", "1")]
    assert ids(site, event, public=True) == [question.id for question in FORM]
    form.submit()
    assert ids(site, event) == ["colour", "shade", "company", "company_2", "privacy"]
    do(open_form(owner, event), "discard")
    assert read(site, event) == list(FORM)


def test_question_before_the_one_it_depends_on_is_told_there(site, owner, event):
    page = do(open_form(owner, event), "up", "shade", status=422)
    [item] = page.root.find_all("li", id="question-shade")

    assert "「濃さ」は「好きな色」の回答によって表示する" in read_plain(item)
    assert read(site, event) == list(FORM)
    page = do(open_form(owner, event), "remove", "colour", status=422)
    assert "濃さ" in page.root.find_all("li", id="question-colour")[0].text


def test_second_editor_of_the_form_is_told(site, owner, event):
    second = sign_in(site)
    mine, theirs = (open_form(browser, event) for browser in (second, owner))
    do(theirs, "down", "company")
    page = do(mine, "remove", "company", status=409)

    assert "ほかの方が先にフォームを変更しました" in page.text
    assert ids(site, event) == ["colour", "company", "shade", "privacy"]
    do(page, "remove", "company")
    assert ids(site, event) == ["colour", "shade", "privacy"]


def test_second_editor_of_one_question_sees_both(site, owner, event):
    second = sign_in(site)
    mine, theirs = (
        open_form(browser, event, "/questions/company").form("保存") for browser in (second, owner)
    )
    other = open_form(second, event, "/questions/shade").form("保存")
    theirs.fill(label_ja="勤務先").submit()
    page = mine.fill(label_ja="所属").submit(status=409)

    assert "「勤務先」→「所属」" in read_plain(page)
    assert page.form("保存")["label_ja"] == "所属"
    assert read(site, event)[0].label["ja"] == "勤務先"
    other.fill(label_ja="色の濃さ").submit()
    page.form("保存").submit()
    labels = [question.label["ja"] for question in read(site, event)]
    assert (labels[0], labels[2]) == ("所属", "色の濃さ")


def test_question_removed_meanwhile_comes_back_by_saving(site, owner, event):
    form = open_form(owner, event, "/questions/company").form("保存")
    do(open_form(owner, event), "remove", "company")
    page = form.fill(label_ja="所属").submit(status=409)
    assert "ほかの方が先にこの質問を削除しました" in page.text
    page.form("保存").submit()

    assert ids(site, event) == ["colour", "shade", "company", "privacy"]


def test_question_is_written_in_both_languages_with_all_it_can_have(site, owner, event):
    form = open_form(owner, event, "/new?kind=checkboxes").form("保存")
    form.fill(label_ja="関心", label_en="Interests", help_ja="当日の内容に使います。")
    form.fill(choice_0_ja="経営", choice_0_en="Business", choice_2_ja="技術")
    form.fill(required=["yes"], has_other=["yes"], required_message_ja="関心を選んでください")
    form.fill(when="some", decides="colour", values_colour=["blue"])
    form.fill(zoom_way="title", zoom_title="Interests")
    page = form.submit()

    assert "質問を追加しました" in page.text
    [question] = [question for question in read(site, event) if question.id == "interests"]
    assert question == Question(
        id="interests",
        kind=QuestionKind.CHECKBOXES,
        label={"ja": "関心", "en": "Interests"},
        help={"ja": "当日の内容に使います。"},
        required=True,
        required_message={"ja": "関心を選んでください"},
        choices=(
            Choice("choice1", {"ja": "経営", "en": "Business"}),
            Choice("choice2", {"ja": "技術"}),
        ),
        has_other=True,
        condition=Condition("colour", ("blue",)),
        zoom_title="Interests",
    )
    shown = open_form(owner, event, "/questions/interests").form("保存")
    assert shown.list_values("values_colour") == ["blue"]
    shown.submit()
    assert question in read(site, event)


def test_lines_of_choices_move_without_being_saved(site, owner, event):
    form = open_form(owner, event, "/questions/colour").form("保存").fill(choice_0_ja="朱")
    form.fields.append(("act", "down:0"))
    form = form.submit().form("保存")
    assert [form[f"choice_{number}_ja"] for number in range(2)] == ["青", "朱"]
    form.fields.append(("act", "more"))
    form = form.submit().form("保存")
    form.fields.append(("act", "drop:0"))
    form = form.submit().form("保存")
    assert read(site, event) == list(FORM)
    form.fill(choice_6_ja="緑").submit()

    assert [(c.value, c.label["ja"]) for c in read(site, event)[1].choices] == [
        ("red", "朱"),
        ("choice3", "緑"),
    ]


WRONG = [
    ("company", {"label_ja": ""}, "イベントの言語で質問を入力してください"),
    ("colour", {"choice_0_ja": ""}, "イベントの言語でも入力してください"),
    ("colour", {"choice_0_ja": "青"}, "同じ選択肢が2つあります"),
    ("company", {"kind": "radio"}, "選択肢を1つ以上入力してください"),
    ("company", {"kind": "number", "minimum": "many"}, "10 のような数字"),
    ("company", {"kind": "number", "minimum": "9", "maximum": "1"}, "最大は最小以上"),
    ("shade", {"values_colour": []}, "この質問を表示する回答にチェックを"),
    ("company", {"zoom_way": "field"}, "Zoomの項目を選択してください"),
    ("company", {"zoom_way": "title", "zoom_title": ""}, "Zoomでの名称を入力してください"),
    ("company", {"zoom_way": "title", "is_sensitive": ["yes"]}, "要配慮の回答はZoomに送れません"),
    ("company", {"max_length": "0"}, "最大文字数は1以上で入力してください"),
]


def test_what_is_wrong_is_told_at_its_field_and_kept(site, owner, event):
    for path, typed, error in WRONG:
        form = open_form(owner, event, f"/questions/{path}").form("保存").fill(**typed)
        page = form.submit(status=422)

        assert any(error in told for told in page.errors), (typed, page.errors)
        kept = page.form("保存")
        for name, value in typed.items():
            assert kept.list_values(name) == (value if isinstance(value, list) else [value])
    assert read(site, event) == list(FORM)


def test_answered_question_becomes_no_other_kind(site, owner, event):
    register(site)
    form = open_form(owner, event, "/questions/colour").form("保存")
    assert {o["value"] for o in form.element.find_all("select")[0].find_all("option")} == {
        *("", "radio", "select", "checkboxes")
    }
    form.fields = [("kind", "date") if pair[0] == "kind" else pair for pair in form.fields]
    page = form.submit(status=422)

    assert any("すでに別の形で回答があります" in told for told in page.errors)
    do(page, "duplicate")
    assert ids(site, event) == ["company", "colour", "colour_2", "shade", "privacy"]


def test_ready_made_questions_and_templates(site, owner, event):
    form = find_act(open_form(owner, event), "add").fill(what="heard_from")
    page = form.submit()
    assert ids(site, event)[3] == "heard_from"
    assert "このイベントを何で知りましたか" in page.text
    page = find_act(page, "add").fill(what="privacy").submit(status=422)
    assert "すでにあります" in page.text
    [internal] = [
        form
        for form in page.root.find_all("form")
        if form["data-editor-act"] == "template" and Form(page, form)["what"] == "internal"
    ]
    form = Form(page, internal)
    form.fields.append(("act", "template"))
    page = form.submit()
    assert ids(site, event) == ["department", "office", "for_speakers", "privacy"]
    do(page, "undo")
    assert ids(site, event) == ["company", "colour", "shade", "heard_from", "privacy"]


def test_warnings_say_what_to_do(site, owner, event):
    form = open_form(owner, event, "/questions/company").form("保存")
    form.fill(label_ja="病歴をお聞かせください").submit()
    page = do(open_form(owner, event), "remove", "privacy")

    assert "とくに配慮が要る情報（「病歴」）" in page.text
    assert "「個人情報の取扱い」への同意を確認する項目がありません" in page.text
    page = page.form("フォームを公開").submit(status=409)
    assert "まだ公開できません" in page.text
    assert len(read(site, event, public=True)) == 4


def test_old_answers_keep_their_wording_everywhere(site, owner, event):
    register(site)
    form = open_form(owner, event, "/questions/colour").form("保存")
    form.fill(label_ja="一番好きな色", choice_0_ja="朱色", choice_1_ja="", choice_1_en="").submit()
    before = site.visitor().open("/e/spring")
    assert "一番好きな色" not in before.text
    page = publish(open_form(owner, event))
    assert "フォームを公開しました" in page.text
    register(site, email="second@example.com")

    assert list_details(site, owner, event, "taro@example.com")["好きな色"] == "赤"
    assert list_details(site, owner, event, "second@example.com")["一番好きな色"] == "朱色"
    with site.database.read() as session:
        found = events.need_event(session, event.id)
        totals = {"answer:colour": {"red": 2, "blue": 1}}
        listed = facets.list_facets(session, found, totals, locale="ja", name_place=name_place)
    [chart] = [facet for facet in listed if facet.name == "answer:colour"]
    assert chart.label == "一番好きな色"
    assert [(v.label, v.count) for v in chart.values] == [("朱色", 2), ("青", 1)]
    exported = site.app.test_cli_runner().invoke(args=["registrations", "export", "spring"]).output
    assert "一番好きな色" in exported.splitlines()[0]
    assert "赤" in exported and "朱色" in exported
    versions = read_plain(open_form(owner, event, "/versions"))
    assert "「赤」→「朱色」" in versions and "選択肢「青」を表示しない" in versions
    assert "主催 花子" in versions


def list_details(site, browser, event, email):
    """Return what one person's page says, by label."""
    with site.database.read() as session:
        person = registrations.get_registration_by_email_key(session, event.id, email)
    page = browser.open(f"/organizer/events/{event.public_id}/people/{person.public_id}")
    labels, texts = (page.root.find_all(tag) for tag in ("dt", "dd"))
    return {label.text: text.text for label, text in zip(labels, texts, strict=True)}


def test_publishing_the_form_asks_at_zoom_and_reads_back(site, owner, event):
    form = open_form(owner, event, "/questions/company").form("保存")
    form.fill(zoom_way="title", zoom_title="Company / 会社").submit()
    page = open_form(owner, event)
    assert "Zoomに「Company / 会社」はまだありません" in read_plain(page)
    page = publish(page)
    assert "設定済み" in page.text

    with site.database.read() as session:
        found = events.need_event(session, event.id)
        assert found.zoom_titles == ["Company / 会社"]
        connection = organizations.need_connection(session, found.connection_id)
    client = site.parts.make_zoom_client(connection)
    [asked] = client.get_questions(Kind(event.kind), event.zoom_id).custom
    assert (asked.title, asked.required) == ("Company / 会社", False)


def test_nothing_is_published_while_zoom_is_away(site, owner, event):
    form = open_form(owner, event, "/questions/company").form("保存")
    form.fill(zoom_way="field", zoom_field="org").submit()
    page = open_form(owner, event)
    site.stop_zoom()
    page = page.form("フォームを公開").submit(status=502)

    assert "公開していません" in page.text
    assert read(site, event, public=True) == list(FORM)
    assert read(site, event)[0].zoom_field == "org"


def test_drafts_form_becomes_public_with_the_event(site, owner, event):
    with site.database.write() as session:
        events.need_event(session, event.id).status = "draft"
    page = do(open_form(owner, event), "remove", "company")
    assert "イベントの公開と同時に反映します" in page.text
    trial = owner.open(f"/organizer/events/{event.public_id}/trial?frame=1")
    assert "frame-ancestors 'self'" in trial.response.headers["Content-Security-Policy"]
    assert trial.root.find_all(name="question_company") == []

    owner.open(f"/organizer/events/{event.public_id}/publishing").form("公開する").submit()

    assert ids(site, event, public=True) == ["colour", "shade", "privacy"]
    assert site.visitor().open("/e/spring").root.find_all(name="question_company") == []


def test_each_change_leaves_an_entry(site, owner, event):
    do(open_form(owner, event), "down", "company")
    open_form(owner, event, "/questions/company").form("保存").fill(label_ja="勤務先").submit()
    publish(open_form(owner, event))

    log = owner.open("/organizer/settings/audit").text
    assert "変更：フォーム、質問：company、手順：移動" in log
    assert "変更：フォーム、質問：company、手順：変更" in log
    assert "変更：フォーム、手順：公開" in log


def test_hostile_wording_is_shown_harmlessly(site, owner, event):
    hostile = "<img src=x onerror=alert(1)> \"'}} {{7*7}}"
    form = open_form(owner, event, "/questions/colour").form("保存")
    form.fill(label_ja=hostile, help_ja=hostile, choice_0_ja=hostile).submit()
    page = open_form(owner, event)

    assert hostile in page.text.replace("\n", " ")
    assert page.root.find_all("img") == []
    publish(page)
    for path in ("", "/questions/colour", "/questions/shade", "/versions"):
        assert open_form(owner, event, path).root.find_all("img") == []
    assert site.visitor().open("/e/spring").root.find_all("img") == []


def test_sensitive_answers_are_seen_by_whom_they_concern(site, owner, event):
    """Hidden from viewers and exporters on every page and in files, and kept from Zoom."""
    for question in ("colour", "shade"):
        form = open_form(owner, event, f"/questions/{question}").form("保存")
        form.fill(is_sensitive=["yes"]).submit()
    publish(open_form(owner, event))
    register(site, question_shade="とても濃い")
    base = f"/organizer/events/{event.public_id}"
    with site.database.read() as session:
        [person] = session.query(Registration).all()
    seen = {}
    for role in Role:
        browser = sign_in(site, role)
        texts = [browser.open(base).text, browser.open(f"{base}/people").text]
        texts.append(browser.open(f"{base}/people/{person.public_id}").text)
        filtered = browser.look("GET", f"{base}/people?answer:colour=red").status_code
        seen[role] = ("好きな色" in "".join(texts), "とても濃い" in texts[2], filtered)
    everything, nothing = (True, True, 200), (False, False, 400)

    assert seen == {
        Role.OWNER: everything,
        Role.EDITOR: everything,
        Role.APPROVER: everything,
        Role.VIEWER: nothing,
        Role.EXPORTER: nothing,
    }
    address = f"{base}/people/export?format=csv"
    files = [sign_in(site, role).fetch(address).text for role in (Role.OWNER, Role.EXPORTER)]
    assert ["とても濃い" in file for file in files] == [True, False]
    assert ["好きな色" in file for file in files] == [True, False]
    assert all("例株式会社" in file for file in files)
