"""An owner has other systems told, sees what they took, and sends it again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from services.members import Role
from services.webhooks import Reason, pause
from storage.models import AuditEntry, WebhookEndpoint, WebhookMessage
from tests import dashboard
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.page import Form
from tests.people import TARO
from tests.receiver import Receiver

pytestmark = only_sqlite

HOOKS = "/organizer/settings/webhooks"


@pytest.fixture
def office(start_site):
    site = start_site(private_webhook_hosts="127.0.0.1:*")
    site.add_event(slug="spring")
    return site


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def fill(page, **fields):
    form = page.form("設定")
    return form.fill(**{"name": "CRM", "payload": "thin", "places": "all"} | fields)


def set_up(owner, receiver, **fields):
    page = fill(owner.open(f"{HOOKS}/new"), url=receiver.url, **fields).submit()
    receiver.secret = read_secret(page)
    return page


def read_secret(page):
    [key] = [e.text for e in page.root.find_all("code") if e.has_class("key")]
    return key


def read_endpoint(site):
    with site.database.read() as session:
        return session.scalars(select(WebhookEndpoint)).one()


def test_webhook_is_set_up_tested_and_told(office, receiver):
    owner = sign_in(office)
    page = set_up(owner, receiver)
    assert receiver.secret.startswith("whsec_")
    page = page.follow("控えました")
    assert receiver.secret not in page.text
    page.form("テスト通知を送る").submit()
    office.visitor().open("/e/spring").form().fill(**TARO).submit()
    office.drain()

    assert sorted(one.content["type"] for one in receiver.asked) == [
        "registration.confirmed",
        "registration.created",
        "webhook.test",
    ]
    page = owner.open(f"{HOOKS}/{read_endpoint(office).public_id}")
    assert all(one.number in page.text for one in receiver.asked)
    assert "応答：204" in page.text and "山田" not in page.text
    [newest, *_] = [e for e in page.root.find_all("form") if e["action"].endswith("/replay")]
    Form(page, newest).submit()
    office.drain()
    assert len(receiver.asked) == 4
    with office.database.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    acts = [(entry.action, entry.facts) for entry in entries if "webhook" in entry.action]
    assert acts == [
        ("webhook_made", {"payload": "thin"}),
        ("webhook_changed", {"change": "replayed"}),
    ]


def test_whole_form_is_stored_and_shown_again(office, receiver):
    event = office.add_event(slug="autumn", title={"ja": "秋の会", "en": "Autumn"})
    owner = sign_in(office)
    set_up(
        owner,
        receiver,
        payload="full",
        places="chosen",
        events=[event.public_id],
        kinds=["registration.cancelled"],
    )
    public_id = read_endpoint(office).public_id
    form = owner.open(f"{HOOKS}/{public_id}/edit").form("保存")
    assert (form["payload"], form["places"]) == ("full", "chosen")
    assert form.list_values("events") == [event.public_id]
    assert form.list_values("kinds") == ["registration.cancelled"]
    page = form.fill(name="別の名前").submit()
    assert "保存しました" in page.text and "別の名前" in page.text
    stale = form.fill(name="古い").submit(status=409)
    assert "ほかの方が" in stale.text
    with Receiver() as other:
        page = owner.open(f"{HOOKS}/{public_id}/edit").form("保存").fill(url=other.url).submit()
        assert read_secret(page) != receiver.secret


def test_what_cannot_be_told_is_said_at_its_field(office):
    owner = sign_in(office)
    for fields, words in (
        ({"url": "http://hooks.example.com/"}, "https://"),
        ({"url": "https://hooks.example.com:8443/"}, "https://"),
        ({"url": "https://127.1/"}, "https://"),
        ({"url": "https://例え.jp/"}, "xn--"),
        ({"url": ""}, "送信先"),
        ({"places": "chosen"}, "「すべて」"),
        ({"kinds": []}, "通知する内容"),
        ({"name": ""}, "名前"),
    ):
        values = {"url": "https://hooks.example.com/"} | fields
        page = fill(owner.open(f"{HOOKS}/new"), **values).submit(status=422)
        assert [words in error for error in page.errors] == [True]
    assert office.count_rows("webhook_endpoint") == 0


def test_secret_is_changed_and_webhook_paused_resumed_and_removed(office, receiver):
    owner = sign_in(office)
    set_up(owner, receiver)
    page = owner.open(f"{HOOKS}/{read_endpoint(office).public_id}")
    newer = read_secret(page.form("署名キーを作り直す").submit())
    assert newer != receiver.secret
    page = page.form("一時停止").submit()
    assert "手動で停止中" in page.text
    office.visitor().open("/e/spring").form().fill(**TARO).submit()
    office.drain()
    assert receiver.asked == []
    page = page.form("再開").submit()
    office.drain()
    assert [one.kind for one in receiver.asked] == ["created", "confirmed"]
    page.form("削除").submit()
    assert office.count_rows("webhook_message") == 0


def test_second_press_makes_no_second_secret(office, receiver):
    owner = sign_in(office)
    set_up(owner, receiver)
    press = owner.open(f"{HOOKS}/{read_endpoint(office).public_id}").form("署名キーを作り直す")
    press.submit()
    made = read_endpoint(office).secret

    page = press.submit(status=409)

    assert "変更されました" in page.text
    assert read_endpoint(office).secret == made
    page.form("署名キーを作り直す").submit()
    assert read_endpoint(office).secret != made


def test_log_is_filtered_and_paged(office, receiver):
    owner = sign_in(office)
    set_up(owner, receiver)
    endpoint = read_endpoint(office)
    with office.database.write() as session:
        for number in range(60):
            session.add(
                WebhookMessage(
                    endpoint_id=endpoint.id,
                    happening=f"h{number}",
                    type="webhook.test",
                    happened_at=office.clock(),
                    next_at=office.clock(),
                    attempts=3,
                    state="failed" if number < 5 else "delivered",
                    answer=500 if number < 4 else 204,
                    error="timeout" if number == 4 else "",
                )
            )
    page = owner.open(f"{HOOKS}/{endpoint.public_id}")
    assert "msg_h59" in page.text and "msg_h9 " not in page.text
    page = page.follow("以前の記録を表示")
    assert "msg_h9" in page.text and "msg_h59" not in page.text
    page = owner.open(f"{HOOKS}/{endpoint.public_id}?state=failed")
    assert "応答：500" in page.text and "15秒以内" in page.text and "204" not in page.text
    page.form("失敗した通知をすべて再送").submit()
    receiver.be(200)
    office.drain()
    assert len(receiver.asked) == 5


def test_five_days_of_failures_are_said_on_the_page(office, receiver):
    owner = sign_in(office)
    set_up(owner, receiver)
    with office.database.write() as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        pause(endpoint, reason=Reason.FAILING, now=office.clock())
    assert "5日間届かなかったため停止中" in owner.open(f"{HOOKS}/{endpoint.public_id}").text


def test_only_owners_see_webhooks(office):
    editor = dashboard.sign_in(office, role=Role.EDITOR)
    editor.open(HOOKS, status=403)
