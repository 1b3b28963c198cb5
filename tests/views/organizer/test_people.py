"""People on the dashboard: found, told apart, decided about; and the numbers of their event."""

import csv
import io
import zipfile

import pytest
from sqlalchemy import select

from services.events import LinkPolicy
from services.mails import drop_held
from services.members import Role
from services.questions import Answer, Choice, ConsentKind, Question, QuestionKind
from services.registrations import hold, register
from services.submissions import ConsentGiven, Doubt
from storage import events, job_lists, limits, registrations
from storage.models import AuditEntry, Job, Mail
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from views.organizer import held

pytestmark = only_sqlite

AGE = Question(
    "age",
    QuestionKind.RADIO,
    {"ja": "年代", "en": "Age"},
    choices=(Choice("20s", {"ja": "20代"}), Choice("30s", {"ja": "30代"})),
)
NEWS = Question(
    "news", QuestionKind.CONSENT, {"ja": "ご案内を受け取る"}, consent=ConsentKind.MARKETING
)
QUESTIONS = (factories.COMPANY, AGE, factories.PRIVACY, NEWS)
HOSTILE = "<script>alert(1)</script>\u202e\"'><img src=x onerror=alert(1)> {{7*7}} =1+1"


def make_event(site, **members):
    with site.database.write() as session:
        event = factories.make_event(session, questions=QUESTIONS, now=site.clock(), **members)
        return event.public_id, event.id


def add(site, event_id, email, *, age="20s", **members):
    with site.database.write() as session:
        event = session.get_one(factories.Event, event_id)
        answers = {"company": Answer(("例株式会社",)), "age": Answer((age,))}
        consents = (
            ConsentGiven("privacy", ConsentKind.PRIVACY, "同意する", True),
            ConsentGiven("news", ConsentKind.MARKETING, "受け取る", True),
        )
        submission = factories.make_submission(
            event, email=email, **{"answers": answers, "consents": consents} | members
        )
        row = register(session, event, submission, policy=LinkPolicy.SHOW, now=site.clock())
        if row.registration_id is None:
            return row.number
        return registrations.get_registration(session, row.registration_id).public_id


def find(site, public_id):
    with site.database.read() as session:
        return registrations.get_registration_by_public_id(session, public_id)


def list_names(page):
    return [cell.text.strip() for cell in page.root.find_all("th", scope="row")]


def list_actions(site):
    with site.database.read() as session:
        return [entry.action for entry in session.query(AuditEntry).order_by(AuditEntry.id)]


@pytest.fixture
def event(site):
    return make_event(site)


def test_list_shows_the_newest_first_and_leaves_an_entry(site, event):
    public_id, event_id = event
    add(site, event_id, "a@example.com", family_name="一番")
    add(site, event_id, "b@example.com", family_name="二番")
    page = sign_in(site).open(f"/organizer/events/{public_id}/people")
    assert list_names(page) == ["二番 太郎", "一番 太郎"]
    assert "people_listed" in list_actions(site)


def test_search_and_filters_together_narrow_the_list(site, event):
    public_id, event_id = event
    add(site, event_id, "a@example.com", family_name="一番", age="30s")
    add(site, event_id, "b@example.jp", family_name="二番", age="30s")
    add(site, event_id, "c@example.com", family_name="三番")
    browser = sign_in(site)
    people = f"/organizer/events/{public_id}/people"
    assert list_names(browser.open(f"{people}?q=@example.com")) == ["三番 太郎", "一番 太郎"]
    assert list_names(browser.open(f"{people}?q=@example.com&answer:age=30s")) == ["一番 太郎"]
    assert list_names(browser.open(f"{people}?status=denied")) == []
    assert list_names(browser.open(f"{people}?q=%25")) == []


@pytest.mark.parametrize(
    "query", ["sort=(select 1)", "at=-1", "at=x", "made_up=1", "answer:made_up=1", "sort=email"]
)
def test_made_up_filters_and_orders_are_refused(site, event, query):
    assert (
        sign_in(site).look("GET", f"/organizer/events/{event[0]}/people?{query}").status_code == 400
    )


def test_pages_follow_each_other(site, event):
    public_id, event_id = event
    for number in range(53):
        add(site, event_id, f"p{number}@example.com", family_name=f"人{number}")
    browser = sign_in(site)
    first = browser.open(f"/organizer/events/{public_id}/people")
    [link] = [a["href"] for a in first.root.find_all("a") if "?at=" in a["href"]]
    second = browser.open(link)
    assert len(list_names(first)) == 50
    assert list_names(second) == ["人2 太郎", "人1 太郎", "人0 太郎"]


