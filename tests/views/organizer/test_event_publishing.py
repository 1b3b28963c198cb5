"""Publishing an event from the dashboard: what stands in the way, and what mends it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.event_editing import keep_questions
from services.event_tasks import CHANGING
from services.events import LinkPolicy
from services.members import Role
from services.notices import dress, dump_document, make_default_document
from services.organizations import make_operator
from services.registrations import register
from services.zoom_pauses import FAILURES_BEFORE_PAUSE, record_failure
from storage import events, notices, organizations
from storage.models import AuditEntry, Job, Mail
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link
from tests.zoom_sandbox.api import Api
from zoom_client import Kind, Questions, StandardQuestion, ZoomUnreachable

pytestmark = only_sqlite

DATE = {"id": "1", "starts_at": "2099-12-10T05:00:00+00:00", "minutes": 60}
FINE = {
    "approval_type": 1,
    "registrants_confirmation_email": False,
    "registrants_email_notification": False,
}


@pytest.fixture
def owner(site):
    site.zoom.set_clock(site.clock())
    with site.database.write() as session:
        factories.make_organization(session, now=site.clock())
    return sign_in(site)


def add_draft(site, *, kind="meeting", settings=FINE, start=None, **body):
    """Add a draft whose meeting at Zoom is as Zoom's own screens leave it."""
    start = start or (site.clock() + timedelta(days=7)).replace(microsecond=0)
    meeting = site.zoom.add_meeting(
        kind,
        **{
            "topic": "春の説明会",
            "type": 2 if kind == "meeting" else 5,
            "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "timezone": "Asia/Tokyo",
        }
        | body,
    )
    site.zoom.change_meeting(meeting["id"], settings=dict(settings))
    with site.database.write() as session:
        return factories.make_event(
            session,
            now=site.clock(),
            status="draft",
            kind=kind,
            zoom_id=meeting["id"],
            starts_at=start,
            known_read_at=None,
            published_at=None,
        )


def open_page(browser, event):
    return browser.open(f"/organizer/events/{event.public_id}/publishing")


def read(site, event):
    with site.database.read() as session:
        return events.need_event(session, event.id)


def read_settings(site, event):
    [meeting] = [m for m in site.zoom.state()["meetings"] if m["id"] == event.zoom_id]
    return meeting["settings"]


def test_draft_is_published_and_strangers_see_it(site, owner):
    event = add_draft(site, settings={"approval_type": 2})
    site.visitor().open(f"/e/{event.slug}", status=404)

    page = open_page(owner, event).form("公開する").submit()

    assert "公開しました" in page.text
    assert read(site, event).status == "published"
    assert read_settings(site, event)["approval_type"] == 1
    site.visitor().open(f"/e/{event.slug}")


def test_draft_is_previewed_by_members_and_stores_nothing(site, owner):
    event = add_draft(site)
    page = open_page(owner, event).follow("申込ページのプレビュー")
    assert page.heading == "春の説明会"

    page = page.form("同意して申し込む").submit()

    assert "保存していません" in page.text
    assert site.count_rows("submission") == site.count_rows("registration") == 0


def test_draft_is_removed_and_its_meeting_gets_another_event(site, owner):
    event = add_draft(site)

    page = open_page(owner, event).form("下書きを削除する").submit()

    assert "下書きを削除しました" in page.text
    assert "春の説明会" not in page.text
    for below in ("", "/content", "/publishing"):
        owner.open(f"/organizer/events/{event.public_id}{below}", status=404)
    site.visitor().open(f"/e/{event.slug}", status=404)
    form = owner.open("/organizer/events/new").form("イベントを作成")
    made = form.fill(reference=str(event.zoom_id)).submit()
    assert "下書きを作成しました" in made.text


@pytest.mark.parametrize("status", ["published", "closed", "cancelled"])
def test_only_a_draft_is_removed(site, owner, status):
    event = site.add_event(slug="public", status=status)
    page = open_page(owner, event)
    assert not [b for b in page.root.find_all("button") if "下書きを削除" in b.text]

    fields = {"csrf_token": page.form("サインアウト")["csrf_token"]}
    address = f"/organizer/events/{event.public_id}"
    assert owner.try_post(f"{address}/remove", fields).status_code == 409
    assert read(site, event).status == status


