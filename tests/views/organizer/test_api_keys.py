"""An owner makes keys for programs, sees how they are used, and ends them."""

from __future__ import annotations

from services.api_keys import Scope
from services.members import Role
from storage.models import ApiKey, AuditEntry
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.program import Program

pytestmark = only_sqlite

KEYS = "/organizer/settings/api-keys"


def make_key(owner, **fields):
    form = owner.open(KEYS).follow("キーを作成").form("キーを作成する")
    page = form.fill(**{"name": "CRM", "scopes": ["events:read"], "days": "30"} | fields).submit()
    [key] = [e.text for e in page.root.find_all("code") if e.has_class("key")]
    return key


def test_key_is_shown_once_works_and_ends(site):
    owner = sign_in(site)
    site.add_event(slug="spring")
    key = make_key(owner)

    program = Program(site, key)
    assert [item["slug"] for item in program.get("/events").json()["items"]] == ["spring"]
    assert program.get("/events/spring/registrations").status_code == 403
    page = owner.open(KEYS)
    assert key not in page.root.text and key[:12] in page.text
    assert "最終利用：なし" not in page.text
    with site.database.read() as session:
        [row] = session.query(ApiKey)
        assert key not in str(vars(row))
    [confirmation] = page.root.find_all("details")
    assert confirmation.find_all("summary")[0].text == f"無効にする: CRM {key[:12]}…"
    assert "元に戻せません" in confirmation.text
    page.form("キーを無効にする").submit()
    assert program.get("/events").status_code == 401
    with site.database.read() as session:
        entries = session.query(AuditEntry).order_by(AuditEntry.number).all()
    acts = [(entry.action, entry.facts) for entry in entries if "api_key" in entry.action]
    assert acts == [
        ("api_key_made", {"scopes": "events:read", "days": 30}),
        ("api_key_revoked", {}),
    ]
    assert "APIキーを作成" in owner.open("/organizer/settings/audit").text


def test_key_says_when_it_ends_soon_and_then_that_it_has(site):
    owner = sign_in(site)
    key = make_key(owner)

    def read_state():
        badges = [e.text for e in owner.open(KEYS).root.walk() if e.has_class("badge")]
        return badges, Program(site, key).get("/events").status_code

    assert read_state() == (["有効"], 200)
    site.clock.move(days=20)
    owner = sign_in(site)
    assert read_state() == (["まもなく期限切れ"], 200)
    site.clock.move(days=11)
    owner = sign_in(site)
    assert read_state() == (["期限切れ"], 401)


def test_key_needs_a_name_and_a_right(site):
    form = sign_in(site).open(f"{KEYS}/new").form("キーを作成する")

    errors = form.fill(name=" ").submit(status=422).errors

    assert errors == [
        "あとから用途が分かるように、名前を入力してください",
        "キーに許可する操作を選んでください",
    ]
    assert site.count_rows("api_key") == 0


def test_every_right_can_be_chosen(site):
    page = sign_in(site).open(f"{KEYS}/new")

    assert {box["value"] for box in page.root.find_all("input", name="scopes")} == set(Scope)


def test_nobody_but_an_owner_sees_keys(site):
    for role in set(Role) - {Role.OWNER}:
        assert sign_in(site, role).look("GET", KEYS).status_code == 403
