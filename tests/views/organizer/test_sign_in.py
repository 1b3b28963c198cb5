"""Signing in with a password: who gets in, how often one may try, and what it gives away."""

import time

import pytest
from argon2 import PasswordHasher

from services import passwords
from services.members import Role
from storage import organizers
from tests.dashboard import Dashboard, make_membership, make_organizer
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite

PASSWORD = "seventeen green umbrellas"
EMAIL = "hanako@example.com"
SIGN_IN = "/organizer/sign-in"


@pytest.fixture(scope="module")
def password_hash():
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def cheap_hash(monkeypatch):
    """Let passwords take no time where only tries are counted; return a hash of the right one."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    monkeypatch.setattr(passwords, "_OF_NOBODY", hasher.hash("the password of nobody"))
    return passwords.hash_password(PASSWORD)


def add_owner(site, password_hash, email=EMAIL, **more):
    with site.database.write() as session:
        make_membership(
            session, Role.OWNER, email=email, password_hash=password_hash, now=site.clock(), **more
        )


def open_browser(site, locale="ja"):
    browser = Dashboard(site.url, locale=locale)
    site.close_later(browser.close)
    return browser


def try_in(browser, email=EMAIL, password=PASSWORD, *, status=200, page=SIGN_IN):
    return browser.open(page).form().fill(email=email, password=password).submit(status=status)


def is_in(browser):
    return browser.look("GET", "/organizer").status_code == 200


def test_right_password_leads_to_the_events(site, password_hash):
    add_owner(site, password_hash)
    browser = open_browser(site)

    page = try_in(browser)

    assert page.url == f"{site.url}/organizer"
    assert page.root.find_all("h1")[0].text == "イベント"


def test_password_that_was_changed_meanwhile_begins_nothing(site, password_hash, monkeypatch):
    add_owner(site, password_hash)
    check = passwords.is_password

    def change_meanwhile(stored, password):
        is_right = check(stored, password)
        with site.database.write() as session:
            organizer = organizers.get_organizer_by_key(session, EMAIL)
            organizer.password_hash = passwords.hash_password("another, set by its owner")
        return is_right

    monkeypatch.setattr(passwords, "is_password", change_meanwhile)
    browser = open_browser(site)

    try_in(browser, status=422)

    assert not is_in(browser)


def test_address_is_compared_as_people_type_it(site, password_hash):
    add_owner(site, password_hash)
    browser = open_browser(site)

    try_in(browser, "  Ｈanako@EXAMPLE.com ")

    assert is_in(browser)


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_wrong_and_unknown_get_the_same_page(site, password_hash, locale):
    add_owner(site, password_hash)
    texts = {
        try_in(open_browser(site, locale), email, "another password", status=422).root.text
        for email in (EMAIL, "nobody@example.com")
    }

    assert len(texts) == 1


def test_answer_for_unknown_addresses_takes_as_long(site, password_hash):
    add_owner(site, password_hash)
    browser = open_browser(site)
    seconds = {EMAIL: [], "nobody@example.com": []}
    for _ in range(7):
        for email, taken in seconds.items():
            form = browser.open(SIGN_IN).form().fill(email=email, password="a wrong password")
            # Of this process, which serves the site too: the clock would time others' work as well.
            begun = time.process_time()
            form.submit(status=422)
            taken.append(time.process_time() - begun)

    known, unknown = (min(taken) for taken in seconds.values())
    assert abs(known - unknown) < 0.04


def test_session_is_a_new_one_after_signing_in(site, password_hash):
    add_owner(site, password_hash)
    browser = open_browser(site)
    browser.open(SIGN_IN)
    before = browser.cookies["uketsuke"]
    try_in(browser)

    fixed = site.app.test_client()
    fixed.set_cookie("uketsuke", before)
    assert browser.cookies["uketsuke"] != before
    assert fixed.get("/organizer", base_url=site.url).status_code == 303


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/organizer/settings", "/organizer/settings"),
        ("/organizer?tab=draft", "/organizer?tab=draft"),
        ("https://attacker.invalid/organizer", "/organizer"),
        ("//attacker.invalid/organizer", "/organizer"),
        ("/organizer//attacker.invalid", "/organizer"),
        ("/\\attacker.invalid", "/organizer"),
        ("/organizer\\..\\x", "/organizer"),
        ("/organizer/\r\nSet-Cookie: a=b", "/organizer"),
        ("javascript:alert(1)", "/organizer"),
        ("/e/demo", "/organizer"),
    ],
)
def test_next_leads_to_pages_of_the_dashboard_alone(site, password_hash, wanted, reached):
    add_owner(site, password_hash)
    browser = open_browser(site)
    form = browser.open(SIGN_IN).form().fill(email=EMAIL, password=PASSWORD)
    fields = [(name, wanted if name == "next" else value) for name, value in form.fields]

    answer = browser.try_post(SIGN_IN, fields)

    assert (answer.status_code, answer.headers["Location"]) == (303, reached)


def test_companys_account_is_offered_only_where_there_is_one(site):
    assert "会社のアカウント" not in open_browser(site).open(SIGN_IN).text


def test_member_of_nothing_does_not_get_in(site, password_hash):
    with site.database.write() as session:
        make_organizer(session, email=EMAIL, password_hash=password_hash)
    browser = open_browser(site)

    try_in(browser, status=422)

    assert not is_in(browser)


def test_stranger_tries_few_and_the_owner_still_gets_in(start_site, cheap_hash):
    site = start_site(rate_limits=True)
    add_owner(site, cheap_hash)
    own = open_browser(site)
    try_in(own)
    own.open("/organizer").form("サインアウト").submit()
    stranger = open_browser(site)
    statuses = []
    for _ in range(60):
        form = stranger.open(SIGN_IN).form().fill(email=EMAIL, password="wrong password 123")
        statuses.append(stranger.try_post(SIGN_IN, form.fields).status_code)
        site.clock.move(seconds=10)

    assert statuses.count(422) <= 20
    assert statuses.count(422) + statuses.count(429) == 60
    try_in(own)
    assert is_in(own)


def test_unknown_addresses_are_slowed_down_alike(start_site, cheap_hash):
    site = start_site(rate_limits=True)
    add_owner(site, cheap_hash)
    found = []
    for email in (EMAIL, "nobody@example.com"):
        browser = open_browser(site)
        form = browser.open(SIGN_IN).form().fill(email=email, password="wrong password 123")
        answers = [browser.try_post(SIGN_IN, form.fields) for _ in range(12)]
        found.append([answer.status_code for answer in answers])

    assert found[0] == found[1] == [422] * 10 + [429] * 2


@pytest.mark.usefixtures("cheap_hash")
def test_network_that_tries_many_addresses_is_slowed_down(start_site):
    site = start_site(rate_limits=True)
    browser = open_browser(site)
    form = browser.open(SIGN_IN).form()
    statuses = []
    for number in range(65):
        form.fill(email=f"guess{number}@example.com", password="wrong password 123")
        statuses.append(browser.try_post(SIGN_IN, form.fields).status_code)

    assert 429 in statuses[60:]
    assert statuses[:60] == [422] * 60


def test_passkeys_that_open_nothing_are_counted_too(start_site):
    site = start_site(rate_limits=True)
    browser = open_browser(site)
    token = browser.open(SIGN_IN).form("サインイン")["csrf_token"]
    fields = [("csrf_token", token), ("credential", "{}")]
    answers = [browser.try_post(f"{SIGN_IN}/passkey", fields) for _ in range(62)]

    assert [answer.status_code for answer in answers] == [303] * 60 + [429] * 2
    assert site.count_rows("audit_entry") == 60


def test_cookie_of_a_site_on_https_has_the_prefix(start_site):
    site = start_site(base_url="https://events.example", is_demo=False)
    answer = site.app.test_client().get(SIGN_IN, base_url="https://events.example")

    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-uketsuke=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