def test_event_that_is_over_is_copied(site, owner):
    event = site.add_event(slug="last", starts_at=site.clock() - timedelta(days=3))

    page = open_page(owner, event).follow("複製する")

    assert "引き継ぎます" in page.text


def test_all_is_well_is_said(site, owner):
    event = add_draft(site)

    assert "Zoomの設定に問題はありません" in open_page(owner, event).text


@pytest.mark.parametrize(
    ("settings", "button", "after"),
    [
        ({**FINE, "approval_type": 2}, "こちらのフォームだけで受け付ける", {"approval_type": 1}),
        ({**FINE, "approval_type": 0}, "こちらのフォームだけで受け付ける", {"approval_type": 1}),
        (
            {**FINE, "registrants_confirmation_email": True},
            "今すぐZoomに設定する",
            {"registrants_confirmation_email": False},
        ),
        (
            {**FINE, "meeting_authentication": True},
            "サインインなしで参加できるようにする",
            {"meeting_authentication": False},
        ),
        ({**FINE, "use_pmi": True}, "ZoomにIDを生成させる", {"use_pmi": False}),
    ],
)
def test_button_mends_what_stands_in_the_way(site, owner, settings, button, after):
    event = add_draft(site, settings=settings)
    page = open_page(owner, event)
    [form] = [
        f
        for f in page.root.find_all("form")
        if button in [b.text for b in f.find_all("button")]
        and [a for a in f.ancestors() if a.tag == "li"]
    ][:1]
    fields = [(i["name"], i["value"]) for i in form.find_all("input")]

    page = owner.post(form["action"], fields)

    assert {name: read_settings(site, event)[name] for name in after} == after
    assert "Zoomの設定を変更しました" in page.text
    assert not [li for li in page.root.find_all("li") if button in li.text]


def test_fields_required_at_zoom_are_named_and_made_optional(site, owner):
    event = add_draft(site)
    client = site.parts.make_zoom_client(_connection(site, event))
    client.update_questions(
        Kind.MEETING, event.zoom_id, Questions((StandardQuestion("industry", required=True),))
    )
    page = open_page(owner, event)
    assert "industry" in page.text
    page.form("Zoomで任意にする").submit()

    [question] = client.get_questions(Kind.MEETING, event.zoom_id).standard
    assert not question.required


def test_setting_that_zoom_does_not_keep_is_said(site, owner):
    recurrence = {"type": 2, "repeat_interval": 1, "end_times": 2}
    event = add_draft(
        site,
        kind="webinar",
        type=9,
        recurrence=recurrence,
        settings={**FINE, "registrants_confirmation_email": True, "approval_type": 0},
    )
    page = open_page(owner, event)

    assert "繰り返しのウェビナー" in page.text
    assert page.link("新しいイベント") == f"/organizer/events/new?like={event.public_id}"


def test_time_is_taken_from_zoom(site, owner):
    event = add_draft(site)
    moved = (site.clock() + timedelta(days=8)).replace(microsecond=0)
    site.zoom.change_meeting(event.zoom_id, start_time=f"{moved:%Y-%m-%dT%H:%M:%SZ}")

    open_page(owner, event).form("Zoomの日時に合わせる").submit()

    assert read(site, event).starts_at == moved


def test_who_registers_while_zoom_is_asked_for_its_time_is_told_of_it(site, owner):
    event = site.add_event(slug="spring")
    moved = event.starts_at + timedelta(days=1)
    site.zoom.change_meeting(event.zoom_id, start_time=f"{moved:%Y-%m-%dT%H:%M:%SZ}")
    form = open_page(owner, event).form("Zoomの日時に合わせる")
    site.zoom.fault("get_meeting", delay_before=1.0)

    def come(email, now):
        with site.database.write() as session:
            submission = factories.make_submission(event, email=email)
            register(session, event, submission, policy=LinkPolicy.SHOW, now=now)

    come("first@example.com", site.clock())
    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(form.submit)
        site.wait_until(lambda: site.zoom.state()["faults"] == [])
        come("meanwhile@example.com", site.clock())
        site.drain()
        pressed.result()
    come("later@example.com", site.clock() + 2 * CHANGING)
    for _ in range(2):
        site.let_pass(minutes=2)
        site.drain()

    told = {
        name: site.mailbox.list_subjects(f"{name}@example.com")
        for name in ("first", "meanwhile", "later")
    }
    both = ["受付完了", "日時変更"]
    assert told == {"first": both, "meanwhile": both, "later": ["受付完了"]}


