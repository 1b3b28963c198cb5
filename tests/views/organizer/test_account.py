"""One's own account: second factors, sessions, the password, and being asked again."""

import re

import pyotp
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from services import passwords
from services import sign_in as signing
from services.access_links import LinkPurpose, add_link
from services.members import Role
from storage.ciphers import Cipher
from storage.models import Organizer
from tests.dashboard import Dashboard, make_membership, sign_in, sign_in_again
from tests.fixtures.databases import only_sqlite
from tests.passkey_device import PasskeyDevice

pytestmark = only_sqlite

PASSWORD = "seventeen green umbrellas"
EMAIL = "hanako@example.com"
ACCOUNT = "/organizer/account"


@pytest.fixture(scope="module")
def password_hash():
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def organizer_id(site, password_hash):
    with site.database.write() as session:
        return make_membership(
            session, Role.OWNER, email=EMAIL, password_hash=password_hash, now=site.clock()
        ).organizer_id


@pytest.fixture
def owner(site, organizer_id):
    return sign_in_again(site, organizer_id)


def open_browser(site):
    browser = Dashboard(site.url)
    site.close_later(browser.close)
    return browser


def show_password(browser):
    form = browser.open("/organizer/sign-in").form("サインイン")
    return form.fill(email=EMAIL, password=PASSWORD).submit()


def set_up_app(site, owner):
    """Set an app up; return its secret and the recovery codes."""
    page = owner.open(f"{ACCOUNT}/authenticator")
    secret = page.root.find_all("code")[0].text.replace(" ", "")
    code = pyotp.TOTP(secret).at(site.clock())
    shown = page.form("設定する").fill(code=code).submit()
    return secret, [element.text for element in shown.root.find_all("code")]


def is_in(browser):
    return browser.look("GET", "/organizer").status_code == 200


def test_app_is_asked_for_after_the_password(site, owner):
    secret, _ = set_up_app(site, owner)
    site.clock.move(minutes=1)
    browser = open_browser(site)
    page = show_password(browser)
    assert page.url.startswith(f"{site.url}/organizer/sign-in/code")
    assert not is_in(browser)

    page.form("サインイン").fill(code=pyotp.TOTP(secret).at(site.clock())).submit()

    assert is_in(browser)


def test_same_code_signs_in_once(site, owner):
    secret, _ = set_up_app(site, owner)
    site.clock.move(minutes=1)
    code = pyotp.TOTP(secret).at(site.clock())
    first, second = open_browser(site), open_browser(site)
    pages = [show_password(browser) for browser in (first, second)]
    pages[0].form("サインイン").fill(code=code).submit()
    pages[1].form("サインイン").fill(code=code).submit(status=422)

    assert (is_in(first), is_in(second)) == (True, False)


def test_recovery_code_replaces_the_app_once(site, owner):
    _, codes = set_up_app(site, owner)
    first, second = open_browser(site), open_browser(site)
    show_password(first).form("サインイン").fill(code=codes[0]).submit()
    show_password(second).form("サインイン").fill(code=codes[0]).submit(status=422)

    assert (is_in(first), is_in(second)) == (True, False)


def test_code_is_used_up_with_the_beginning_of_the_session_or_not_at_all(
    site, owner, organizer_id, monkeypatch
):
    _, codes = set_up_app(site, owner)
    browser, begin, lost = open_browser(site), signing.begin_session, []

    def lose_connection(*arguments, **named):
        if not lost:
            lost.append("as the driver says it within a transaction")
            raise OperationalError("INSERT", None, Exception("gone"), connection_invalidated=True)
        return begin(*arguments, **named)

    monkeypatch.setattr(signing, "begin_session", lose_connection)
    show_password(browser).form("サインイン").fill(code=codes[0]).submit()

    assert lost and is_in(browser)
    with site.database.read() as session:
        assert len(session.get(Organizer, organizer_id).recovery_codes) == len(codes) - 1


