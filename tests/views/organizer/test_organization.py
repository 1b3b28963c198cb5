"""The page of an organization: what it sets reaches pages, notices and new events."""

from __future__ import annotations

import pytest

from services.default_form import default_questions
from services.members import Role
from services.organizations import make_operator
from storage import organizations
from storage.models import AuditEntry
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

PAGE = "/organizer/settings/organization"
FILLED = {
    "name": "例の会",
    "legal_name": "一般社団法人 例の会",
    "address": "東京都千代田区見本町1-2-3",
    "representative": "代表理事 見本 一郎",
    "contact_email": "contact@example.com",
    "contact_url": "",
    "timezone": "Asia/Tokyo",
    "default_locale": "ja",
    "link_policy": "each",
}


def save(browser, *, status=200, **values):
    return browser.open(PAGE).form("保存").fill(**FILLED | values).submit(status=status)


def get_organization(site):
    with site.database.read() as session:
        organization = organizations.get_first_organization(session)
        session.expunge_all()
        return organization


def test_what_is_saved_stands_in_the_form_again(site):
    owner = sign_in(site)

    page = save(owner, timezone="America/New_York", default_locale="en", link_policy="mail")

    assert "保存しました" in page.text
    form = owner.open(PAGE).form("保存")
    assert (form["legal_name"], form["timezone"]) == (FILLED["legal_name"], "America/New_York")
    organization = get_organization(site)
    assert (organization.link_policy, organization.default_locale) == ("mail", "en")
    save(owner)
    assert get_organization(site).link_policy is None


def test_official_name_reaches_the_notice_and_the_advertising_box_of_events(site):
    owner = sign_in(site)
    operator = make_operator(get_organization(site))
    event = site.add_event(questions=default_questions("ja", operator))

    save(owner, legal_name="株式会社サンプル", representative="代表取締役 例 花子")

    form = site.visitor().open(f"/e/{event.slug}")
    assert "株式会社サンプルからのセミナー・製品のご案内メール（広告・宣伝を含みます）" in form.text
    notice = site.visitor().open(f"/e/{event.slug}/notice")
    assert "代表取締役 例 花子" in notice.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("contact_email", "no address"),
        ("contact_url", "javascript:alert(1)"),
        ("contact_url", "https://例.example/"),
        ("legal_name", "長" * 201),
    ],
)
def test_wrong_value_is_said_at_its_field_and_nothing_is_saved(site, name, value):
    owner = sign_in(site)

    page = save(owner, status=422, **{"representative": "変更", name: value})

    assert len(page.errors) == 1
    assert page.root.find_all("p", id=f"{name}-error")
    assert get_organization(site).representative != "変更"


def test_second_of_two_who_edit_sees_both_versions(site):
    first, second = sign_in(site), sign_in(site)
    late = second.open(PAGE).form("保存").fill(**FILLED | {"representative": "後の人"})
    save(first, representative="先の人")

    late = late.fill(contact_email="誰か").submit(status=422).form("保存")
    page = late.fill(contact_email=FILLED["contact_email"]).submit(status=409)

    assert "ほかの方" in page.text and "先の人" in page.text
    assert get_organization(site).representative == "先の人"
    page.form("保存").submit()
    assert get_organization(site).representative == "後の人"


def test_audit_names_what_changed_and_no_content(site):
    owner = sign_in(site)

    save(owner, representative="秘密の人")

    with site.database.read() as session:
        [entry] = session.query(AuditEntry).filter_by(action="settings_changed")
        assert entry.facts["changed"] == "legal_name,representative"
        assert "秘密" not in str(entry.facts)


def test_each_organization_changes_its_own(site):
    owner = sign_in(site)
    with site.database.write() as session:
        other = factories.make_organization(session, name="よその会", now=site.clock())
        other_id = other.id
    save(owner, name="新しい名前")

    with site.database.read() as session:
        assert organizations.need_organization(session, other_id).name == "よその会"
    for role in set(Role) - {Role.OWNER}:
        assert sign_in(site, role).look("GET", PAGE).status_code == 403


def test_first_steps_say_which_is_done_comes_next_or_can_wait(site):
    with site.database.write() as session:
        factories.make_organization(session, representative="", now=site.clock())
    browser = sign_in(site)

    def list_marks():
        steps = browser.open("/organizer").root.find_all("ol")[0].find_all("h3")
        return [[mark.text for mark in step.find_all("span")] for step in steps]

    assert list_marks() == [["次はこちら"], ["完了しました"], ["任意"], [], []]
    assert "イベント一覧へ" in save(browser).text
    assert list_marks() == [["完了しました"], ["完了しました"], ["任意"], ["次はこちら"], []]
