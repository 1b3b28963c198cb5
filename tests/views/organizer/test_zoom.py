"""Connecting Zoom in the dashboard: over real HTTP to the sandbox."""

from __future__ import annotations

import json
import logging

import pytest

from services.members import Role
from storage import organizations, zoom_pauses
from storage.models import AuditEntry, ZoomConnection
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.people import TARO
from zoom_sandbox import SandboxSettings
from zoom_sandbox.server import SandboxServer

PAGE = "/organizer/settings/zoom"
NEW_SECRET = "another-secret-of-the-sandbox"
PASTED = {
    "account_id": "sandbox-account",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "plan": "pro",
}


@pytest.fixture
def bare(start_site):
    """Return a site whose environment knows no account of Zoom."""
    return start_site(zoom_account_id="", zoom_client_id="", zoom_client_secret="")


def get_connection(site) -> ZoomConnection:
    with site.database.read() as session:
        organization = organizations.get_first_organization(session)
        connection = organizations.get_first_connection(session, organization.id)
        session.expunge_all()
        return connection


def paste(owner, *, status=200, **values):
    return owner.open(PAGE).form("テストして保存").fill(**PASTED | values).submit(status=status)


def register(site, event, **person):
    visitor = site.visitor()
    return visitor.open(f"/e/{event.slug}").form().fill(**TARO | person).submit()


def test_pasted_account_is_tested_and_used_by_the_worker(bare):
    owner = sign_in(bare)

    assert "host@example.com" not in owner.open("/organizer/events/new").text
    page = paste(owner)
    assert "host@example.com" in owner.open("/organizer/events/new").response.text
    event = bare.add_event()
    register(bare, event)
    bare.drain()

    assert "アカウントを接続しました" in page.text
    assert "host@example.com" in page.text
    assert [p["email"] for p in bare.zoom.state()["registrants"]] == [TARO["email"]]


@only_sqlite
@pytest.mark.parametrize(
    ("wrong", "field"),
    [("client_secret", "client_secret"), ("client_id", "client_secret"), ("account_id",) * 2],
)
def test_what_zoom_refuses_is_said_at_the_field_and_not_saved(bare, wrong, field):
    owner = sign_in(bare)
    before = get_connection(bare)

    page = paste(owner, status=422, **{wrong: "mistyped"})

    [error] = page.errors
    assert "保存していません" in error
    assert page.root.find_all("p", id=f"{field}-error")
    after = get_connection(bare)
    assert (after.client_id, after.client_secret) == (before.client_id, before.client_secret)
    assert "mistyped" not in page.response.text or wrong != "client_secret"


@only_sqlite
def test_silent_zoom_saves_nothing_and_says_so(bare):
    owner = sign_in(bare)
    bare.stop_zoom()

    page = paste(owner, status=503)

    assert "Zoomから応答がなく" in page.text
    assert get_connection(bare).client_secret is None


@only_sqlite
def test_secret_is_nowhere_in_clear(bare, caplog):
    caplog.set_level(logging.DEBUG)
    owner = sign_in(bare)
    page = paste(owner)
    pages = [
        page,
        owner.open(PAGE),
        owner.open(f"{PAGE}/test"),
        paste(owner, status=422, client_secret="", client_id="other"),
    ]
    file = bare.settings.instance / "uketsuke.sqlite3"
    stored = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    with bare.database.read() as session:
        entries = [json.dumps(entry.facts) for entry in session.query(AuditEntry)]

    secret = PASTED["client_secret"]
    assert not [page for page in pages if secret in page.response.text]
    assert secret.encode() not in stored
    assert len(entries) >= 1 and secret not in "".join(entries) + caplog.text
    assert owner.open(PAGE).form("テストして保存")["client_secret"] == ""


@only_sqlite
def test_stored_secret_is_kept_for_its_own_app_alone(bare):
    owner = sign_in(bare)
    paste(owner)
    kept = get_connection(bare).client_secret

    paste(owner, client_secret="", plan="business")
    assert get_connection(bare).plan == "business"
    page = paste(owner, status=422, client_secret="", client_id="other-app")

    assert "シークレットを貼り付けて" in page.errors[0]
    connection = get_connection(bare)
    assert connection.client_id == "sandbox-client"
    assert connection.client_secret is not None and kept is not None


@only_sqlite
@pytest.mark.parametrize("changed", ["account_id", "client_id"])
def test_secret_of_a_changed_account_or_app_goes_nowhere(bare, changed):
    """Whoever can write to the database cannot have the secret sent for another account."""
    owner = sign_in(bare)
    paste(owner)
    with bare.database.write() as session:
        connection = organizations.list_connections(session)[0]
        setattr(connection, changed, "changed")
        connection.token = None
    tokens = len(bare.zoom.journal(action="token"))

    page = owner.open(f"{PAGE}/test")

    assert "Zoomが認証情報を受け付けません" in page.text
    assert len(bare.zoom.journal(action="token")) == tokens
    assert "シークレットがありません" in owner.open(PAGE).text


