"""Signing in with a company's account, against a real provider that lies where it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
import requests

from oidc_client import Credentials
from services import passwords
from services.access_links import LinkPurpose, add_link
from services.identity_providers import Policy, save_provider
from services.members import Role
from storage import identity_providers, members
from storage.models import AuditEntry, CompanyIdentity, Organization, Organizer, OrganizerSession
from tests import factories
from tests.dashboard import Dashboard, make_membership, make_organizer, sign_in_again
from tests.fixtures.databases import only_sqlite
from tests.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    be_down,
)

pytestmark = only_sqlite

HANAKO = {"sub": "h-1", "email": "hanako@example.com", "email_verified": True, "name": "佐藤 花子"}
PASSWORD = "seventeen green umbrellas"
CREDENTIALS = Credentials(CLIENT_ID, CLIENT_SECRET)
BACK = "/organizer/sign-in/company/back"


@dataclass
class Company:
    """An organization with its own provider, and whoever comes to it."""

    site: object
    provider: IdentityProvider
    public_id: str
    id: int

    def open_browser(self) -> Dashboard:
        browser = Dashboard(self.site.url)
        self.site.close_later(browser.close)
        return browser

    def go(self, browser, next_="", *, start=""):
        """Go to the provider, be signed in there, and return where it sends the browser."""
        address = start or f"/organizer/sign-in/{self.public_id}/go"
        away = browser.look("GET", f"{address}?{urlencode({'next': next_})}")
        assert away.status_code == 303, away.text
        answer = requests.get(away.headers["Location"], allow_redirects=False, timeout=10)
        return answer.headers["Location"]

    def sign_in(self, person, browser=None):
        """Sign in; return the answer to the browser that comes back."""
        self.provider.person = person
        browser = browser or self.open_browser()
        return browser.look("GET", self.go(browser))

    def change_policy(self, **policy):
        with self.site.database.write() as session:
            organization = session.get_one(Organization, self.id)
            save_provider(
                session,
                organization,
                self.provider.url,
                CREDENTIALS,
                Policy(**policy),
                now=self.site.clock(),
            )

    def add_member(self, role=Role.VIEWER, **person):
        with self.site.database.write() as session:
            organization = session.get_one(Organization, self.id)
            row = make_membership(
                session, role, organization=organization, now=self.site.clock(), **person
            )
            return row.organizer_id

    def list_log(self, action):
        with self.site.database.read() as session:
            rows = session.query(AuditEntry).filter_by(action=action, chain=self.id)
            return [row.facts for row in rows.order_by(AuditEntry.id)]


@pytest.fixture
def company(start_site):
    return make_company(start_site(private_sign_in_hosts="127.0.0.1"))


def make_company(site):
    provider = IdentityProvider(read_clock=site.clock, person=dict(HANAKO))
    site.close_later(provider.close)
    with site.database.write() as session:
        row = factories.make_organization(session, name="見本商事", now=site.clock())
        made = Company(site, provider, row.public_id, row.id)
    made.change_policy()
    return made


def is_in(browser):
    return browser.look("GET", "/organizer").status_code == 200


def has_words(answer, words):
    return answer.status_code == 403 and words in answer.text


def test_member_gets_in_by_the_domain_of_their_address(company):
    company.add_member(email="hanako@example.com")
    company.change_policy(domains=("example.com",))
    browser = company.open_browser()
    before = browser.open("/organizer/sign-in").follow("会社のアカウントでサインイン")
    cookie = browser.cookies["uketsuke"]
    page = before.form().fill(email="Hanako@Example.com").submit()
    start = page.link("続ける")

    answer = browser.look(
        "GET", company.go(browser, "/organizer/settings", start=start.split("?")[0])
    )

    assert "127.0.0.1" in page.text and "見本商事" not in page.text
    assert (answer.status_code, answer.headers["Location"]) == (303, "/organizer/settings")
    assert browser.cookies["uketsuke"] != cookie
    assert "見本商事" in browser.open("/organizer").root.text
    assert company.list_log("company_linked") == [{"by": "company"}]
    assert company.list_log("signed_in") == [{"by": "company"}]


def test_unknown_domain_is_told_where_to_turn(company):
    company.add_member(email="hanako@example.com")
    texts = set()
    for email in ("hanako@example.com", "nobody@other.example"):
        form = company.open_browser().open("/organizer/sign-in/company").form()
        texts.add(tuple(form.fill(email=email).submit(status=422).errors))

    assert len(texts) == 1


def test_organization_without_a_provider_is_as_unknown_as_none(company):
    with company.site.database.write() as session:
        other = factories.make_organization(session, now=company.site.clock()).public_id
    browser = company.open_browser()

    for address in (other, "x" * 22):
        assert browser.look("GET", f"/organizer/sign-in/{address}").status_code == 404
        assert browser.look("GET", f"/organizer/sign-in/{address}/go").status_code == 404


def test_person_is_known_by_subject_and_never_by_address_again(company):
    company.add_member(email="hanako@example.com")
    company.add_member(email="taro@example.com")
    assert company.sign_in(HANAKO).status_code == 303

    moved = company.sign_in(HANAKO | {"email": "taro@example.com", "email_verified": False})
    other = company.sign_in({"sub": "h-2", "email": "hanako@example.com", "email_verified": True})

    assert moved.status_code == 303
    with company.site.database.read() as session:
        people = session.query(OrganizerSession.organizer_id).distinct().count()
    assert people == 1
    assert has_words(other, "別のアカウント")


REFUSED = [
    ({"email_verified": False}, "本当にあなたのもの"),
    ({"email_verified": None}, "本当にあなたのもの"),
    ({"email": None}, "メールアドレス"),
    ({"email": "hanako@other.example"}, "この組織に入れるもの"),
    ({"sub": "x", "email": "nobody@example.com"}, "招待"),
    ({"nonce": "of another session"}, "確かめられません"),
    ({"exp": 1}, "確かめられません"),
]


def test_whoever_is_not_surely_a_member_stays_out(company):
    company.add_member(email="hanako@example.com")
    company.change_policy(domains=("example.com",))
    for claims, words in REFUSED:
        company.provider.claims = claims
        browser = company.open_browser()

        answer = company.sign_in(HANAKO, browser)

        assert has_words(answer, words), claims
        assert not is_in(browser)
    with company.site.database.read() as session:
        assert session.query(Organizer).count() == 1
        assert session.query(CompanyIdentity).count() == 0
    assert len(company.list_log("sign_in_failed")) == len(REFUSED)


def test_way_back_is_good_for_its_own_browser_and_once(company):
    company.add_member(email="hanako@example.com")
    own, thief, victim = (company.open_browser() for _ in range(3))
    back = company.go(own)
    thief.open("/organizer/sign-in")

    assert has_words(thief.look("GET", back), "別のブラウザー")
    assert has_words(victim.look("GET", back), "別のブラウザー")
    assert own.look("GET", back).status_code == 303
    assert is_in(own)
    assert has_words(own.look("GET", back), "別のブラウザー")
    late = company.go(thief)
    company.site.clock.move(minutes=31)
    assert has_words(thief.look("GET", late), "別のブラウザー")
    assert has_words(thief.look("GET", f"{BACK}?state=x&code=y"), "別のブラウザー")
    assert has_words(thief.look("GET", BACK), "別のブラウザー")


def test_way_back_is_used_up_even_where_it_failed(company):
    company.add_member(email="hanako@example.com")
    browser = company.open_browser()
    back = company.go(browser)
    company.provider.claims = {"aud": "another app"}
    assert has_words(browser.look("GET", back), "確かめられません")
    company.provider.claims = {}

    assert has_words(browser.look("GET", back), "別のブラウザー")


def test_answer_of_another_provider_is_refused(company):
    company.add_member(email="hanako@example.com")
    browser = company.open_browser()
    mixed = company.go(browser) + f"&{urlencode({'iss': 'https://attacker.invalid'})}"
    assert has_words(browser.look("GET", mixed), "確かめられません")
    declined = f"{company.go(browser).split('&')[1].join(['?error=access_denied&', ''])}"
    assert has_words(browser.look("GET", BACK + declined), "サインインできません")

    company.provider.description = {"authorization_response_iss_parameter_supported": True}
    company.site.clock.move(hours=2)
    assert has_words(browser.look("GET", company.go(browser)), "確かめられません")
    company.provider.extra = {"iss": company.provider.url}
    assert browser.look("GET", company.go(browser)).status_code == 303


def test_way_back_leads_to_the_dashboard_alone(company):
    company.add_member(email="hanako@example.com")
    for wanted in ("https://attacker.invalid", "//attacker.invalid", "/\\x", "/e/demo"):
        browser = company.open_browser()
        answer = browser.look("GET", company.go(browser, wanted))
        assert answer.headers["Location"] == "/organizer"


def test_provider_that_fails_is_said_and_lets_nobody_in(company):
    company.add_member(email="hanako@example.com")
    browser = company.open_browser()
    company.provider.answers["/token"] = be_down
    assert has_words(browser.look("GET", company.go(browser)), "応答がありません")
    company.provider.answers["/.well-known/openid-configuration"] = be_down
    company.site.clock.move(hours=2)

    answer = browser.look("GET", f"/organizer/sign-in/{company.public_id}/go")

    assert answer.status_code == 503 and not is_in(browser)


def test_invited_person_joins_as_invited(company):
    with company.site.database.write() as session:
        event = factories.make_event(session, organization_id=company.id, now=company.site.clock())
        link = add_link(
            session,
            LinkPurpose.MEMBER,
            organization_id=company.id,
            email="Hanako@example.com",
            role=Role.EDITOR,
            event_ids=frozenset({event.id}),
            now=company.site.clock(),
        )
        address = company.site.parts.links.access(link)
    browser = company.open_browser()
    page = browser.open(address).follow("会社のアカウントで参加")

    assert browser.look("GET", company.go(browser)).status_code == 303
    assert "見本商事" in browser.open("/organizer").root.text
    assert page.title
    with company.site.database.read() as session:
        [row] = members.list_members(session, company.id)
        assert (row.membership.role, row.event_ids) == (Role.EDITOR, {event.id})
        assert row.organizer.name == "佐藤 花子"
    assert browser.look("GET", address).status_code == 404


def test_company_is_asked_each_day_whether_somebody_is_still_there(company):
    company.add_member(email="hanako@example.com")
    browser = company.open_browser()
    company.sign_in(HANAKO, browser)
    company.site.clock.move(hours=11)
    assert is_in(browser)
    company.site.clock.move(hours=2)

    assert not is_in(browser)


def test_domains_hold_for_who_came_before_them_too(company):
    company.add_member(email="hanako@example.com")
    assert company.sign_in(HANAKO).status_code == 303
    company.change_policy(domains=("other.example",))

    assert has_words(company.sign_in(HANAKO), "この組織に入れるもの")


def test_another_app_at_the_provider_may_know_people_otherwise(company):
    company.add_member(email="hanako@example.com")
    company.sign_in(HANAKO)
    with company.site.database.write() as session:
        organization = session.get_one(Organization, company.id)
        save_provider(
            session,
            organization,
            company.provider.url,
            Credentials("another-app", CLIENT_SECRET),
            Policy(),
            now=company.site.clock(),
        )
    company.change_policy()

    assert company.sign_in(HANAKO | {"sub": "of this app"}).status_code == 303


def test_provider_that_says_when_it_asked_is_believed(company):
    company.add_member(Role.OWNER, email="hanako@example.com")
    zoom = "/organizer/settings/zoom"
    for seconds, is_asked in ((60, False), (3600, True), (-3600, False)):
        browser = company.open_browser()
        company.provider.claims = {"auth_time": int(company.site.clock().timestamp()) - seconds}
        company.sign_in(HANAKO, browser)
        assert ("/prove" in browser.open(zoom).url) is is_asked
    company.site.clock.move(minutes=11)
    assert "/prove" in browser.open(zoom).url


def test_account_that_somebody_else_may_have_made_is_not_joined_with(company):
    """Who once typed another one's address knows the password of that account."""
    with company.site.database.write() as session:
        stranger = make_organizer(session, email="hanako@example.com", password_hash="x")
        stranger.has_proven_address = False
        organizer_id = stranger.id
    company.change_policy(domains=("example.com",), joins_as=Role.EXPORTER)

    assert has_words(company.sign_in(HANAKO), "メールで確認されていません")

    with company.site.database.write() as session:
        session.get_one(Organizer, organizer_id).has_proven_address = True
    assert company.sign_in(HANAKO).status_code == 303