def test_approval_by_hand_gives_a_place_a_job_and_a_mail(site):
    public_id, event_id = make_event(site, approval="manual")
    person = add(site, event_id, "a@example.com")
    browser = sign_in(site, Role.APPROVER)
    address = f"/organizer/events/{public_id}/people/{person}"
    browser.post_form(address, address, {"act": "approve"})
    assert find(site, person).status == "approved"
    with site.database.read() as session:
        job = job_lists.get_job(session, f"zoom:{find(site, person).id}")
    assert job is not None
    assert list_actions(site)[-2:] == ["person_changed", "person_seen"]


def test_cancelling_one_person_is_opened_before_it_is_pressed(site):
    public_id, event_id = make_event(site)
    person = add(site, event_id, "a@example.com")
    page = sign_in(site).open(f"/organizer/events/{public_id}/people/{person}")
    asked = {box.find_all("summary")[0].text: box for box in page.root.find_all("details")}

    assert "このページで取り消せます" in asked["キャンセルする…"].text
    assert "メールでお知らせ" in asked["お断りする…"].text
    page = page.form("キャンセルする").submit()
    assert find(site, person).status == "cancelled"
    assert "参加のご希望を確かめて" in page.text
    page = page.form("キャンセルを取り消す").submit()
    assert find(site, person).status == "approved"
    assert "キャンセルを取り消す" not in page.text


def test_slower_of_two_organizers_is_told_what_the_other_has_decided(site):
    public_id, event_id = make_event(site, approval="manual")
    person = add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people/{person}"
    one, two, three = (sign_in(site, Role.APPROVER).open(address) for _ in range(3))

    one.form("承認する").submit()
    told = two.form("お断りする").submit()
    agreed = three.form("承認する").submit()

    assert "その後、状態が「確定」に変わっています" in told.text
    assert "変更はありません" in agreed.text
    assert find(site, person).status == "approved"
    told.form("お断りする").submit()
    assert find(site, person).status == "denied"


def test_nobody_is_brought_back_along_with_others(site):
    public_id, event_id = make_event(site)
    person = add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people"
    browser = sign_in(site, Role.APPROVER)
    browser.post_form(f"{address}/{person}", f"{address}/{person}", {"act": "cancel"})

    chosen = {"act": "reinstate", "person": person, "sure": "yes"}
    browser.post_form(address, address, chosen, status=422)
    browser.post_form(address, f"{address}/all", {"act": "reinstate", "sure": "1"}, status=422)
    done = browser.post_form(address, address, chosen | {"act": "approve"})

    assert "この方のページで取り消せます" in done.text
    assert find(site, person).status == "cancelled"


def test_chosen_filter_is_said_where_filters_are_folded(site):
    public_id, event_id = make_event(site)
    add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people"

    page = sign_in(site).open(f"{address}?status=approved&locale=ja")

    assert "状態: 確定" in page.root.find_all("summary")[0].text
    assert "言語: 日本語" in page.root.find_all("summary")[0].text


def test_acts_lead_back_to_the_list_as_it_was_filtered(site):
    public_id, event_id = make_event(site, approval="manual")
    person = add(site, event_id, "a@example.com")
    address = f"/organizer/events/{public_id}/people"
    browser = sign_in(site)
    form = browser.open(f"{address}?q=a%40&status=pending&sort=name").form("承認する")

    done = form.fill(person=[person]).press("承認する").submit().form("承認する").submit()

    assert done.link("一覧へ戻る") == f"{address}?q=a%40&status=pending&sort=name"


def test_viewer_sees_no_button_and_may_not_press_one(site):
    public_id, event_id = make_event(site, approval="manual")
    person = add(site, event_id, "a@example.com")
    browser = sign_in(site, Role.VIEWER)
    address = f"/organizer/events/{public_id}/people/{person}"
    assert browser.open(address).root.find_all("input", name="act") == []
    browser.post_form(address, address, {"act": "approve"}, status=403)
    assert find(site, person).status == "pending"


def test_several_are_confirmed_with_their_count_before_anything_happens(site):
    public_id, event_id = make_event(site, approval="manual", capacity=2)
    people = [add(site, event_id, f"p{n}@example.com", family_name=f"人{n}") for n in range(2)]
    address = f"/organizer/events/{public_id}/people"
    browser = sign_in(site)
    token = browser.open(address).root.find_all("input", name="csrf_token")[0]["value"]
    chosen = [("csrf_token", token), ("act", "deny"), *(("person", key) for key in people)]
    asked = browser.post(address, chosen)
    assert "2人" in asked.text and "参加用URLは使えなくなります" in asked.text
    assert {find(site, key).status for key in people} == {"pending"}
    done = browser.post(address, [*chosen, ("sure", "yes")])
    assert list_names(done) == ["人0 太郎", "人1 太郎"]
    assert {find(site, key).status for key in people} == {"denied"}


