"""The button in a mail: until when it works, and what is said where it does not."""

import re
from datetime import timedelta

import pytest

from services.registrations import drop
from storage.models import Event, SubmissionRow
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text
from tests.organizer import Organizer
from tests.people import ANN, HANAKO, TARO
from tests.series import list_ids, make_series
from tests.work import do_work

DATES = "question_event_dates"
NOT_TAKEN = "今回のフォーム送信では、お申し込みは完了していません"
STANDS = "すでにお申し込みがお済みの場合、そのお申し込みは有効です"


def send(site, person=TARO, slug="spring", **answers):
    return site.visitor().open(f"/e/{slug}").form().fill(**person, **answers).submit(status=422)


def ask(site, slug="spring", **answers):
    """Have a mail sent with a button; return the receipt, the mail's text and the button's page."""
    asked = send(site, TARO, slug, **answers)
    receipt = asked.form().press("確認メールを受け取る").submit()
    site.drain()
    text = read_text(site.mailbox.read_only(TARO["email"]))
    [link] = set(re.findall(r"\S+/v/[\w-]+", text))
    return receipt, text, site.visitor().open(link)


def change_event(site, **members):
    with site.database.write() as session:
        [event] = session.query(Event)
        for name, value in members.items():
            setattr(event, name, value)
        event.version += 1


@pytest.mark.parametrize("by", ["button", "organizer"])
def test_what_was_sent_before_the_closing_time_is_registered_after_it(site, by):
    closes_at = site.clock() + timedelta(minutes=10)
    event = site.add_event(slug="spring", bot_check="always", closes_at=closes_at)
    receipt, _, page = ask(site)
    site.let_pass(minutes=11)
    again = receipt.visitor.open(receipt.url)
    assert again.heading == "メール内のボタンを押してください"

    if by == "button":
        page.visitor.open(page.url).form().submit()
    else:
        Organizer(site, event).release_held()

    assert receipt.visitor.open(receipt.url).heading == "お申し込みが完了しました"
    assert "受付を終了しました" in site.visitor().open("/e/spring").text


@only_sqlite
def test_what_was_sent_before_the_closing_time_may_be_worked_for_until_after_it(site):
    closes_at = site.clock() + timedelta(minutes=10)
    site.add_event(slug="spring", bot_check="always", closes_at=closes_at, link_policy="code")
    do_work(send(site)).submit()
    known, unknown, late = send(site), send(site, HANAKO), send(site, ANN)
    site.let_pass(minutes=11)
    in_time = [do_work(asked).submit() for asked in (known, unknown)]

    assert {receipt.heading for receipt in in_time} == {"メールをご確認ください"}
    site.let_pass(minutes=20)
    assert "受付を終了しました" in do_work(late).submit(status=409).text
    assert site.count_rows("registration") == 2


@only_sqlite
def test_what_was_sent_is_not_in_time_where_the_closing_time_was_moved_before_it(site):
    event = site.add_event(slug="spring", bot_check="always")
    _, _, page = ask(site)
    change_event(site, closes_at=site.clock() - timedelta(days=1))

    assert NOT_TAKEN in page.form().submit(status=409).text
    with pytest.raises(AssertionError):
        Organizer(site, event).release_held()
    assert site.count_rows("registration") == 0


@only_sqlite
@pytest.mark.parametrize(
    ("change", "heading"),
    [({"status": "closed"}, "受付を終了しました"), ({"capacity": 0}, "満席になりました")],
)
def test_button_that_would_register_nobody_is_not_shown(site, change, heading):
    site.add_event(slug="spring", bot_check="always")
    receipt, _, page = ask(site)
    change_event(site, **change)

    told = [page.visitor.open(page.url), page.form().submit(status=409)]
    told.append(receipt.visitor.open(receipt.url))

    assert all(heading in page.text and NOT_TAKEN in page.text for page in told)
    assert page.visitor.open(page.url).root.find_all("form") == []
    change_event(site, status="published", capacity=1)
    assert receipt.visitor.open(receipt.url).heading == "メール内のボタンを押してください"
    page.visitor.open(page.url).form().submit()
    assert site.count_rows("registration") == 1