@only_sqlite
def test_secret_is_not_sent_to_another_host(start_site, bare):
    paste(sign_in(bare))
    with SandboxServer(SandboxSettings()) as other:
        # The same database, and another address in the settings.
        moved = start_site(
            zoom_account_id="", zoom_client_id="", zoom_client_secret="", zoom_oauth_url=other.url
        )
        with moved.database.write() as session:
            [connection] = organizations.list_connections(session)
            connection.token = None

        page = sign_in(moved).open(f"{PAGE}/test")

        assert "Zoomが認証情報を受け付けません" in page.text
        assert other.control.journal(action="token") == []


@only_sqlite
def test_missing_scope_is_named_with_what_stops(bare):
    owner = sign_in(bare)
    paste(owner)
    bare.zoom.remove_scopes("meeting:update:registrant_status:admin")

    page = owner.open(f"{PAGE}/test")

    assert "meeting:update:registrant_status:admin" in page.text
    assert "meeting:write:admin" in page.text
    assert "参加用URLが届きません" in page.text


@only_sqlite
def test_optional_scope_is_named_without_alarm(bare):
    owner = sign_in(bare)
    paste(owner)
    bare.zoom.remove_scopes(
        "meeting:read:list_past_instances:admin", "webinar:read:list_past_instances:admin"
    )

    page = owner.open(f"{PAGE}/test")

    assert "meeting:read:list_past_instances:admin" in page.text
    assert "未許可" in page.text
    assert not any(part.has_class("panel--warning") for part in page.root.walk())
    assert "不足" not in page.text


@only_sqlite
def test_account_that_events_need_is_not_changed(bare):
    owner = sign_in(bare)
    paste(owner)
    bare.add_event()
    with bare.database.write() as session:
        organizations.list_connections(session)[0].account_id = "former-account"

    page = paste(owner, status=409)

    assert "終了していないイベント" in page.errors[0]
    assert get_connection(bare).account_id == "former-account"


@only_sqlite
def test_account_that_is_left_alarms_no_more(bare):
    owner = sign_in(bare)
    with bare.database.write() as session:
        organizations.list_connections(session)[0].account_id = "former-account"
        for account in ("former-account", "sandbox-account"):
            zoom_pauses.lock_account(session, account, now=bare.clock())

    paste(owner)

    with bare.database.read() as session:
        assert zoom_pauses.get_account(session, "former-account") is None
        assert zoom_pauses.get_account(session, "sandbox-account") is not None


@only_sqlite
def test_second_of_two_who_connect_is_told(bare):
    first, second = sign_in(bare), sign_in(bare)
    late = second.open(PAGE).form("テストして保存").fill(**PASTED | {"plan": "business"})
    paste(first)

    late = late.fill(account_id="").submit(status=422).form("テストして保存")
    page = late.fill(**PASTED | {"plan": "business"}).submit(status=409)

    assert "ほかの方が設定を変更しました" in page.text
    assert get_connection(bare).plan == "pro"


@only_sqlite
def test_environment_stays_the_first_organizations_account_alone(site):
    first = sign_in(site)
    with site.database.write() as session:
        other = factories.make_organization(session, name="よその会", now=site.clock())
        [row] = [
            c for c in organizations.list_connections(session) if c.organization_id == other.id
        ]
        session.delete(row)
    second = sign_in(site, organization=other)

    assert "このインストールの設定" in first.open(PAGE).text
    assert "まだ接続していません" in second.open(PAGE).text
    assert second.open(f"{PAGE}/test").url.endswith(PAGE)


def test_secret_is_changed_under_traffic_and_nobody_is_lost(bare):
    """People register while the former secret dies; with the new one everybody gets in, once."""
    owner = sign_in(bare)
    paste(owner)
    event = bare.add_event()
    bare.start_worker()
    people = [f"person{number}@example.com" for number in range(30)]
    for number, email in enumerate(people):
        register(bare, event, email=email)
        if number == 9:
            bare.zoom.change_secret(NEW_SECRET)
        if number == 19:
            paste(owner, client_secret=NEW_SECRET)

    bare.wait_until(lambda: len(bare.zoom.state()["registrants"]) == len(people))

    assert sorted(p["email"] for p in bare.zoom.state()["registrants"]) == sorted(people)
    adds = bare.zoom.journal(action="add_registrant")
    assert len([entry for entry in adds if entry["effect"]]) <= len(people)


@only_sqlite
def test_nobody_but_the_owner_sees_it(bare):
    paste(sign_in(bare))
    for role in set(Role) - {Role.OWNER}:
        assert sign_in(bare, role).look("GET", PAGE).status_code == 403