def test_person_of_another_event_is_unknown_here(site, event):
    _, other_id = make_event(site)
    person = add(site, other_id, "a@example.com")
    browser = sign_in(site)
    assert browser.look("GET", f"/organizer/events/{event[0]}/people/{person}").status_code == 404


def test_hostile_words_are_shown_as_text(site, event):
    public_id, event_id = event
    person = add(
        site,
        event_id,
        "a@example.com",
        family_name=HOSTILE,
        source={"utm_source": HOSTILE},
        answers={"company": Answer((HOSTILE,))},
    )
    browser = sign_in(site)
    base = f"/organizer/events/{public_id}"
    for address in (base, f"{base}/people", f"{base}/people/{person}", f"{base}/numbers"):
        answer = browser.look("GET", address)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
    assert "{{7*7}}" in browser.look("GET", f"{base}/people/{person}").text


def test_overview_counts_states_answers_and_days(site, event):
    public_id, event_id = event
    for number, age in enumerate(("20s", "20s", "30s")):
        add(site, event_id, f"p{number}@example.com", age=age)
    page = sign_in(site).open(f"/organizer/events/{public_id}")
    tables = [
        [cell.text.strip() for cell in table.find_all("td")]
        for table in page.root.find_all("table")
    ]
    assert tables[0] == ["3"]
    assert ["2", "1"] in tables


def test_open_page_learns_of_newcomers_by_itself(site, event):
    public_id, event_id = event
    browser = sign_in(site)
    page = browser.open(f"/organizer/events/{public_id}")
    [live] = [
        tag["data-live"] for tag in page.root.find_all("div") if "data-live" in tag.attributes
    ]
    add(site, event_id, "a@example.com")
    assert ">1</a>" in browser.look("GET", live).text


def test_page_that_stays_open_keeps_no_session_alive(site, event):
    browser = sign_in(site)
    numbers = f"/organizer/events/{event[0]}/numbers"
    answers = []
    for hours in (11, 2):
        site.clock.move(hours=hours)
        answers.append(browser.look("GET", numbers).status_code)

    assert answers == [200, 303]


def test_held_submission_is_registered_or_put_away_by_hand(site, event):
    public_id, event_id = event
    for n in range(2):
        add(site, event_id, f"p{n}@example.com", is_suspicious=True, family_name=f"人{n}")
    browser = sign_in(site)
    address = f"/organizer/events/{public_id}/held"
    stale = browser.open(address)
    assert len(list_names(stale)) == 2
    ids = [field["value"] for field in stale.root.find_all("input", name="submission")]
    for submission, act in zip(ids[:4:2], ("release", "drop"), strict=True):
        browser.post_form(address, address, {"submission": submission, "act": act})
    assert list_names(browser.open(address)) == []
    page = browser.open(f"/organizer/events/{public_id}/people")
    assert list_names(page) == ["人0 太郎"]

    # A colleague, whose page still has both, decides on them too.
    for submission in ids[:4:2]:
        fields = {"submission": submission, "act": "release"}
        assert "すでに判断済みです" in browser.post_form(address, address, fields).text
    assert list_names(browser.open(f"/organizer/events/{public_id}/people")) == ["人0 太郎"]
    browser.post_form(address, address, {"submission": "x", "act": "release"}, status=422)


def test_list_of_what_was_kept_aside_says_who_is_registered_by_now(site, event):
    public_id, event_id = event
    for name in ("taro", "hanako"):
        add(site, event_id, f"{name}@example.com", is_suspicious=True, family_name=name)
    add(site, event_id, "taro@example.com")
    browser = sign_in(site)

    page = browser.open(f"/organizer/events/{public_id}/held")

    said = [" ".join(row.text.split()) for row in page.root.find_all("tr")[1:]]
    assert ["対応は不要です" in text for text in said] == [True, False]