@only_sqlite
@pytest.mark.parametrize(
    ("change", "hours", "heading"),
    [
        ({"capacity": 1}, 0, "満席になりました"),
        ({"status": "closed"}, 0, "受付を終了しました"),
        ({}, 25, "メール内のボタンの有効期限が切れました"),
        ({"status": "closed"}, 25, "メール内のボタンの有効期限が切れました"),
    ],
)
def test_who_is_registered_by_the_button_of_another_mail_does_not_read_that_they_are_not(
    site, change, hours, heading
):
    site.add_event(slug="spring", bot_check="always")
    receipt, _, page = ask(site)
    send(site).form().press("確認メールを受け取る").submit()
    site.drain()
    other = find_link(site.mailbox.read_last(TARO["email"]), "v")
    site.visitor().open(other).form().submit()
    change_event(site, **change)
    site.let_pass(hours=hours)

    told = receipt.visitor.open(receipt.url)

    assert (told.heading, site.count_rows("registration")) == (heading, 1)
    assert NOT_TAKEN in told.text
    assert "未完了" in told.text
    button = page.visitor.open(page.url, status=410 if hours else 200)
    assert all(STANDS in shown.text for shown in (told, button))


@only_sqlite
@pytest.mark.parametrize("is_open", [True, False])
def test_receipt_of_what_was_put_away_promises_nothing_and_leads_on(site, is_open):
    site.add_event(slug="spring", bot_check="always")
    receipt, _, _ = ask(site)
    with site.database.write() as session:
        drop(session, session.query(SubmissionRow).one())
    change_event(site, status="published" if is_open else "closed")

    told = receipt.visitor.open(receipt.url)

    assert (told.heading, "未完了" in told.text) == ("今回のお申し込みは完了していません", True)
    assert STANDS in told.text and "主催者にお問い合わせください" in told.text
    assert "ご連絡します" not in told.text and "状態を更新" not in told.text
    assert ("申込フォームへ" in told.text) is is_open
    if is_open:
        assert told.follow("申込フォームへ").form()


def tell_until(starts_at):
    """Say until when an event of an hour goes on, in Japan."""
    return f"{starts_at + timedelta(hours=9 + 1):%H:%M}まで"


@only_sqlite
def test_button_is_not_said_to_work_longer_than_the_event_goes_on(site):
    starts_at = site.clock() + timedelta(minutes=10)
    site.add_event(slug="spring", bot_check="always", starts_at=starts_at)
    receipt, text, page = ask(site)

    assert all(tell_until(starts_at) in said for said in (text, page.text))
    site.let_pass(minutes=71)
    assert "このイベントは終了しました" in page.visitor.open(page.url).text
    assert NOT_TAKEN in page.form().submit(status=409).text
    assert receipt.visitor.open(receipt.url).heading == "このイベントは終了しました"


@only_sqlite
def test_button_is_not_said_to_work_longer_than_a_date_that_was_chosen_is_ahead(site):
    with site.database.write() as session:
        series = make_series(session, site.zoom, now=site.clock(), slug="course")
        series = session.merge(series)
        series.bot_check = "always"
    first, *_, last = list_ids(series)
    site.let_pass(days=7, minutes=-30)
    receipt, text, page = ask(site, "course", **{DATES: [first, last]})

    assert tell_until(series.starts_at) in text
    site.let_pass(minutes=91)
    for told in (page.visitor.open(page.url), receipt.visitor.open(receipt.url)):
        assert told.heading == "選択された日程は受付を終了しました"
        assert NOT_TAKEN in told.text
        assert STANDS in told.text
        assert told.follow("申込フォームへ").form()


@only_sqlite
@pytest.mark.parametrize(
    ("members", "note"),
    [
        ({"approval": "manual"}, "主催者の承認後、参加用URLをメールでお送りします"),
        ({"capacity": 0, "has_waitlist": True}, "空きが出たらメールでお知らせします"),
    ],
)
def test_who_is_not_registered_by_the_button_alone_reads_what_follows(site, members, note):
    site.add_event(slug="spring", bot_check="always", **members)
    asked = send(site)
    receipt, _, page = ask(site)

    said = [told.text for told in (asked, receipt, page)]
    assert all(note in text and "お申し込みが完了します" not in text for text in said)
    page.form().submit()
    assert note in receipt.visitor.open(receipt.url).text


def test_who_had_cancelled_comes_back_by_the_button_without_another_mail(site):
    event = site.add_event(slug="spring", bot_check="always")
    do_work(send(site)).submit()
    site.drain()
    link = find_link(site.mailbox.read_only(TARO["email"]), "r")
    site.visitor().open(f"{link}/cancel").form("キャンセルする").submit()
    send(site).form().press("確認メールを受け取る").submit()
    site.drain()
    page = site.visitor().open(find_link(site.mailbox.read_last(TARO["email"]), "v"))
    assert "お申し込みが完了します" not in page.text

    back = page.form().submit()

    assert back.url.partition("?")[0] == f"{link}/again"
    back.form().submit()
    assert Organizer(site, event).find(TARO["email"]).status == "approved"
    assert page.form().submit().url.startswith(f"{site.url}/s/"), "the link is for good"