def test_unknown_colleague_joins_only_where_that_is_set(company):
    company.change_policy(domains=("example.com",), joins_as=Role.EXPORTER)
    assert company.sign_in(HANAKO).status_code == 303
    with company.site.database.write() as session:
        [row] = members.list_members(session, company.id)
        assert (row.membership.role, row.event_ids) == (Role.EXPORTER, None)
    owner = sign_in_again(company.site, company.add_member(Role.OWNER))
    page = owner.open(f"/organizer/settings/members/{row.membership.public_id}")
    page.form("削除").submit()

    assert has_words(company.sign_in(HANAKO), "招待")
    assert has_words(company.sign_in(HANAKO | {"sub": "h-9"}), "招待")


def test_companys_account_opens_its_organization_and_nothing_of_the_rest(company):
    """Else whoever sets up a provider could let it say that they are anybody."""
    site = company.site
    victim = company.add_member(Role.OWNER, email="hanako@example.com", password_hash="x")
    with site.database.write() as session:
        other = factories.make_organization(session, name="よその会", now=site.clock())
        members.add_membership(
            session, other.id, victim, role=Role.OWNER, event_ids=None, now=site.clock()
        )
        other_id = other.public_id
    own = sign_in_again(site, victim)
    browser = company.open_browser()
    company.sign_in(HANAKO, browser)

    page = browser.open("/organizer/account")
    token = page.root.find_all("input", name="csrf_token")[0]["value"]
    statuses = {
        path: browser.try_post(f"/organizer/account/{path}", [("csrf_token", token)]).status_code
        for path in ("password", "authenticator", "recovery-codes", "passkeys/new")
    }
    renamed = browser.try_post(
        "/organizer/account/name", [("csrf_token", token), ("name", "悪"), ("locale", "ja")]
    )
    moved = browser.try_post(
        "/organizer/account/organization", [("csrf_token", token), ("organization", other_id)]
    )
    browser.try_post("/organizer/account/sessions/end-others", [("csrf_token", token)])

    assert "uketsuke-device" not in browser.cookies  # it would open tries of the password anew
    assert "uketsuke-device" in own.cookies
    assert set(statuses.values()) == {403}
    assert (renamed.status_code, moved.headers["Location"]) == (403, "/organizer/account")
    assert "よその会" not in page.root.text
    assert "見本商事" in browser.open("/organizer").root.text
    assert is_in(own)


