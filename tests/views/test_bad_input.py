"""Whatever is sent, the answer is a proper page: never a trace, never a 500, nothing lost."""

import http.client
from urllib.parse import quote, urlencode, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from services.questions import Choice, Question, QuestionKind
from storage import events
from tests.dashboard import sign_in
from tests.factories import COMPANY, PRIVACY
from tests.fixtures.databases import only_postgresql, only_sqlite
from tests.mailbox import find_link
from tests.organizer import Organizer
from tests.page import Page
from tests.people import HANAKO, TARO
from views import registration

REASON = Question(
    "reason",
    QuestionKind.CHECKBOXES,
    {"ja": "参加の理由", "en": "Reason"},
    choices=(Choice("learn", {"ja": "学ぶ", "en": "Learn"}), Choice("meet", {"ja": "会う"})),
)
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def spring(site):
    """Open the form of an event as 山田 太郎 filled it in."""
    site.event = site.add_event(slug="spring", questions=(COMPANY, REASON, PRIVACY))
    return site.visitor().open("/e/spring").form().fill(**TARO)


def ask(site, method, target, *, headers=None, body=None):
    """Send a request that no browser would send, and return the checked page of the answer."""
    server = urlsplit(site.url)
    connection = http.client.HTTPConnection(server.hostname, server.port, timeout=20)
    connection.request(method, target, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content.decode()


def check_error_page(answer, content, status):
    """An error has the page and headers of every other page, and says nothing of the inside."""
    assert answer.status == status
    headers = answer.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
    assert content.count("<h1") == 1 and '<html lang="' in content
    assert "Traceback" not in content and "werkzeug" not in content.lower()


def test_body_over_the_limit_is_refused_with_a_page(site, spring):
    spring.fill(question_company="あ" * 100_000)

    page = spring.submit(status=413)

    assert page.heading == "送信された内容が大きすぎます"
    assert site.count_rows("submission") == 0
    assert spring.fill(question_company="例株式会社").submit().heading == "お申し込みが完了しました"


@pytest.mark.parametrize("body", [b"family_name=%ff%fe", b"email=\xe3\x81", b"\xff=1"])
@only_sqlite
def test_text_that_is_not_utf_8_is_refused_with_a_page(site, spring, body):
    check_error_page(*ask(site, "POST", "/e/spring", headers=FORM_TYPE, body=body), 400)
    assert site.count_rows("submission") == 0


@only_sqlite
def test_body_of_another_kind_is_refused_with_a_page(site, spring):
    headers = {"Content-Type": "application/json"}
    check_error_page(*ask(site, "POST", "/e/spring", headers=headers, body=b"{}"), 415)
    many = urlencode([("a", "b")] * 5_000).encode()
    check_error_page(*ask(site, "POST", "/e/spring", headers=FORM_TYPE, body=many), 413)


@only_sqlite
def test_body_in_chunks_is_measured_too(site, spring):
    long = urlencode(spring.fields + [("question_reason", "x" * 400_000)]).encode()
    short = urlencode(spring.fields).encode()

    # Of a body without a length http.client makes chunks.
    check_error_page(*ask(site, "POST", "/e/spring", headers=FORM_TYPE, body=iter([long])), 413)
    answer, _ = ask(site, "POST", "/e/spring", headers=FORM_TYPE, body=iter([short]))
    assert answer.status == 303


@only_sqlite
def test_broken_multipart_is_answered_with_a_page(site, spring):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"--x\r\nnonsense", b"--x", b"", b"--x\r\n\r\n\r\n--x--"):
        answer, content = ask(site, "POST", "/e/spring", headers=headers, body=body)
        assert answer.status in (400, 422)
        check_error_page(answer, content, answer.status)