@pytest.mark.parametrize("dates", [[], [DATE]])
def test_deleted_meeting_leads_to_a_new_event(site, owner, dates):
    event = add_draft(site)
    with site.database.write() as session:
        found = events.need_event(session, event.id)
        found.zoom_id, found.dates = 89999999999, dates
    page = open_page(owner, event)

    assert "誰も参加できません" in page.text
    assert ("参加者は引き継げません" in page.text) == bool(dates)
    assert page.link("新しいイベント") == f"/organizer/events/new?like={event.public_id}"


def test_alternative_hosts_are_named_with_what_to_tell_them(site, owner):
    event = add_draft(site, settings={**FINE, "alternative_hosts": "other@example.com"})

    text = open_page(owner, event).text

    assert "other@example.com" in text
    assert "ご自分のZoomアプリ" in text


def test_unlicensed_host_is_said_with_the_way_out(site, owner):
    event = add_draft(site)
    site.zoom.add_user("SandboxHost0000000000w", "host@example.com", type=1)

    page = open_page(owner, event)

    assert "ライセンスがない" in page.text
    assert page.link("Zoomのユーザー管理を開く").startswith("https://zoom.us/")


def test_page_answers_whose_address_is_seen(site, owner):
    event = add_draft(site)
    page = open_page(owner, event)
    rows = {
        row.find_all("th")[0].text: row.find_all("td")[0].text
        for table in page.root.find_all("table")
        for row in table.find_all("tbody")[0].find_all("tr")
    }

    assert rows == {
        "こちらのフォームで登録した人": "はい",
        "Zoomの登録フォームから来た人": "入れません",
        "転送されたURLで来た人": "いいえ",
        "Zoomのカレンダー連携で招待された人": "いいえ",
        "Zoomにサインインしている人": "いいえ",
        "ブレイクアウトルームの名簿に載せた人": "いいえ",
        "電話で参加した人": "場合による",
    }
    page.form("レポートにゲストのアドレスを表示する").submit()
    assert read_settings(site, event)["email_in_attendee_report"] is True


def test_gap_is_named_and_nothing_is_published(site, owner):
    event = add_draft(site)
    with site.database.write() as session:
        organizations.need_organization(session, event.organization_id).representative = ""
    page = open_page(owner, event)
    assert "組織の代表者" in page.text
    assert page.link("入力する") == "/organizer/settings/organization"

    page.form("公開する").submit(status=409)
    assert read(site, event).status == "draft"

    page = open_page(sign_in(site, Role.EDITOR), event)
    assert "オーナーが入力できます" in page.text
    assert not page.root.find_all("a", href="/organizer/settings/organization")


def test_outage_is_said_and_the_page_still_opens(site, owner):
    event = add_draft(site)
    site.stop_zoom()

    page = open_page(owner, event)
    assert "Zoomが応答していません" in page.text
    page.form("公開する").submit(status=502)
    assert read(site, event).status == "draft"


def test_event_is_closed_and_opened_again(site, owner):
    event = site.add_event(slug="spring")
    form = open_page(owner, event).form("受付を終了する")
    for _ in range(2):
        assert "受付を終了しました" in form.submit().text
    assert read(site, event).status == "closed"
    with site.database.read() as session:
        assert session.query(AuditEntry).filter_by(action="event_changed").count() == 1
    open_page(owner, event).form("受付を再開する").submit()

    assert read(site, event).status == "published"