def test_organization_can_want_the_companys_account_of_all_but_owners(company):
    secret = passwords.hash_password(PASSWORD)
    viewer = company.add_member(Role.VIEWER, email="hanako@example.com", password_hash=secret)
    company.add_member(Role.OWNER, email="owner@example.com", password_hash=secret)
    browser = sign_in_again(company.site, viewer)
    assert is_in(browser)

    company.change_policy(allows_passwords=False)

    assert not is_in(browser)
    form = browser.open("/organizer/sign-in").form("サインイン")
    page = form.fill(email="hanako@example.com", password=PASSWORD).submit(status=422)
    assert "会社のアカウント" in page.errors[0]
    assert company.sign_in(HANAKO, browser).status_code == 303
    owner = company.open_browser()
    form = owner.open("/organizer/sign-in").form("サインイン")
    form.fill(email="owner@example.com", password=PASSWORD).submit()
    assert is_in(owner)


def test_provider_is_asked_again_before_something_sensitive(company):
    """From the start: who is let in there without showing anything has shown nothing here."""
    company.add_member(Role.OWNER, email="hanako@example.com")
    browser = company.open_browser()
    company.sign_in(HANAKO, browser)
    page = browser.open("/organizer/settings/zoom")
    start = page.link("会社のアカウントで確認").split("?")[0]
    wanted = "/organizer/settings/zoom"

    company.provider.claims = {"auth_time": int(company.site.clock().timestamp()) - 3600}
    assert has_words(browser.look("GET", company.go(browser, wanted, start=start)), "パスワード")
    company.provider.claims = {"auth_time": int(company.site.clock().timestamp()) + 3600}
    assert has_words(browser.look("GET", company.go(browser, wanted, start=start)), "パスワード")
    company.provider.claims = {"auth_time": None}
    assert has_words(browser.look("GET", company.go(browser, wanted, start=start)), "パスワード")
    company.provider.claims = {"sub": "somebody else"}
    assert has_words(
        browser.look("GET", company.go(browser, wanted, start=start)), "別のアカウント"
    )
    assert browser.open(wanted).url.startswith(f"{company.site.url}/organizer/prove")
    company.provider.claims = {}
    back = browser.look("GET", company.go(browser, wanted, start=start))

    assert back.headers["Location"] == wanted
    assert browser.open(wanted).url == f"{company.site.url}{wanted}"