def test_undeclared_fields_have_no_effect(site, spring):
    undeclared = {
        "status": "approved",
        "auto_approve": "1",
        "join_url": "https://attacker.invalid/",
        "id": "1",
        "event_id": "99",
        "form_version_id": "99",
        "question_unknown": "x",
        "registration_id": "1",
    }
    Organizer(site, site.event).change_event(approval="manual")
    spring.fields += undeclared.items()

    receipt = spring.submit()

    assert receipt.heading == "お申し込みを受け付けました（まだ確定していません）"
    with site.database.read() as session:
        stored = repr(session.connection().exec_driver_sql("SELECT * FROM submission").all())
    assert "attacker.invalid" not in stored and "question_unknown" not in stored


def test_forged_choices_are_refused_at_their_question(site, spring):
    spring.fields += [("question_reason", "learn"), ("question_reason", "<script>")]

    page = spring.submit(status=422)

    assert page.errors == ["参加の理由を選択してください"]
    assert "<script>" not in page.response.text
    again = page.form()
    assert again.list_values("question_reason") == ["learn"]
    assert again["email"] == TARO["email"]


def test_value_sent_twice_is_asked_for_again(site, spring):
    spring.fields.append(("email", "hanako@example.com"))

    page = spring.submit(status=422)

    assert page.errors == ["メールアドレスが二重に送信されました。ご確認ください"]
    assert site.count_rows("submission") == 0


def test_missing_consent_is_asked_for(site, spring):
    spring.fields = [pair for pair in spring.fields if pair[0] != "question_privacy"]
    page = spring.submit(status=422)

    assert page.errors == ["お申し込みには「個人情報の取扱い」への同意が必要です"]
    assert page.form().list_values("question_privacy") == []


def test_control_characters_and_endless_names_are_refused_at_their_field(site, spring):
    for name in ("山\0田", "山\x1b[31m田", "山\x9f田", "山" * 10_000):
        page = spring.fill(family_name=name).submit(status=422)
        assert len(page.errors) == 1, repr(name[:10])
        assert page.errors[0].startswith("お名前（姓）"), page.errors
        assert page.form()["email"] == TARO["email"]
        assert not set("\0\x1b\x9f").intersection(page.response.text)
    assert site.count_rows("submission") == 0


def test_any_other_name_is_kept_code_point_for_code_point(site, spring):
    name = "𠮷野\u0304 <b>&amp; 﨑 葛\U000e0100"
    receipt = spring.fill(family_name=name).submit()

    assert Organizer(site, site.event).find(TARO["email"]).family_name == name
    assert name in receipt.text


@only_sqlite
def test_tokens_that_are_not_of_this_form_bring_it_back_filled_in(site, spring):
    other = site.add_event(slug="other")
    foreign = site.visitor().open("/e/other").form()["form_token"]
    genuine = spring["form_token"]
    cut, changed = genuine[:-3], genuine.replace(genuine[5], "A" if genuine[5] != "A" else "B", 1)
    for token in (foreign, cut, changed, "", "x" * 5_000, "あ"):
        page = spring.fill(form_token=token).submit(status=422)
        assert "時間が経過したため、もう一度送信してください" in page.text
        assert page.form()["email"] == TARO["email"]
        assert page.form()["form_token"] not in (token, genuine)
    assert other.id and site.count_rows("submission") == 0
    assert page.form().submit().heading == "お申し込みが完了しました"


@only_sqlite
def test_form_sent_too_fast_comes_back_filled_in(start_site):
    site = start_site(form_min_seconds=60.0)
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form().fill(**TARO)

    page = form.submit(status=422)
    assert "送信が早すぎたため" in page.text
    site.clock.move(seconds=61)
    assert page.form().submit().heading == "お申し込みが完了しました"


@only_sqlite
def test_form_sent_too_fast_with_errors_speaks_of_the_errors_alone(start_site):
    site = start_site(form_min_seconds=60.0)
    site.add_event(slug="spring")

    page = site.visitor().open("/e/spring").form().submit(status=422)

    assert len(page.errors) == 4
    assert "送信が早すぎたため" not in page.text