def test_cancelling_asks_for_the_number_and_tells_everybody(site, owner):
    event = site.add_event(slug="spring")
    for name in ("a", "b"):
        site.visitor().open("/e/spring").form().fill(
            family_name="山田",
            given_name=name,
            email=f"{name}@example.com",
            question_privacy=["yes"],
        ).submit()
    form = owner.open(f"/organizer/events/{event.public_id}/cancel").form("中止して全員に知らせる")
    form.fill(people="1").submit(status=422)
    assert read(site, event).status == "published"
    form.fill(people="2").submit()
    site.drain()

    assert read(site, event).status == "cancelled"
    subjects = [mail["Subject"] for mail in site.mailbox.list_mails() if "中止" in mail["Subject"]]
    assert len(subjects) == 2


def test_another_event_gets_the_looks_and_the_form(site, owner):
    event = site.add_event(slug="spring", brand_color="#ffd43d", capacity=7)
    start = (site.clock() + timedelta(days=20)).replace(microsecond=0)
    other = site.zoom.add_meeting(
        "meeting", topic="夏の会", type=2, start_time=f"{start:%Y-%m-%dT%H:%M:%SZ}"
    )
    page = owner.open(f"/organizer/events/new?like={event.public_id}")
    form = page.form("イベントを作成").fill(reference=str(other["id"]), language="en")
    owner.try_post("/organizer/events/new", form.fields)

    with site.database.read() as session:
        [copy] = [e for e in events.list_events(session) if e.zoom_id == other["id"]]
        assert (copy.brand_color, copy.capacity, copy.status) == ("#ffd43d", 7, "draft")
        assert (copy.title, copy.default_locale) == ({"en": "夏の会"}, "en")
        asked = [
            [(question["id"], question["label"]) for question in version.questions]
            for version in (
                events.get_form_version(session, e.form_version_id) for e in (event, copy)
            )
        ]
    assert asked[0] == asked[1]


def _connection(site, event):
    with site.database.read() as session:
        connection = organizations.need_connection(session, event.connection_id)
        session.expunge_all()
        return connection


def test_lost_meeting_is_created_anew_and_everybody_moves_over(site, owner):
    event = add_draft(site)
    open_page(owner, event).form("公開する").submit()
    with site.database.write() as session:
        published = events.need_event(session, event.id)
        submission = factories.make_submission(published)
        register(session, published, submission, policy=LinkPolicy.SHOW, now=site.clock())
    site.drain()
    link = find_link(site.mailbox.read_only("taro@example.com"), "j")
    assert Api(site.sandbox.url).call("DELETE", f"/meetings/{event.zoom_id}").status_code == 204

    page = open_page(owner, event).form("Zoomで作り直して全員を移す").submit()

    assert "全員の登録をやり直しています" in page.text
    moved = read(site, event)
    assert moved.zoom_id != event.zoom_id
    assert read_settings(site, moved)["registrants_email_notification"] is False
    site.drain()
    [person] = site.zoom.state()["registrants"]
    assert (person["email"], person["status"]) == ("taro@example.com", "approved")
    site.let_pass(days=6, hours=23, minutes=55)
    target = site.visitor().open(link).form("Zoomで参加する").leave()
    assert str(moved.zoom_id) in target
    assert len(site.mailbox.list_mails()) == 1


def test_meeting_of_an_event_that_was_called_off_is_not_created_anew(site, owner):
    event = add_draft(site)
    open_page(owner, event).form("公開する").submit()
    Api(site.sandbox.url).call("DELETE", f"/meetings/{event.zoom_id}")
    seen_before = open_page(owner, event)
    page = owner.open(f"/organizer/events/{event.public_id}/cancel")
    page.form("中止して全員に知らせる").fill(people="0").submit()

    assert "作り直" not in open_page(owner, event).text
    answer = seen_before.form("Zoomで作り直して全員を移す").submit()

    assert "登録をやり直しています" not in answer.text
    assert read(site, event).zoom_id == event.zoom_id
    assert site.zoom.state()["meetings"] == []