def test_strangers_who_try_often_are_slowed_down(start_site):
    company = make_company(start_site(private_sign_in_hosts="127.0.0.1", rate_limits=True))
    browser = company.open_browser()

    statuses = [browser.look("GET", f"{BACK}?state=x").status_code for _ in range(62)]

    assert statuses[:60] == [403] * 60 and statuses[60:] == [429] * 2


URL = "/organizer/settings/sign-in"


@pytest.fixture
def owner(company):
    return sign_in_again(company.site, company.add_member(Role.OWNER))


def fill(page, company, **changed):
    values = {"issuer": company.provider.url, "client_id": CLIENT_ID}
    return page.form("テストして保存").fill(**values | changed)


def test_provider_is_tried_before_it_is_saved(company, owner):
    page = owner.open(URL)
    for changed, words in (
        ({"client_secret": "wrong"}, "クライアントシークレット"),
        ({"client_id": "other"}, "別のもの"),
        (
            {"issuer": f"{company.provider.url}/", "client_secret": CLIENT_SECRET},
            company.provider.url,
        ),
        ({"issuer": f"{company.provider.url}/x", "client_secret": "x"}, "OpenID Connect"),
        ({"issuer": "https://localhost:1", "client_secret": "x"}, "PRIVATE_SIGN_IN_HOSTS"),
        (
            {"issuer": "https://login.microsoftonline.com/common/v2.0", "client_secret": "x"},
            "テナント",
        ),
        ({"domains": "gmail.com"}, "gmail.com"),
        ({"domains": "<script>"}, "script"),
        ({"joins_as": "viewer"}, "ドメイン"),
    ):
        refused = fill(page, company, **changed).submit(status=422)
        assert any(words in error for error in refused.errors), (changed, refused.errors)
    company.provider.close()
    down = fill(page, company, client_secret=CLIENT_SECRET).submit(status=503)

    assert "応答がありません" in down.text
    assert company.list_log("settings_changed") == []