@only_sqlite
def test_unknown_host_is_refused_everywhere(site, spring):
    for host in ("attacker.invalid", "127.0.0.1.attacker.invalid", "", "[", "a b"):
        for target in ("/e/spring", "/", "/s/x", "/no-such-page"):
            check_error_page(*ask(site, "GET", target, headers={"Host": host}), 400)


def test_mails_hold_our_address_whatever_the_request_says(site, spring):
    headers = FORM_TYPE | {"X-Forwarded-Host": "attacker.invalid", "Forwarded": "host=a.invalid"}
    body = urlencode(spring.fields).encode()
    answer, _ = ask(site, "POST", "/e/spring", headers=headers, body=body)
    site.drain()

    assert answer.headers["Location"].startswith(f"{site.url}/s/")
    assert ".invalid" not in site.mailbox.read_only(TARO["email"]).as_string()


def test_pages_that_are_not_there_look_the_same(site, spring):
    site.add_event(slug="secret", status="draft")
    visitor = site.visitor()
    targets = [
        "/e/nothing",
        "/e/secret",
        "/e/secret/notice",
        "/e/spring/notice?version=99",
        "/e/spring/notice?version=x",
        "/e/%00",
        "/o/%00",
        f"/e/{'a' * 3_000}",
        "/e/spring/",
        f"/e/{quote('春')}",
        "/.env",
        "/j/",
    ]
    pages = [visitor.open(target, status=404) for target in targets]
    draft = visitor.post("/e/secret", spring.fields, status=404)

    assert {page.text for page in [*pages, draft]} == {pages[0].text}
    assert pages[0].heading == "ページが見つかりません"


@pytest.mark.parametrize(
    ("status", "members", "heading"),
    [
        (409, {"status": "closed"}, "受付を終了しました"),
        (409, {"status": "cancelled"}, "このイベントは中止になりました"),
        (409, {"capacity": 0}, "満席になりました"),
    ],
)
@pytest.mark.parametrize("is_good", [True, False], ids=["good", "with an error"])
@only_sqlite
def test_form_opened_before_the_end_is_answered_with_the_reason(
    site, spring, status, members, heading, is_good
):
    Organizer(site, site.event).change_event(**members)

    page = spring.fill(**{} if is_good else {"email": ""}).submit(status=status)

    assert heading in page.text
    assert site.count_rows("submission") == 0


@only_sqlite
def test_wrong_methods_are_refused_with_a_page(site, spring):
    receipt = spring.submit()
    site.drain()
    mail = site.mailbox.read_only(TARO["email"])
    token = urlsplit(receipt.url).path
    for method, target in (
        ("PUT", "/e/spring"),
        ("DELETE", token),
        ("PATCH", "/"),
        ("POST", token),
        ("POST", urlsplit(find_link(mail, "r")).path),
        ("GET", f"{token}/resend"),
        ("GET", f"{token}/code"),
    ):
        answer, content = ask(site, method, target)
        check_error_page(answer, content, 405)
        assert answer.headers["Allow"]


def test_tokens_open_nothing_but_their_own_page(site, spring):
    receipt = spring.submit()
    site.visitor().open("/e/spring").form().fill(**HANAKO).submit()
    site.drain()
    visitor = site.visitor()
    mail = site.mailbox.list_mails(TARO["email"])[0]
    other = site.mailbox.list_mails(HANAKO["email"])[0]
    tokens = {
        "s": urlsplit(receipt.url).path.split("/")[2],
        "j": find_link(mail, "j").split("/")[-1],
        "r": find_link(mail, "r").split("/")[-1],
    }
    others = find_link(other, "r").split("/")[-1]
    wrong = [
        (page, f"{letter}{token[1:]}")
        for page in "sjr"
        for kind, token in tokens.items()
        for letter in "skmpr"
        if (page, letter) != (kind, token[0])
    ]
    for kind, token in tokens.items():
        wrong += [(kind, token[:-1]), (kind, f"{token}A"), (kind, token[:22]), (kind, "x")]
        wrong += [(kind, token.swapcase()), (kind, token[:23] + others[23:])]
        wrong += [(kind, quote("あ" * 45)), (kind, "%00" * 45), (kind, "A" * 10_000)]

    texts = {visitor.open(f"/{kind}/{token}", status=404).text for kind, token in wrong}

    assert len(texts) == 1
    assert [visitor.open(f"/{kind}/{token}").locale for kind, token in tokens.items()] == ["ja"] * 3


