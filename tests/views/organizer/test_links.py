"""Links that work once: the first owner, an invitation, a new password."""

import pytest
import requests

from services import passwords
from services.access_links import LinkPurpose, add_link, invite_first_owner
from services.members import Role
from storage import members, organizers, passkeys
from tests import factories
from tests.dashboard import Dashboard, make_membership, sign_in, sign_in_again
from tests.fixtures.databases import only_sqlite
from tests.mailbox import read_text

pytestmark = only_sqlite

PASSWORD = "seventeen green umbrellas"
EMAIL = "hanako@example.com"


@pytest.fixture
def browser(site):
    browser = Dashboard(site.url)
    site.close_later(browser.close)
    return browser


def make_link(site, purpose, **more):
    with site.database.write() as session:
        return site.parts.links.access(add_link(session, purpose, now=site.clock(), **more))


def make_owner_link(site):
    with site.database.write() as session:
        return site.parts.links.access(invite_first_owner(session, now=site.clock()))


def read_roles(site, email=EMAIL):
    with site.database.read() as session:
        organizer = organizers.get_organizer_by_key(session, email)
        if organizer is None:
            return None
        return [
            (organization.name, membership.role)
            for membership, organization in members.list_memberships(session, organizer.id)
        ]


def is_in(browser):
    return browser.look("GET", "/organizer").status_code == 200


def test_first_owner_sets_up_the_site(site, browser):
    form = browser.open(make_owner_link(site)).form()
    form.fill(organization="例の会", name="主催 花子", email=EMAIL, password=PASSWORD).submit()

    assert read_roles(site) == [("例の会", "owner")]
    assert is_in(browser)


def test_owner_link_signs_nobody_in_who_has_an_account(site, browser):
    with site.database.write() as session:
        make_membership(session, email=EMAIL, password_hash="x", now=site.clock())
    form = browser.open(make_owner_link(site)).form()
    page = form.fill(name="誰か", email=EMAIL, password=PASSWORD).submit()

    assert "/organizer/sign-in" in page.url
    assert not is_in(browser)
    with site.database.read() as session:
        assert organizers.get_organizer_by_key(session, EMAIL).password_hash == "x"


def test_session_of_somebody_else_ends_with_a_link(site):
    before = sign_in(site, email="other@example.com")
    former = before.cookies
    form = before.open(make_owner_link(site)).form()
    form.fill(name="主催 花子", email=EMAIL, password=PASSWORD).submit()
    again = requests.get(f"{site.url}/organizer", cookies=former, allow_redirects=False, timeout=20)

    assert is_in(before)
    assert again.status_code == 303


def test_first_visitor_becomes_nothing(site, browser):
    assert browser.look("GET", "/organizer").status_code == 303
    assert browser.look("GET", "/organizer/enter/" + "a" * 45).status_code == 404


def test_newer_owner_link_ends_the_former(site, browser):
    former, newer = make_owner_link(site), make_owner_link(site)

    assert browser.look("GET", former).status_code == 404
    assert browser.look("GET", newer).status_code == 200


def test_owner_link_works_once_and_for_a_day(site, browser):
    link = make_owner_link(site)
    late = Dashboard(site.url)
    form = late.open(link).form()
    answers = {"organization": "例の会", "name": "主催 花子", "password": PASSWORD}
    browser.open(link).form().fill(email=EMAIL, **answers).submit()
    form.fill(email="other@example.com", **answers).submit(status=404)
    late.close()
    other = make_owner_link(site)
    site.clock.move(hours=25)

    assert read_roles(site, "other@example.com") is None
    assert browser.look("GET", other).status_code == 404


def test_programs_that_open_the_link_change_nothing(site, browser):
    link = make_owner_link(site)
    for method in ("GET", "HEAD", "GET", "HEAD"):
        assert browser.look(method, link).status_code == 200

    assert browser.look("GET", link).status_code == 200


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "12文字以上"),
        ("", "パスワードを入力"),
        ("passwordpassword", "推測されやすい"),
        ("password123456", "推測されやすい"),
        ("qwertyuiop123", "推測されやすい"),
        ("111111111111", "推測されやすい"),
        ("hanako@example.com", "近いパスワード"),
        ("x" * 300, "256文字以内"),
    ],
)
def test_weak_password_is_told_why(site, browser, password, says):
    form = browser.open(make_owner_link(site)).form()
    form.fill(organization="例の会", name="主催 花子", email=EMAIL, password=password)

    page = form.submit(status=422)

    assert says in page.root.text
    assert page.form()["name"] == "主催 花子"
    assert page.form()["password"] == ""


def test_invited_person_joins_with_the_address_of_the_mail(site, browser):
    with site.database.write() as session:
        organization = factories.make_organization(session, name="例の会")
    link = make_link(
        site,
        LinkPurpose.MEMBER,
        organization_id=organization.id,
        email=EMAIL,
        role=Role.APPROVER,
    )
    page = browser.open(link)
    fields = [*page.form().fill(name="承認 次郎", password=PASSWORD).fields]
    browser.post(link, [*fields, ("email", "eve@attacker.invalid")])

    assert read_roles(site) == [("例の会", "approver")]
    assert read_roles(site, "eve@attacker.invalid") is None