def test_form_with_an_earlier_notice_takes_the_current_one_before_it_is_public(site, owner):
    event = add_draft(site)
    with site.database.write() as session:
        organization = organizations.get_first_organization(session)
        versions = []
        for number, text in enumerate(("前の目的", "今の目的"), 1):
            document = make_default_document()
            slots = {**document.slots, "purposes": {"ja": text, "en": text}}
            versions.append(replace(document, slots=slots))
            notices.add_version(
                session,
                organization.id,
                number=number,
                document=dump_document(versions[-1]),
                is_standard=True,
                author="",
                now=site.clock(),
            )
        old = (dress(factories.PRIVACY, versions[0], make_operator(organization)),)
        keep_questions(session, events.need_event(session, event.id), old, site.clock())

    page = open_page(owner, event).form("公開する").submit(status=409)
    page = page.form("最新版を使う").submit()
    assert "最新版にしました" in page.text
    page.form("公開する").submit()

    assert "今の目的" in site.visitor().open(f"/e/{event.slug}/notice").text


def test_who_could_not_be_told_of_a_cancellation_is_told_again(site, owner):
    event = add_draft(site)
    open_page(owner, event).form("公開する").submit()
    with site.database.write() as session:
        published = events.need_event(session, event.id)
        submission = factories.make_submission(published)
        register(session, published, submission, policy=LinkPolicy.SHOW, now=site.clock())
    site.drain()
    page = owner.open(f"/organizer/events/{event.public_id}/cancel")
    page.form("中止して全員に知らせる").fill(people="1").submit()
    site.drain()
    assert "お知らせが届いていない方" not in open_page(owner, event).text
    with site.database.write() as session:
        session.execute(update(Mail).where(Mail.name == "event_cancelled").values(state="failed"))
        parked = {"state": "parked", "reason": "MailRefused: no"}
        session.execute(update(Job).where(Job.kind == "mail").values(**parked))

    page = open_page(owner, event)
    assert "山田 太郎" in page.text
    with site.database.read() as session:
        assert session.query(AuditEntry).filter_by(action="people_listed").count() == 1
    page = page.form("もう一度お知らせする").submit()

    assert "お知らせが届いていない方" not in page.text
    retry = ["jobs", "retry", "--all", "--reason", "MailRefused"]
    site.app.test_cli_runner().invoke(args=retry)
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com")[-1] == "中止"
    with site.database.read() as session:
        words = select(Mail.state).where(Mail.name == "event_cancelled").order_by(Mail.id)
        assert session.scalars(words).all() == ["dropped", "sent"], "not the former one, too"


def test_webinar_addon_profile_and_kept_mails_are_looked_at(site, owner):
    site.zoom.add_user("plain", "plain@example.com", has_webinars=False)
    event = add_draft(site, kind="webinar", host="plain@example.com")
    assert "ウェビナーのアドオンがない" in open_page(owner, event).text

    profile = {"meeting_authentication": True, "authentication_name": "社員のみ"}
    event = add_draft(site, settings=FINE | profile)
    with site.database.write() as session:
        events.need_event(session, event.id).keeps_zoom_mails = True
    page = open_page(owner, event)
    assert "社員のみ" in page.text and "Zoomからも確認メールが届きます" in page.text
    open_page(owner, event).form("公開する").submit()
    assert read_settings(site, event)["registrants_confirmation_email"] is True


def test_hanging_zoom_holds_half_of_the_threads_and_nobody_in_an_outage(site, owner):
    event = add_draft(site)
    site.zoom.fault(path="/v2/meetings/", count=None, status=503, delay_before=1.5)

    def open_pages(number):
        browsers = [sign_in(site) for _ in range(number)]
        with ThreadPoolExecutor(number) as threads:
            return [page.text for page in threads.map(open_page, browsers, [event] * number)]

    assert all("Zoomが応答していません" in text for text in open_pages(3))
    assert len(site.zoom.journal(meeting_id=event.zoom_id)) == 2

    with site.database.write() as session:
        connection = organizations.need_connection(session, event.connection_id)
        for _ in range(FAILURES_BEFORE_PAUSE):
            error = ZoomUnreachable("No answer")
            record_failure(session, connection.account_id, event.id, error, now=site.clock())
    site.zoom.clear_faults()
    assert "Zoomが応答していません" in open_page(owner, event).text
    assert len(site.zoom.journal(meeting_id=event.zoom_id)) == 2
    site.clock.move(minutes=2)
    # No worker has tried again, so the account may have come back long ago.
    assert "Zoomが応答していません" not in open_page(owner, event).text