def test_held_submissions_are_decided_about_by_their_reason(site, event):
    public_id, event_id = event
    for n in range(3):
        add(site, event_id, f"trap{n}@example.com", is_suspicious=True, family_name=f"罠{n}")
    with site.database.write() as session:
        found = events.need_event(session, event_id)
        for n, doubt in enumerate((Doubt.MAIL_PROOF, Doubt.MAIL_PROOF, Doubt.NO_MAIL)):
            email = f"mail{n}@example.com"
            person = factories.make_submission(
                found, email=email, nonce=email, family_name=f"郵便{n}"
            )
            hold(session, found, person, doubt, now=site.clock())
    browser = sign_in(site)
    address = f"/organizer/events/{public_id}/held"
    page = browser.open(f"{address}?why=mail_proof")
    assert list_names(page) == ["郵便0 太郎", "郵便1 太郎"]
    assert "メール未確認 2" in page.text
    form = page.form("すべて登録する").press("すべて登録する")
    add(site, event_id, "late@example.com", is_suspicious=True, family_name="後")

    assert "先にチェックを入れてください" in form.submit().text
    done = form.fill(sure="yes").submit()

    assert "2人を登録しました" in done.text
    assert list_names(browser.open(f"/organizer/events/{public_id}/people")) == [
        "郵便1 太郎",
        "郵便0 太郎",
    ]
    rest = browser.open(address).form("すべて破棄する").fill(sure="yes")
    assert "5件を破棄しました" in rest.press("すべて破棄する").submit().text
    assert list_names(browser.open(address)) == []


def test_overview_says_that_browsers_are_checked(start_site):
    site = start_site(rate_limits=True)
    public_id, event_id = make_event(site)
    browser, words = sign_in(site), "自動送信でないかを確認してから"
    address = f"/organizer/events/{public_id}"
    assert words not in browser.open(address).text
    with site.database.write() as session:
        name, now = f"event:{event_id}", site.clock().timestamp()
        limits.spend(session, limits.Bucket(name, interval=300.0, burst=2), now=now)

    assert words in browser.open(address).text


def test_long_list_of_what_was_held_says_that_it_is_cut(site, event, monkeypatch):
    monkeypatch.setattr(held, "MOST", 1)
    for n in range(2):
        add(site, event[1], f"p{n}@example.com", is_suspicious=True, family_name=f"人{n}")

    page = sign_in(site).open(f"/organizer/events/{event[0]}/held")

    assert list_names(page) == ["人0 太郎"]
    assert "最初の1件" in page.text


def test_put_aside_work_is_named_and_tried_again(site, event):
    public_id, event_id = event
    person = add(site, event_id, "a@example.com")
    key = f"zoom:{find(site, person).id}"
    with site.database.write() as session:
        job = job_lists.get_job(session, key)
        job.state, job.reason = "parked", "RegistrationDisabled: 3027"
        [mail] = session.scalars(select(Job).where(Job.kind == "mail"))
        mail.state, mail.reason = "parked", "HeldBack: perhaps it was sent before the restore"
    browser = sign_in(site)
    address = f"/organizer/events/{public_id}"
    page = browser.open(address)
    assert "RegistrationDisabled" in page.text
    assert len(page.root.find_all("a", href=f"{address}/people/{person}")) == 2
    browser.post_form(address, f"{address}/retry", {})
    with site.database.read() as session:
        assert job_lists.get_job(session, key).state == "ready"
        assert job_lists.get_job(session, mail.key).state == "parked"
    page = browser.open(address)
    assert "バックアップ" in page.text and not page.root.find_all("form", action=f"{address}/retry")


def test_mail_that_was_dropped_after_a_restore_is_named_as_that(site, event):
    public_id, event_id = event
    person = add(site, event_id, "a@example.com")
    with site.database.write() as session:
        mail = session.scalars(select(Mail)).one()
        mail.state = "held"
        session.flush()
        assert drop_held(session, mail.id)
    page = sign_in(site).open(f"/organizer/events/{public_id}/people/{person}")
    assert "復元後に送信を取りやめました" in page.text
    assert "another mail" not in page.text and "メールを再送" in page.text


def read_csv(browser, address):
    answer = browser.look("GET", address)
    assert answer.status_code == 200, answer.text
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_export_has_exactly_whom_the_filter_shows(site, event):
    public_id, event_id = event
    add(site, event_id, "a@example.com", family_name="=cmd|' /C calc'!A0", age="30s")
    add(site, event_id, "b@example.jp", family_name="髙﨑\U00020bb7", age="30s")
    add(site, event_id, "c@example.com")
    browser = sign_in(site, Role.EXPORTER)
    address = f"/organizer/events/{public_id}/people/export?format=csv"
    found = read_csv(browser, f"{address}&answer:age=30s")
    assert [(row["姓"], row["年代"], row["案内メールの送信可"]) for row in found] == [
        ("'=cmd|' /C calc'!A0", "30代", "いいえ"),
        ("髙﨑\U00020bb7", "30代", "いいえ"),
    ]
    assert [row["メールアドレス"] for row in read_csv(browser, f"{address}&q=@example.jp")] == [
        "b@example.jp"
    ]
    assert list_actions(site)[-1] == "people_exported"