def test_invited_organizer_keeps_the_password(site, browser):
    stored = passwords.hash_password(PASSWORD)
    with site.database.write() as session:
        make_membership(session, email=EMAIL, password_hash=stored)
        other = factories.make_organization(session, name="別の会")
    link = make_link(
        site, LinkPurpose.MEMBER, organization_id=other.id, email=EMAIL, role=Role.VIEWER
    )
    browser.open(link).form().submit()

    assert read_roles(site) == [("例の会", "owner"), ("別の会", "viewer")]
    assert not is_in(browser)


def test_account_with_a_typed_address_goes_to_who_proves_it(site, browser):
    """Else whoever once made an account with it would be let in wherever its owner is invited."""
    form = browser.open(make_owner_link(site)).form()
    form.fill(organization="例の会", name="悪者", email=EMAIL, password="of the attacker").submit()
    with site.database.write() as session:
        stranger = organizers.get_organizer_by_key(session, EMAIL)
        passkeys.add_passkey(
            session,
            stranger.id,
            credential_id=b"x",
            public_key=b"",
            sign_count=0,
            transports=[],
            name="",
            now=site.clock(),
        )
        other = factories.make_organization(session, name="別の会")
    link = make_link(
        site, LinkPurpose.MEMBER, organization_id=other.id, email=EMAIL, role=Role.VIEWER
    )
    assert is_in(browser)
    owner = Dashboard(site.url)
    site.close_later(owner.close)

    owner.open(link).form().fill(name="主催 花子", password=PASSWORD).submit()

    assert is_in(owner) and not is_in(browser)
    with site.database.read() as session:
        row = organizers.get_organizer_by_key(session, EMAIL)
        assert passkeys.list_passkeys(session, row.id) == []
        assert not passwords.is_password(row.password_hash, "of the attacker")
    again = make_link(
        site, LinkPurpose.MEMBER, organization_id=other.id, email=EMAIL, role=Role.VIEWER
    )
    assert not Dashboard(site.url).open(again).root.find_all(name="password")


def test_new_password_ends_links_that_would_set_another(site):
    with site.database.write() as session:
        made = make_membership(session, email=EMAIL, password_hash="x", now=site.clock())
        organizer_id = made.organizer_id
    own = sign_in_again(site, organizer_id)
    link = make_link(site, LinkPurpose.PASSWORD, organizer_id=organizer_id)

    own.open("/organizer/account/password").form("パスワードを保存").fill(
        password=PASSWORD
    ).submit()

    assert own.look("GET", link).status_code == 404


def test_lost_password_is_set_anew_by_mail(site, browser):
    with site.database.write() as session:
        made = make_membership(session, email=EMAIL, password_hash="x", now=site.clock())
        organizer_id = made.organizer_id
    elsewhere = sign_in_again(site, organizer_id)
    browser.open("/organizer/password").form().fill(email=EMAIL).submit()
    site.drain()
    text = read_text(site.mailbox.read_only(EMAIL))
    [link] = [line for line in text.splitlines() if "/organizer/enter/" in line]
    browser.open(link).form().fill(password=PASSWORD).submit()
    browser.open("/organizer/sign-in").form().fill(email=EMAIL, password=PASSWORD).submit()

    assert is_in(browser)
    assert not is_in(elsewhere)
    assert browser.look("GET", link).status_code == 404


def test_unknown_address_gets_the_same_answer_and_no_mail(site, browser):
    page = browser.open("/organizer/password").form().fill(email="nobody@example.com").submit()
    site.drain()

    assert page.url.endswith("/organizer/password/asked")
    assert site.count_rows("organizer_mail") == 0
    # What is stored for a known one takes time, so something is stored for this one too.
    assert site.count_rows("audit_entry") == 1


def test_mails_for_one_address_are_few(start_site):
    site = start_site(rate_limits=True)
    with site.database.write() as session:
        make_membership(session, email=EMAIL, now=site.clock())
    browser = Dashboard(site.url)
    form = browser.open("/organizer/password").form().fill(email=EMAIL)
    pages = {form.submit().root.text for _ in range(20)}
    browser.close()

    assert len(pages) == 1
    assert site.count_rows("organizer_mail") == 3


def test_host_of_the_request_is_not_in_the_mail(site):
    with site.database.write() as session:
        make_membership(session, email=EMAIL, now=site.clock())
    browser = Dashboard(site.url)
    fields = browser.open("/organizer/password").form().fill(email=EMAIL).fields
    browser.post("/organizer/password", fields, headers={"X-Forwarded-Host": "attacker.invalid"})
    browser.close()
    site.drain()

    text = read_text(site.mailbox.read_only(EMAIL))
    assert f"{site.url}/organizer/enter/" in text
    assert "attacker" not in text


def test_command_makes_links(site):
    owner = sign_in(site, email=EMAIL)
    run = site.app.test_cli_runner().invoke
    first = run(args=["organizers", "invite"]).output.strip()
    second = run(args=["organizers", "password", EMAIL]).output.strip()

    assert owner.look("GET", first).status_code == 200
    assert owner.look("GET", second).status_code == 200
    assert run(args=["organizers", "password", "nobody@example.com"]).exit_code == 1