def test_app_that_no_secret_of_the_site_opens_is_told_apart(site, owner):
    set_up_app(site, owner)
    with site.database.write() as session:
        [stored] = session.scalars(select(Organizer).where(Organizer.totp_secret.is_not(None)))
        stored.totp_secret = Cipher([b"a secret that is lost for good.."]).encrypt("JBSWY3DP")
    form = show_password(open_browser(site)).form("サインイン")

    page = form.fill(code="123456").submit(status=422)

    assert "お使いの認証アプリのコードを確認できなくなりました" in page.root.text


def test_wrong_code_sets_nothing_up(site, owner):
    page = owner.open(f"{ACCOUNT}/authenticator")
    page.form("設定する").fill(code="000000").submit(status=422)
    browser = open_browser(site)
    show_password(browser)

    assert is_in(browser)


def test_second_step_needs_the_first(site, owner):
    secret, _ = set_up_app(site, owner)
    browser = open_browser(site)

    page = browser.open("/organizer/sign-in/code")

    assert page.url == f"{site.url}/organizer/sign-in"


def test_second_step_is_over_after_ten_minutes(site, owner):
    secret, _ = set_up_app(site, owner)
    browser = open_browser(site)
    form = show_password(browser).form("サインイン")
    site.clock.move(minutes=11)

    form.fill(code=pyotp.TOTP(secret).at(site.clock())).submit()

    assert not is_in(browser)


def test_first_step_of_one_browser_is_none_of_another(site, owner):
    secret, _ = set_up_app(site, owner)
    site.clock.move(minutes=1)
    browser, thief = open_browser(site), open_browser(site)
    show_password(browser)
    thief.open("/organizer/sign-in")
    thief._session.cookies.set("uketsuke-step", browser.cookies["uketsuke-step"])

    assert thief.open("/organizer/sign-in/code").url == f"{site.url}/organizer/sign-in"


def test_few_codes_are_tried(start_site, password_hash):
    site = start_site(rate_limits=True)
    with site.database.write() as session:
        made = make_membership(session, email=EMAIL, password_hash=password_hash)
    owner = sign_in_again(site, made.organizer_id)
    set_up_app(site, owner)
    form = show_password(open_browser(site)).form("サインイン").fill(code="000000")
    browser = form.page.visitor
    statuses = [browser.try_post(form.action, form.fields).status_code for _ in range(8)]

    assert statuses == [422] * 5 + [429] * 3


def test_who_has_the_password_guesses_few_codes_in_a_day(start_site, password_hash):
    site = start_site(rate_limits=True)
    with site.database.write() as session:
        make_membership(
            session,
            email=EMAIL,
            password_hash=password_hash,
            totp_secret=session.info["cipher"].encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
            now=site.clock(),
        )
    browser = Dashboard(site.url)
    site.close_later(browser.close)
    statuses = []
    for _ in range(5):
        page = browser.open("/organizer/sign-in").form("サインイン")
        form = page.fill(email=EMAIL, password=PASSWORD).submit().form("サインイン")
        for _ in range(8):
            statuses.append(browser.try_post(form.action, form.fill(code="000000").fields))
            site.clock.move(minutes=1)

    found = [answer.status_code for answer in statuses]
    assert set(found) == {422, 429} and found.count(422) <= 21
    assert "72分" in statuses[-1].text


def test_old_proof_is_asked_for_again(site, owner):
    site.clock.move(minutes=11)
    page = owner.open(f"{ACCOUNT}/authenticator")
    assert page.url.startswith(f"{site.url}/organizer/prove")
    page.form("続ける").fill(password="wrong").submit(status=422)

    page = page.form("続ける").fill(password=PASSWORD).submit()

    assert page.url == f"{site.url}{ACCOUNT}/authenticator"


def test_session_is_listed_and_ended_one_by_one(site, owner, organizer_id):
    other, third = (sign_in_again(site, organizer_id) for _ in range(2))
    page = owner.open(ACCOUNT)
    forms = [form["action"] for form in page.root.find_all("form") if "/end" in form["action"]]
    ends = [action for action in forms if not action.endswith("others")]
    assert len(ends) == 2

    owner.post_form(ACCOUNT, ends[0], {})

    assert [is_in(browser) for browser in (owner, other, third)].count(True) == 2
    assert is_in(owner)


