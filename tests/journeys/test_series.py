"""A series, as people and organizers meet it: the form with its dates, receipt, mails, changes."""

import re
from datetime import timedelta

import pytest
from icalendar import Calendar

from services.chosen_dates import read_chosen
from services.date_following import request_look
from services.dates import format_short
from services.mails import MailName, request_mail
from storage import events
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link
from tests.organizer import Organizer
from tests.page import Form
from tests.series import add_series_to_zoom, list_ids, make_series
from tests.zoom_sandbox.api import Api

pytestmark = only_sqlite

DATES = "question_event_dates"
TARO = {
    "family_name": "山田",
    "given_name": "太郎",
    "email": "taro@example.com",
    "question_company": "例株式会社",
    "question_privacy": "yes",
}
REGISTER = "同意して申し込む"


@pytest.fixture
def series(site):
    site.zoom.set_clock(site.clock())
    with site.database.write() as session:
        return make_series(session, site.zoom, now=site.clock(), slug="course")


def open_form(site):
    return site.visitor().open("/e/course").form(REGISTER)


def read_entries(file):
    return {str(entry["UID"]): entry["STATUS"] for entry in Calendar.from_ical(file).walk("VEVENT")}


def read_text(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def list_calendars(message):
    return [
        (part["Content-Type"].params["method"], read_entries(part.get_content()))
        for part in message.walk()
        if part.get_content_type() == "text/calendar"
    ]


def list_dates(site, series):
    """Return the dates as the site writes them in Japanese."""
    page = site.visitor().open("/e/course")
    return [label.text for label in page.root.find_all("label") if "日本時間" in label.text]


def test_chosen_dates_are_on_the_receipt_in_the_mail_and_in_the_calendar(site, series):
    first, second, third = list_dates(site, series)
    refused = open_form(site).fill(**TARO).submit(status=422)
    assert "参加する日程を選んでください" in refused.errors

    ids = list_ids(series)
    receipt = refused.form(REGISTER).fill(**{DATES: [ids[0], ids[2]]}).submit()
    assert "お選びの日程" in receipt.text
    assert first in receipt.text and third in receipt.text and second not in receipt.text
    file = receipt.visitor.fetch(receipt.link("Apple・その他（.ics）")).content
    uids = list(read_entries(file))
    assert [uid.partition("@")[0][-13:] for uid in uids] == [ids[0], ids[2]]

    site.drain()
    message = site.mailbox.read_only(TARO["email"])
    text = read_text(message)
    assert f"・{first}\n・{third}\n" in text
    assert list_calendars(message) == [("PUBLISH", dict.fromkeys(uids, "CONFIRMED"))]

    page = site.visitor().open(find_link(message, "r"))
    form = page.follow("登録内容を変更する").form("変更を保存する")
    assert form.list_values(DATES) == [ids[0], ids[2]]
    page = form.fill(**{DATES: [ids[1], ids[2]]}).submit()
    assert second in page.text and third in page.text
    site.drain()
    message = site.mailbox.read_last(TARO["email"])
    text = read_text(message)
    assert message["Subject"].startswith("【日程変更】")
    assert f"・{second}\n・{third}\n" in text
    (_, held), (method, dropped) = list_calendars(message)
    assert len(held) == 2 and uids[1] in held
    assert (method, dropped) == ("CANCEL", {uids[0]: "CANCELLED"})
    [person] = site.zoom.state()["registrants"]
    assert sorted(person["occurrence_ids"]) == [ids[1], ids[2]]


@pytest.mark.parametrize("end", ["person cancels", "event is cancelled", "turned down"])
def test_date_given_up_before_cancelling_leaves_the_calendar_too(site, series, end):
    ids = list_ids(series)
    open_form(site).fill(**TARO, **{DATES: ids[:2]}).submit()
    site.drain()
    message = site.mailbox.read_only(TARO["email"])
    [(_, published)] = list_calendars(message)

    page = site.visitor().open(find_link(message, "r"))
    form = page.follow("登録内容を変更する").form("変更を保存する")
    page = form.fill(**{DATES: [ids[1]]}).submit()
    if end == "event is cancelled":
        Organizer(site, series).run("event", "cancel", "course", "--yes")
    elif end == "turned down":
        Organizer(site, series).deny(TARO["email"])
    else:
        page.follow("参加をキャンセルする").form("キャンセルする").submit()
    site.drain()

    message = site.mailbox.read_last(TARO["email"])
    assert list_calendars(message) == [("CANCEL", dict.fromkeys(published, "CANCELLED"))]


def test_dates_that_are_full_or_over_say_so_and_cannot_be_chosen(site, series):
    ids = list_ids(series)
    with site.database.write() as session:
        events.need_event(session, series.id).seats_per_date = 1
    late = open_form(site).fill(**TARO, **{DATES: [ids[1], ids[2]]})
    late.fill(email="late@example.com")
    open_form(site).fill(**TARO, **{DATES: [ids[1]]}).submit()

    page = late.submit(status=422)
    assert "選んだ日程に、お申し込みいただけなくなったものがあります" in page.errors[0]
    assert page.form(REGISTER).list_values(DATES) == [ids[2]]
    site.let_pass(days=7, hours=2)
    page = site.visitor().open("/e/course")
    offered = [box["value"] for box in page.root.find_all("input", name=DATES)]
    assert offered == [ids[2]]
    assert re.search(r"終了 \S+", page.text) and re.search(r"満席 \S+", page.text)
    page.form(REGISTER).fill(**TARO | {"email": "late@example.com"}, **{DATES: [ids[2]]}).submit()
    assert "満席" in site.visitor().open("/e/course").text


def test_date_that_is_full_at_zoom_says_so_and_others_are_taken(site, series):
    ids = list_ids(series)
    site.zoom.change_meeting(series.zoom_id, capacity=1)
    late = open_form(site).fill(**TARO, **{DATES: [ids[0]]}).fill(email="late@example.com")
    for name in ("taro", "hanako"):
        person = TARO | {"email": f"{name}@example.com"}
        open_form(site).fill(**person, **{DATES: [ids[0]]}).submit()
        site.drain()

    page = late.submit(status=422)
    assert "選んだ日程に、お申し込みいただけなくなったものがあります" in page.errors[0]
    assert re.search(r"満席 \S+", page.text)
    page.form(REGISTER).fill(**{DATES: [ids[1]]}).submit()
    site.drain()

    [taken] = [p for p in site.zoom.state()["registrants"] if p["email"] == "late@example.com"]
    assert taken["occurrence_ids"] == [ids[1]]
    assert "Zoomで満席の日程あり" in sign_in(site).open("/organizer").text


def test_organizer_filters_exports_edits_and_imports_by_date(site, series):
    ids = list_ids(series)
    open_form(site).fill(**TARO, **{DATES: [ids[0], ids[1]]}).submit()
    owner = sign_in(site)
    people = f"/organizer/events/{series.public_id}/people"
    assert "山田" in owner.open(f"{people}?answer:event_dates={ids[1]}").text
    assert "山田" not in owner.open(f"{people}?answer:event_dates={ids[2]}").text
    exported = owner.fetch(f"{people}/export?format=csv").content.decode("utf-8-sig")
    heads, row = (line.split(",") for line in exported.splitlines()[:2])
    dates = row[heads.index("参加する日程")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d、\d{4}-\d\d-\d\d \d\d:\d\d", dates)

    table = f"姓\t名\tメールアドレス\t参加する日程\n高橋\t次郎\tjiro@example.com\t{dates}"
    page = owner.open(f"{people}/import").form("表を読み込む").fill(table=table).submit()
    site.drain()
    page = owner.open(page.url)
    [form] = page.root.find_all("form", action=page.url.removeprefix(site.url))
    Form(page, form).fill(basis="電話で").submit()
    site.drain()
    assert "高橋" in owner.open(f"{people}?answer:event_dates={ids[1]}").text

    page = owner.open(f"{people}?q=taro")
    page = page.follow("山田 太郎")
    form = page.follow("登録内容を変更する").form("変更を保存する")
    page = form.fill(**{DATES: [ids[2]]}).submit()
    assert f"{dates.replace('、', ', ')} →" in page.text


def test_dates_that_zoom_moves_or_drops_are_followed_and_told(site, series):
    ids = list_ids(series)
    for email, numbers in (("taro", (0, 1)), ("hana", (1,)), ("jiro", (2,))):
        values = TARO | {"email": f"{email}@example.com"}
        open_form(site).fill(**values, **{DATES: [ids[n] for n in numbers]}).submit()
    with site.database.write() as session:
        request_look(session, events.need_event(session, series.id), now=site.clock())
    site.drain()
    site.let_pass(minutes=10)
    path, zoom = f"/meetings/{series.zoom_id}", Api(site.sandbox.url)
    assert zoom.call("DELETE", path, occurrence_id=ids[0]).status_code == 204
    later = series.starts_at + timedelta(days=1, hours=2)
    moved = {"start_time": f"{later:%Y-%m-%dT%H:%M:%SZ}"}
    assert zoom.call("PATCH", path, moved, occurrence_id=ids[1]).status_code == 204
    site.drain()
    assert len(site.mailbox.list_mails()) == 3
    site.let_pass(minutes=51)
    site.drain()
    site.drain()

    assert [len(site.mailbox.list_mails(f"{n}@example.com")) for n in ("taro", "hana", "jiro")] == [
        *(2, 2, 1)
    ]
    message = site.mailbox.read_last("taro@example.com")
    assert "（中止）" in read_text(message)
    (_, held), (_, dropped) = list_calendars(message)
    assert [uid.partition("@")[0][-13:] for uid in (*held, *dropped)] == [ids[1], ids[0]]
    page = site.visitor().open("/e/course")
    assert [box["value"] for box in page.root.find_all("input", name=DATES)] == ids[1:]
    link = find_link(site.mailbox.read_last("hana@example.com"), "j")
    site.let_pass(days=8)
    assert "Zoomで参加" in site.visitor().open(link).text
    site.let_pass(days=1)
    assert "このイベントは終了しました" in site.visitor().open(link).text


@pytest.mark.parametrize("date_choice", ["choose", "all"])
@pytest.mark.parametrize("held", [0, 1])
def test_cancelled_last_dates_of_a_series_are_told(site, series, held, date_choice):
    """With none held before them: there is no other date to show then."""
    chosen = {DATES: list_ids(series)[1:]} if date_choice == "choose" else {}
    with site.database.write() as session:
        event = events.need_event(session, series.id)
        event.date_choice = date_choice
        events.raise_version(session, event)
        request_look(session, event, now=site.clock())
    open_form(site).fill(**TARO, **chosen).submit()
    site.drain()
    site.let_pass(days=7 * held, minutes=90)
    drop_dates(site, series, list_ids(series)[held:])
    for _ in range(3):
        site.let_pass(hours=1)
        site.drain()

    assert len(site.mailbox.list_mails("taro@example.com")) == 2
    message = site.mailbox.read_last("taro@example.com")
    is_lost = not held or date_choice == "choose"
    lost, rest = (
        "すべて中止になりました。ほかの日程の予定はありません",
        "今後の開催予定はありません",
    )
    assert [words in read_text(message) for words in (lost, rest)] == [is_lost, not is_lost]
    assert "/j/" not in read_text(message), "nothing is left to join"
    method, dropped = list_calendars(message)[-1]
    count = 2 if date_choice == "choose" else 3 - held
    assert (method, list(dropped.values())) == ("CANCEL", ["CANCELLED"] * count)
    page = site.visitor().open("/e/course")
    assert not page.root.find_all("form", method="post")


@pytest.mark.parametrize("date_choice", ["choose", "all"])
@pytest.mark.parametrize(
    ("members", "stays", "has_none"),
    [
        ({"approval": "manual"}, "主催者の承認後、参加用URLを", "承認待ちのまま続きます"),
        (
            {"capacity": 0, "has_waitlist": True},
            "空きが出たらメールでお知らせします",
            "キャンセル待ちの順番はそのままで",
        ),
    ],
)
def test_who_waits_hears_that_dates_are_cancelled(
    site, series, members, stays, has_none, date_choice
):
    ids = list_ids(series)
    with site.database.write() as session:
        event = events.need_event(session, series.id)
        for name, value in {"date_choice": date_choice, **members}.items():
            setattr(event, name, value)
        events.raise_version(session, event)
        request_look(session, event, now=site.clock())
    chosen = {DATES: ids[:1]} if date_choice == "choose" else {}
    receipt = site.visitor().open("/e/course").form().fill(**TARO, **chosen).submit()
    site.drain()
    lost = "お申し込みの日程はすべて中止になりました"
    told = []
    for gone, words in ((ids[:1], has_none if chosen else stays), (ids[1:], lost)):
        drop_dates(site, series, gone)
        for _ in range(2):
            site.let_pass(hours=1)
            site.drain()
        told.append(words)
        message = site.mailbox.read_last("taro@example.com")
        personal = site.visitor().open(find_link(message, "r"))
        person = Organizer(site, series).find("taro@example.com")
        join = site.visitor().open(site.parts.links.join_from_mail(person))
        for page in (receipt.visitor.open(receipt.url), personal, join):
            assert words in page.text
    # Whose one date was cancelled is not concerned by the others.
    _, *mails = site.mailbox.list_mails("taro@example.com")
    for message, words in zip(mails, told[:1] if chosen else told, strict=True):
        assert "日程が変わりました" in read_text(message) and words in read_text(message)


def drop_dates(site, series, ids):
    """Have the host delete dates at Zoom."""
    zoom = Api(site.sandbox.url)
    for date in ids:
        answer = zoom.call("DELETE", f"/meetings/{series.zoom_id}", occurrence_id=date)
        assert answer.status_code == 204


def test_draft_of_a_series_lets_people_choose_once_published(site):
    site.zoom.set_clock(site.clock())
    with site.database.write() as session:
        factories.make_organization(session, now=site.clock())
    start = (site.clock() + timedelta(days=7)).replace(microsecond=0)
    meeting = add_series_to_zoom(site.zoom, starts_at=start, registration_type=1)
    owner = sign_in(site)
    page = owner.open("/organizer/events/new")
    form = page.form("イベントを作成")
    page = form.fill(reference=str(meeting["id"])).submit()
    assert "連続開催" in page.text
    page = page.form("保存").fill(date_choice="choose", seats_per_date="20").submit()
    page = owner.open(page.url.replace("/content?done=saved", "/publishing"))
    assert "Zoomでの日程の受け付け方" in page.text
    page = page.form("公開する").submit()
    assert "公開しました" in page.text
    [stored] = [m for m in site.zoom.state()["meetings"] if m["id"] == meeting["id"]]
    assert stored["settings"]["registration_type"] == 3
    with site.database.read() as session:
        [event] = events.list_events(session)
    assert str(meeting["id"]) not in event.slug
    page = site.visitor().open(f"/e/{event.slug}")
    assert len(page.root.find_all("input", name=DATES)) == 3


@pytest.mark.parametrize(("first", "other"), [("choose", "all"), ("all", "choose")])
def test_who_chooses_dates_cannot_change_once_somebody_is_registered(site, first, other):
    """Their page would tell of other dates than Zoom has them for."""
    with site.database.write() as session:
        event = make_series(session, site.zoom, now=site.clock(), slug="course", date_choice=first)
    chosen = {DATES: list_ids(event)[1:2]} if first == "choose" else {}
    open_form(site).fill(**TARO, **chosen).submit()
    content = f"/organizer/events/{event.public_id}/content"
    page = sign_in(site).open(content).form("保存").fill(date_choice=other).submit(status=422)

    assert "申し込みがあったため、「参加する日程」は変更できません" in page.text
    form = page.form("保存")
    assert form["date_choice"] == other, "what was typed is kept"
    page = form.fill(date_choice=first, capacity="50").submit()
    assert page.url.endswith("done=saved")


def test_who_waits_for_dates_that_are_over_is_told_to_choose_others(site, series):
    with site.database.write() as session:
        event = events.need_event(session, series.id)
        event.capacity, event.has_waitlist = 1, True
        events.raise_version(session, event)
    ids = list_ids(series)
    open_form(site).fill(**TARO, **{DATES: [ids[1]]}).submit()
    waits = {**TARO, "email": "hanako@example.com", DATES: [ids[0]]}
    receipt = site.visitor().open("/e/course").form().fill(**waits).submit()
    assert "現在キャンセル待ち1番目です" in receipt.text
    site.let_pass(days=7, minutes=61)

    receipt = receipt.visitor.open(receipt.url)
    personal = receipt.follow("登録内容の変更・キャンセル")
    person = Organizer(site, series).find("hanako@example.com")
    join = receipt.visitor.open(site.parts.links.join_from_mail(person))

    for page in (receipt, personal, join):
        assert "別の日程を選ぶと、キャンセル待ちの順番はそのままで" in page.text
        assert "番目" not in page.text
    form = personal.follow("登録内容を変更する").form("変更を保存する")
    form.fill(**{DATES: [ids[2]]}).submit()
    assert "現在キャンセル待ち1番目です" in receipt.visitor.open(receipt.url).text


def test_who_has_been_to_their_dates_may_choose_others_while_the_series_goes_on(site, series):
    ids = list_ids(series)
    receipt = open_form(site).fill(**TARO, **{DATES: [ids[0]]}).submit()
    site.drain()
    link = find_link(site.mailbox.read_only("taro@example.com"), "j")
    site.let_pass(days=7, minutes=61)

    receipt = receipt.visitor.open(receipt.url)
    personal = receipt.follow("登録内容の変更・キャンセル")
    join = receipt.visitor.open(link)

    for page in (receipt, personal, join):
        assert "ほかの日程に空きがあれば" in page.text
        for gone in ("イベントは終了しました", "Zoomで参加する", "カレンダーに追加"):
            assert gone not in page.text
    assert "変更用のURLは、これまでにお送りしたメールに記載しています" in join.text
    form = personal.follow("登録内容を変更する").form("変更を保存する")
    again = form.fill(**{DATES: [ids[2]]}).submit()
    for page in (receipt.visitor.open(receipt.url), again):
        assert "ほかの日程に空きがあれば" not in page.text
        assert "Zoomで参加する" in page.text and "カレンダーに追加" in page.text
    site.drain()
    assert "入室は開始10分前からです" in receipt.visitor.open(link).text


@pytest.mark.parametrize("happens", ["over", "cancelled"])
def test_no_mail_promises_anything_to_whom_no_date_is_ahead(site, series, happens):
    ids = list_ids(series)
    with site.database.write() as session:
        request_look(session, events.need_event(session, series.id), now=site.clock())
    open_form(site).fill(**TARO, **{DATES: [ids[0]]}).submit()
    site.drain()
    site.let_pass(hours=2, days=7 if happens == "over" else 0)
    if happens == "cancelled":
        drop_dates(site, series, ids[:1])
        site.let_pass(hours=1)
    site.drain()
    site.drain()
    told = site.mailbox.list_mails("taro@example.com")[1:]
    assert len(told) == (happens == "cancelled")

    open_form(site).fill(**TARO, **{DATES: [ids[2]]}).submit()
    site.drain()
    told.append(site.mailbox.read_last("taro@example.com"))
    assert "/answers/" in read_text(told[-1]), "what was sent now can be taken"
    with site.database.write() as session:
        # As from before the date was over, by an older version too.
        person = Organizer(site, series).find("taro@example.com")
        for name in (MailName.APPROVED, MailName.DELAYED, MailName.REFUSED):
            request_mail(session, name, person, now=site.clock())
    site.drain()
    told.append(site.mailbox.read_last("taro@example.com"))

    assert len(site.mailbox.list_mails("taro@example.com")) == len(told) + 1, "one of the three"
    for message in told:
        assert re.search("(終了または|すべて)中止になりました", read_text(message))
        assert "参加が確定" not in read_text(message) + message["Subject"]
        assert "お席を確保" not in read_text(message)
        assert "/j/" not in read_text(message)


def test_wrong_address_is_corrected_after_the_first_date(site, series):
    ids = list_ids(series)
    receipt = open_form(site).fill(**TARO, **{DATES: ids[:2]}).submit()
    site.let_pass(days=7, minutes=61)

    form = receipt.visitor.open(receipt.url).follow("メールアドレスを訂正する").form()
    corrected = form.fill(email="taro@example.org").submit()

    assert corrected.heading == "お申し込みが完了しました"


def test_changes_of_the_personal_page_stay_where_the_address_is_corrected(site, series):
    ids = list_ids(series)
    receipt = open_form(site).fill(**TARO, **{DATES: ids[0]}).submit()
    site.drain()
    edit = receipt.follow("登録内容の変更・キャンセル").follow("登録内容を変更する")
    edit.form("変更を保存する").fill(family_name="山本", **{DATES: ids[2]}).submit()

    form = receipt.visitor.open(receipt.url).follow("メールアドレスを訂正する").form()
    corrected = form.fill(email="taro@example.org").submit()
    site.let_pass(minutes=2)
    site.drain()

    assert "山本 太郎 様" in corrected.text
    again = corrected.follow("登録内容の変更・キャンセル").follow("登録内容を変更する")
    assert again.form("変更を保存する").list_values(DATES) == [ids[2]]
    found = {p["email"]: p for p in site.zoom.state()["registrants"] if p["status"] == "approved"}
    assert list(found) == ["taro@example.org"]
    assert found["taro@example.org"]["occurrence_ids"] == [ids[2]]


def test_correction_says_that_a_date_is_full_and_changes_nothing(site, series):
    with site.database.write() as session:
        event = events.need_event(session, series.id)
        event.seats_per_date, event.link_policy = 2, "mail"
        events.raise_version(session, event)
    date = {DATES: [list_ids(series)[0]]}
    open_form(site).fill(**TARO, **date).submit()
    mistaken = open_form(site).fill(**TARO, **date).submit()
    open_form(site).fill(**TARO | {"email": "hanako@example.com"}, **date).submit()

    form = mistaken.follow("メールアドレスを訂正する").form()
    refused = form.fill(email="taro@example.org").submit(status=409)

    assert "選んだ日程に、お申し込みいただけなくなったものがあります。" in refused.text
    assert refused.form().list_values("email") == ["taro@example.org"]


def test_who_cancelled_comes_back_after_the_first_date_unless_another_is_full(site, series):
    ids = list_ids(series)
    open_form(site).fill(**TARO, **{DATES: ids[:2]}).submit()
    site.drain()
    link = find_link(site.mailbox.read_only(TARO["email"]), "r")
    site.visitor().open(link).follow("参加をキャンセルする").form("キャンセルする").submit()
    site.let_pass(days=7, minutes=61)

    back = site.visitor().open(link).follow("もう一度申し込む").form().submit()
    assert "あらためてお申し込みを受け付けました。" in back.text

    back.follow("参加をキャンセルする").form("キャンセルする").submit()
    with site.database.write() as session:
        events.need_event(session, series.id).seats_per_date = 1
    site.visitor().open("/e/course").form().fill(
        **TARO | {"email": "hanako@example.com"}, **{DATES: [ids[1]]}
    ).submit()
    form = site.visitor().open(link).follow("もう一度申し込む").form()
    refused = form.fill(family_name="山本").submit(status=422)
    assert "参加する日程を選んでください" in refused.errors
    back = refused.form().fill(**{DATES: [ids[2]]}).submit()
    assert "参加登録済み" in back.text
    person = Organizer(site, series).find(TARO["email"])
    with site.database.read() as session:
        assert (person.family_name, read_chosen(session, person)) == ("山本", (ids[2],))


def test_fourth_change_of_dates_in_a_day_gives_back_what_was_typed_and_says_when(site, series):
    ids = list_ids(series)
    receipt = open_form(site).fill(**TARO, **{DATES: [ids[0]]}).submit()
    edit = receipt.follow("登録内容の変更・キャンセル").follow("登録内容を変更する")
    for number in (1, 2, 0):
        edit.form("変更を保存する").fill(**{DATES: [ids[number]]}).submit()
        site.let_pass(minutes=10)
    form = edit.visitor.open(edit.url).form("変更を保存する")

    refused = form.fill(given_name="次郎", **{DATES: [ids[1]]}).submit(status=409)

    again_at = format_short(site.clock() + timedelta(days=1, minutes=-29), "Asia/Tokyo", "ja")
    assert f"日程の変更は1日3回までです。次の変更は {again_at} から" in refused.text
    form = refused.form("変更を保存する")
    assert (form.list_values("given_name"), form.list_values(DATES)) == (["次郎"], [ids[1]])
    assert "山田 次郎" in form.fill(**{DATES: [ids[0]]}).submit().text
    site.let_pass(days=1, minutes=-30)
    assert list_dates(site, series)[1] in form.fill(**{DATES: [ids[1]]}).submit().text


def cancel_by_mail(site, **chosen):
    open_form(site).fill(**TARO, **chosen).submit()
    site.drain()
    link = find_link(site.mailbox.read_only(TARO["email"]), "r")
    site.visitor().open(link).follow("参加をキャンセルする").form("キャンセルする").submit()
    site.drain()
    return link


def test_who_cancelled_and_sent_the_form_for_another_date_comes_back_for_that(site, series):
    ids, dates = list_ids(series), list_dates(site, series)
    cancel_by_mail(site, **{DATES: [ids[0]]})
    site.let_pass(days=7, minutes=61)
    open_form(site).fill(**TARO | {"family_name": "山本"}, **{DATES: [ids[2]]}).submit()
    site.drain()

    again = find_link(site.mailbox.read_last(TARO["email"]), "r") + "/again"
    page = site.visitor().open(again)
    assert "このメールアドレスで最後に送信された内容" in page.text
    form = page.form("もう一度申し込む")
    assert (form.list_values("family_name"), form.list_values(DATES)) == (["山本"], [ids[2]])
    back = form.submit()

    assert "参加登録済み" in back.text and "山本 太郎" in back.text
    assert "もう一度送信されました" not in back.text
    site.drain()
    text = read_text(site.mailbox.read_last(TARO["email"]))
    assert dates[2] in text and dates[0] not in text
    [person] = [p for p in site.zoom.state()["registrants"] if p["status"] == "approved"]
    assert person["occurrence_ids"] == [ids[2]]


def test_page_for_coming_back_is_for_who_may(site, series):
    link = cancel_by_mail(site, **{DATES: list_ids(series)[:1]})
    page = site.visitor().open(link).follow("もう一度申し込む")
    asked = site.visitor().post(page.url, [])
    assert (asked.errors, asked.url) == ([], page.url)
    page.form("もう一度申し込む").submit()

    assert "この操作は現在お受けできません" in site.visitor().open(page.url).text
    again = page.form("もう一度申し込む").submit()
    assert "あらためてお申し込みを受け付けました。" in again.text