def test_revoked_links_look_like_any_other_wrong_one(site, spring):
    spring.submit()
    site.drain()
    mail = site.mailbox.read_only(TARO["email"])
    with site.database.write() as session:
        session.connection().exec_driver_sql("UPDATE registration SET link_version = 1")

    visitor = site.visitor()
    revoked = visitor.open(find_link(mail, "r"), status=404)
    assert revoked.text == visitor.open("/r/nothing", status=404).text
    visitor.open(find_link(mail, "j"), status=404)


@only_sqlite
def test_pages_behind_tokens_are_kept_and_told_to_nobody(site, spring):
    receipt = spring.submit()
    site.drain()
    mail = site.mailbox.read_only(TARO["email"])
    personal = find_link(mail, "r")
    visitor = site.visitor()
    for address in (receipt.url, find_link(mail, "j"), personal, f"{personal}/cancel"):
        page = visitor.open(address)
        assert_private(page)
        [robots] = page.root.find_all("meta", name="robots")
        assert robots["content"] == "noindex"
    for address in (f"{personal}/data.json", f"{personal}/invite.ics"):
        headers = visitor.fetch(address).headers
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == (
            "no-store",
            "no-referrer",
        )
    assert "Disallow: /r/" in visitor.fetch("/robots.txt").text


def assert_private(page: Page) -> None:
    headers = page.response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@only_sqlite
def test_fault_of_ours_shows_a_page_and_no_trace(site, monkeypatch):
    def fail(*_args):
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(events, "find_head", fail)
    answer, content = ask(site, "GET", "/e/not-opened-lately")

    check_error_page(answer, content, 500)
    assert "secret" not in content
    assert "もう一度読み込む" in content


@only_sqlite
def test_what_was_sent_and_failed_is_not_loaded_again(site, spring, monkeypatch):
    def fail(*_args, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(registration, "register", fail)
    page = spring.submit(status=500)

    assert page.root.find_all("a", class_="button button--secondary") == []


def fail_to_store(*_args, **_options):
    raise OperationalError("INSERT", {}, Exception("disk I/O error"))


def test_database_that_is_away_gives_the_form_back_filled_in(site, spring, monkeypatch):
    for name in ("register", "register_alone"):
        monkeypatch.setattr(registration, name, fail_to_store)
    page = spring.submit(status=503)
    assert page.form()["form_token"] == spring["form_token"], "what was stored after all stays one"
    assert page.response.headers["Retry-After"] == "10"
    assert page.form()["email"] == TARO["email"]

    monkeypatch.undo()
    receipt = page.form().submit()
    assert receipt.heading == "お申し込みが完了しました"
    assert site.count_rows("submission") == 1


@only_postgresql
def test_nul_in_an_address_of_the_dashboard_is_no_reason_to_fail(site):
    event = site.add_event()
    site.visitor().open(f"/e/{event.slug}").form().fill(**TARO).submit()
    owner = sign_in(site)
    people = f"/organizer/events/{event.public_id}/people"

    assert owner.look("GET", f"{people}?q=%00&status=%00&mailable=yes%00").status_code == 200
    assert owner.look("GET", "/organizer/events/%00/people").status_code == 404
    owner.post_form(people, people, {"act": "retry", "person": "\0"}, status=400)
