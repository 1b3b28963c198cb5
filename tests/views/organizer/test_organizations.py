"""Several organizations in one installation: who may add one, and the way between them."""

import pytest

from services.members import Role
from storage import members, organizations
from storage.models import AuditEntry, Organization, Organizer
from tests import factories
from tests.dashboard import make_entrance, make_membership, sign_in, sign_in_again
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

NEW = "/organizer/organizations/new"
SETTINGS = "/organizer/settings/organization"


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


@pytest.fixture
def owner_of_both(site):
    """Return the id of an owner of 赤の会, where they begin, and of 青の会."""
    with site.database.write() as session:
        first = factories.make_organization(session, name="赤の会", now=site.clock())
        second = organizations.add_organization(session, name="青の会", now=site.clock())
        row = make_membership(session, organization=first, now=site.clock())
        members.add_membership(
            session,
            second.id,
            row.organizer_id,
            role=Role.OWNER,
            event_ids=None,
            now=site.clock(),
        )
        return row.organizer_id


def list_addresses(site):
    with site.database.read() as session:
        rows = session.query(Organization).order_by(Organization.id)
        return [row.address for row in rows]


def test_form_of_one_organization_waits_until_one_is_back_there(site, owner_of_both):
    browser = sign_in_again(site, owner_of_both)
    before = list_addresses(site)
    form = browser.open(SETTINGS).form("保存").fill(address="東京都一丁目")
    browser.open("/organizer/account").form("切り替える").submit()

    kept = form.submit(status=409)

    assert "赤の会" in kept.text and "青の会" in kept.text
    assert list_addresses(site) == before
    kept = kept.form().submit(status=409)
    kept.follow("新しいタブで組織を切り替える").form("切り替える").submit()
    assert "保存しました" in kept.form().submit().text
    assert list_addresses(site) == ["東京都一丁目", before[1]]


def test_form_that_outlived_its_session_stays_its_organizations(site, owner_of_both):
    browser = sign_in_again(site, owner_of_both)
    browser.open("/organizer/account").form("切り替える").submit()
    before = list_addresses(site)
    form = browser.open(SETTINGS).form("保存").fill(address="東京都一丁目")
    site.clock.move(hours=13)
    kept = form.submit(status=403)
    browser.open(make_entrance(site, owner_of_both)).form().submit()
    fields, action = kept.form().fields, kept.form().action

    kept = browser.post(action, fields, status=400, headers={"Origin": site.url})

    kept = kept.form().submit(status=409)
    assert "赤の会" in kept.text and "青の会" in kept.text
    assert list_addresses(site) == before