def test_provider_is_saved_and_its_secret_never_shown_again(company, owner):
    with company.site.database.write() as session:
        identity_providers.delete_provider(
            session, identity_providers.get_provider(session, company.id)
        )
    page = owner.open(URL)
    saved = fill(
        page,
        company,
        client_secret=CLIENT_SECRET,
        domains="@Example.com 例え.jp",
        joins_as="viewer",
        passwords="owners",
    ).submit()

    assert CLIENT_SECRET not in saved.response.text
    assert f"/organizer/sign-in/{company.public_id}" in saved.text
    assert f"{company.site.url}{BACK}" in saved.text
    form = saved.form("テストして保存")
    assert form["domains"].split() == ["example.com", "xn--r8jz45g.jp"]
    assert (form["joins_as"], form["passwords"], form["client_secret"]) == ("viewer", "owners", "")
    with company.site.database.read() as session:
        stored = identity_providers.get_provider(session, company.id)
        assert CLIENT_SECRET.encode() not in stored.client_secret
    assert company.sign_in(HANAKO).status_code == 303
    fill(saved, company, joins_as="nobody").submit()
    assert [entry["joins_as"] for entry in company.list_log("settings_changed")] == ["viewer", None]


def test_second_of_two_who_set_it_up_is_told(company, owner):
    late = owner.open(URL)
    fill(owner.open(URL), company, passwords="owners").submit()

    late = fill(late, company, issuer="").submit(status=422)
    fill(late, company, passwords="open").submit(status=409)

    assert owner.open(URL).form("テストして保存")["passwords"] == "owners"


def test_domain_belongs_to_one_organization(company, owner):
    other = make_company(company.site)
    other.change_policy(domains=("example.com",))

    refused = fill(owner.open(URL), company, domains="example.com").submit(status=409)

    assert "example.com" in refused.errors[0]


def test_another_issuer_forgets_who_came_through_the_former(company, owner):
    company.add_member(email="hanako@example.com")
    browser = company.open_browser()
    company.sign_in(HANAKO, browser)
    assert is_in(browser)
    company.provider = IdentityProvider(read_clock=company.site.clock, person=dict(HANAKO))
    company.site.close_later(company.provider.close)

    fill(owner.open(URL), company, client_secret=CLIENT_SECRET).submit()

    assert not is_in(browser)
    assert company.sign_in(HANAKO | {"email_verified": False}).status_code == 403
    page = owner.open(URL)
    page.form("削除").submit()
    assert browser.look("GET", f"/organizer/sign-in/{company.public_id}").status_code == 404
