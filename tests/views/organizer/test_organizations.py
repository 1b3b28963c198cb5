"""Several organizations in one installation: who may add one, and the way between them."""

from services.members import Role
from storage import members, organizations
from storage.models import AuditEntry, Organizer
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

NEW = "/organizer/organizations/new"


def let_add(site):
    with site.database.write() as session:
        [person] = session.query(Organizer).all()
        person.may_add_organizations = True


def test_whoever_may_makes_another_and_is_its_only_member(site):
    browser = sign_in(site, Role.VIEWER)
    let_add(site)
    form = browser.open("/organizer/account").follow("組織を追加").form("追加して移る")
    assert form.fill(name=" ").submit(status=422).errors == ["組織の名前を入力してください"]

    page = form.fill(name="二つ目の会").submit()

    assert "二つ目の会" in page.root.text and page.heading == "設定"
    with site.database.read() as session:
        [first, second] = [row for row, *_ in organizations.list_organizations(session)]
        [owner] = members.list_members(session, second.id)
        assert (owner.membership.role, owner.event_ids) == (Role.OWNER, None)
        [entry] = session.query(AuditEntry).filter_by(action="organization_added")
        assert entry.chain == second.id
    account = browser.open("/organizer").follow("組織を切り替える")
    account.form("切り替える").submit()
    assert "二つ目の会" not in browser.open("/organizer").root.text


def test_owner_without_the_right_makes_none(site):
    browser = sign_in(site, Role.OWNER)
    page = browser.open("/organizer/account")
    token = page.root.find_all("input", name="csrf_token")[0]["value"]

    statuses = (
        browser.look("GET", NEW).status_code,
        browser.try_post(NEW, [("csrf_token", token), ("name", "x")]).status_code,
    )

    assert statuses == (403, 403)
    assert "組織を追加" not in page.root.text
    assert "組織を切り替える" not in page.root.text