def test_session_of_somebody_else_is_not_ended(site, owner):
    stranger = sign_in(site)
    theirs = sign_in_again(site, 1)
    page = theirs.open(ACCOUNT)
    action = next(
        form["action"] for form in page.root.find_all("form") if form["action"].endswith("/end")
    )

    stranger.post_form(ACCOUNT, action, {}, status=404)

    assert is_in(owner) and is_in(theirs)


def test_all_other_sessions_end_at_once(site, owner, organizer_id):
    others = [sign_in_again(site, organizer_id) for _ in range(3)]

    owner.post_form(ACCOUNT, f"{ACCOUNT}/sessions/end-others", {})

    assert is_in(owner)
    assert [is_in(browser) for browser in others] == [False] * 3


def test_changed_password_ends_other_sessions_and_is_told_by_mail(site, owner, organizer_id):
    other = sign_in_again(site, organizer_id)
    form = owner.open(f"{ACCOUNT}/password").form("パスワードを保存")
    form.fill(password="nineteen yellow bicycles").submit()
    site.drain()

    assert (is_in(owner), is_in(other)) == (True, False)
    assert site.mailbox.read_only(EMAIL)["Subject"] == "パスワードが変更されました"
    browser = open_browser(site)
    form = browser.open("/organizer/sign-in").form("サインイン")
    form.fill(email=EMAIL, password=PASSWORD).submit(status=422)


def test_language_of_the_account_is_that_of_its_pages(site, owner):
    owner.post_form(ACCOUNT, f"{ACCOUNT}/name", {"name": "Hanako", "locale": "en"})

    assert owner.open("/organizer").root.find_all("h1")[0].text == "Events"


def test_mails_of_what_is_kept_aside_can_be_stopped(site, owner, organizer_id):
    def read():
        with site.database.read() as session:
            return session.get_one(Organizer, organizer_id).is_told_of_held

    form = owner.open(ACCOUNT).form("保存")
    assert (form["is_told_of_held"], read()) == ("yes", True)
    page = form.fill(is_told_of_held=[]).submit()
    assert not read()
    page.form("保存").fill(is_told_of_held="yes").submit()
    assert read()


def test_passkey_signs_in_without_a_password(start_site, password_hash):
    site = start_site(base_url="https://events.example", is_demo=False)
    client = site.app.test_client()
    device = PasskeyDevice("https://events.example", "events.example")
    with site.database.write() as session:
        made = make_membership(session, email=EMAIL, now=site.clock())
        link = add_link(
            session, LinkPurpose.ENTER, organizer_id=made.organizer_id, now=site.clock()
        )
        entrance = site.parts.links.access(link).removeprefix("https://events.example")

    def ask(path, **fields):
        method = client.post if fields else client.get
        return method(path, base_url="https://events.example", data=fields)

    def read(page, pattern):
        return re.search(pattern, page.text)[1].replace("&#34;", '"')

    token = r'name="csrf_token" value="([^"]+)"'
    ask(entrance, csrf_token=read(ask(entrance), token))
    page = ask(f"{ACCOUNT}/passkeys/new")
    credential = device.make(read(page, r'data-options="([^"]+)"'))
    ask(
        f"{ACCOUNT}/passkeys/new",
        csrf_token=read(page, token),
        name="鍵",
        credential=credential,
    )
    ask("/organizer/sign-out", csrf_token=read(ask("/organizer"), token))
    assert ask("/organizer").status_code == 303
    page = ask("/organizer/sign-in")
    credential = device.use(read(page, r'data-options="([^"]+)"'))
    fields = {"csrf_token": read(page, token), "credential": credential}
    ask("/organizer/sign-in/passkey", **fields)

    assert ask("/organizer").status_code == 200
    assert "鍵" in ask(ACCOUNT).text