@pytest.mark.parametrize("kind", ["xlsx", "cp932"])
def test_other_formats_are_whole_zips(site, event, kind):
    public_id, event_id = event
    add(site, event_id, "a@example.com")
    answer = sign_in(site).look("GET", f"/organizer/events/{public_id}/people/export?format={kind}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
    assert answer.headers["Content-Disposition"].startswith("attachment; ")


def test_viewer_may_not_export_and_sees_no_button(site, event):
    public_id, event_id = event
    add(site, event_id, "a@example.com")
    browser = sign_in(site, Role.VIEWER)
    people = f"/organizer/events/{public_id}/people"
    assert "/export" not in str([a["href"] for a in browser.open(people).root.find_all("a")])
    assert browser.look("GET", f"{people}/export").status_code == 403


def test_what_nobody_sees_is_marked_wherever_a_name_stands(site, event):
    public_id, event_id = event
    person = add(
        site,
        event_id,
        "a@example.com",
        family_name="\u202e山\u200b田",
        source={"utm_source": "x\u200bz"},
    )
    browser = sign_in(site)
    base = f"/organizer/events/{public_id}"
    for address in (f"{base}/people", f"{base}/people/{person}", f"{base}/people/{person}/edit"):
        page = browser.open(address)
        codes = [mark.text for mark in page.root.find_all("span", **{"class": "unseen"})]
        assert codes[:2] == ["U+202E", "U+200B"], address
        assert "\u202e" not in page.title
    charts = browser.open(base).root.find_all("span", **{"class": "unseen"})
    assert {mark.text for mark in charts} == {"U+200B"}
    asked = browser.post_form(f"{base}/people", f"{base}/people", {"person": person, "act": "deny"})
    assert "U+202E" in asked.text


def test_list_is_sorted_by_its_headings_and_has_the_columns_of_each_member(site, event):
    public_id, event_id = event
    for name, age in (("三浦", "20s"), ("阿部", "30s"), ("Smith", "20s")):
        add(
            site,
            event_id,
            f"{age}{len(name)}{name == '阿部'}@example.com",
            family_name=name,
            age=age,
        )
    browser, other = sign_in(site, Role.VIEWER), sign_in(site, Role.VIEWER)
    address = f"/organizer/events/{public_id}/people"
    page = browser.open(address).follow("お名前")
    assert list_names(page) == ["Smith 太郎", "三浦 太郎", "阿部 太郎"]
    assert page.root.find_all("th", **{"aria-sort": "ascending"})[0].text == "お名前"
    form = browser.open(f"{address}/columns").form("これらの列を表示する")
    shown = form.fill(show=["answer:age", "status"]).submit()
    cells = [cell["data-label"] for cell in shown.root.find_all("td")[:2]]
    assert cells == ["状態", "年代"]
    token = shown.root.find_all("input", name="csrf_token")[0]["value"]
    order = [("order", "answer:age"), ("order", "status"), ("show", "answer:age")]
    moved = browser.post(
        f"{address}/columns", [*order, ("move", "up status"), ("csrf_token", token)]
    )
    boxes = moved.root.find_all("input", name="show")
    assert [box["value"] for box in boxes[:2]] == ["answer:age", "email"]
    assert list_names(browser.open(f"{address}?sort=answer:age"))[-1] == "阿部 太郎"
    assert "年代" not in [cell["data-label"] for cell in other.open(address).root.find_all("td")]
    for wrong in ("sort=password", "sort=name&at=x", "at=1.5"):
        browser.open(f"{address}?{wrong}", status=400)


def test_overview_shows_the_last_days_or_the_whole_time(site, event):
    public_id, event_id = event
    add(site, event_id, "a@example.com")
    site.let_pass(days=6)
    add(site, event_id, "b@example.com")
    page = sign_in(site).open(f"/organizer/events/{public_id}").follow("全期間の推移を見る")
    assert "申込数の推移（全期間）" in page.text
    [live] = page.root.find_all(
        "div", **{"data-live": f"/organizer/events/{public_id}/numbers?days=all"}
    )
    assert len(live.find_all("figure")[0].find_all("tbody")[0].find_all("tr")) == 7
