"""Who is turned away when too many come, and what they are given."""

from urllib.parse import urlencode

import pytest
from sqlalchemy import event

from app import create_app
from cli.web_server import WAITED_SECONDS, WAITING
from config import Settings
from tests.html import parse
from views.headers import SECURITY
from views.organizer.access import SIGN_IN
from views.overload import MANY, RETRY_SECONDS, is_urgent

CROWD = {WAITED_SECONDS: 0.6, WAITING: MANY + 1}
SENT = [
    ("form_token", "a.b-c_d"),
    ("family_name", "髙橋"),
    ("company", "<b>\"R&D\" 'x'</b>"),
    ("reason", "learn"),
    ("reason", "solve"),
    ("message", "one\r\n\r\ntwo"),
    ("empty", ""),
]


@pytest.fixture
def app(tmp_path):
    app = create_app(Settings(instance=tmp_path, secret_key="k" * 32))
    yield app
    app.extensions["site"].database.dispose()


@pytest.fixture
def ask(app):
    """Ask as somebody who has waited for 0.6 seconds, and others behind them."""

    def ask(path, method="GET", **options):
        crowd = options.pop("crowd", CROWD)
        return app.test_client().open(path, method=method, environ_base=crowd, **options)

    return ask


def send(ask, pairs=SENT, path="/e/spring", **options):
    options.setdefault("data", urlencode(pairs))
    options.setdefault("content_type", "application/x-www-form-urlencoded")
    return ask(path, "POST", crowd=CROWD | {WAITED_SECONDS: 0.8}, **options)


def read_hidden(response):
    form = parse(response.text).find_all("form")[0]
    return [(field["name"], field["value"]) for field in form.find_all("input", type="hidden")]


@pytest.mark.parametrize(
    ("method", "path", "longest"),
    [
        ("POST", "/e/spring", 0.6),
        ("GET", "/e/spring", 0.5),
        ("GET", "/s/x", 0.5),
        ("POST", "/j/x", 0.6),
        ("GET", "/r/x", 0.3),
        ("GET", "/", 0.3),
    ],
)
def test_each_kind_of_request_may_wait_for_so_long(ask, method, path, longest):
    def is_turned_away(seconds, others=MANY + 1):
        crowd = {WAITED_SECONDS: seconds, WAITING: others}
        return "ただいま混み合っています" in ask(path, method, crowd=crowd).text

    assert is_turned_away(longest + 0.01)
    assert not is_turned_away(longest + 0.01, others=MANY)
    assert is_turned_away(longest / 2 + 0.01, others=2 * MANY)


@pytest.mark.parametrize(
    ("method", "path", "destination", "expected"),
    [
        ("POST", "/e/spring", "document", True),
        ("GET", "/s/x", "document", True),
        ("GET", "/e/spring/embed/done/x", "iframe", True),
        ("POST", "/j/x", "document", True),
        ("POST", "/api/v1/events/spring/registrations", "", True),
        ("GET", "/healthz", "", False),
        ("GET", "/static/site.css", "style", False),
        ("GET", "/embed.js", "script", False),
        ("GET", "/e/spring", "document", False),
        ("POST", "/e/spring/seen/view", "empty", False),
        ("GET", "/s/x", "empty", False),
        ("POST", "/organizer/sign-in", "document", False),
        ("", "", "", False),
    ],
)
def test_who_goes_on_with_what_was_begun_is_urgent(method, path, destination, expected):
    assert is_urgent(method, path, destination) is expected


def test_nobody_is_turned_away_in_time_or_without_a_crowd(site):
    site.add_event(slug="spring")
    client = site.app.test_client()
    for crowd in ({WAITED_SECONDS: 0.08, WAITING: 900}, {WAITED_SECONDS: 9.0, WAITING: MANY}, {}):
        answer = client.get("/e/spring", environ_base=crowd, base_url=site.url)
        assert answer.status_code == 200


def test_what_a_page_asks_for_by_itself_waits_shorter(ask):
    crowd = CROWD | {WAITED_SECONDS: 0.4}

    answer = ask("/s/x", headers={"Sec-Fetch-Dest": "empty"}, crowd=crowd)

    assert answer.status_code == 503


@pytest.mark.parametrize("path", ["/healthz", "/static/site.css", "/static/site.js"])
def test_what_others_depend_on_is_always_answered(ask, path):
    assert ask(path, crowd={WAITED_SECONDS: 30.0, WAITING: 900}).status_code == 200


@pytest.mark.parametrize("path", ["/embedded", "/embed-x.js"])
def test_addresses_alike_to_those_may_be_turned_away(ask, path):
    assert ask(path, crowd={WAITED_SECONDS: 30.0, WAITING: 900}).status_code == 503


def test_answers_come_back_as_they_were_sent(ask):
    answer = send(ask)

    assert answer.status_code == 503
    assert read_hidden(answer) == SENT
    assert "<b>" not in answer.text


def test_page_asks_to_come_back_in_some_seconds(ask):
    answers = [ask("/e/spring") for _ in range(60)]

    seconds = [int(answer.headers["Retry-After"]) for answer in answers]
    assert set(seconds) <= set(RETRY_SECONDS)
    assert len(set(seconds)) > 5
    refresh = [parse(a.text).find_all("meta", http_equiv="refresh")[0]["content"] for a in answers]
    assert refresh == [str(number) for number in seconds]


def test_page_is_light_and_has_all_headers(app, ask):
    statements = []
    engine = app.extensions["site"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    answers = [ask("/e/spring"), send(ask), ask("/", "PUT")]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert max(len(answer.data) for answer in answers) < 4096
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert SECURITY.items() <= dict(answer.headers).items()
    assert statements == []


@pytest.mark.parametrize(
    ("path", "accepted", "heading"),
    [
        ("/e/spring", "en-US,en;q=0.9", "One moment, please"),
        ("/e/spring", "ja", "ただいま混み合っています"),
        ("/e/spring", "fr", "ただいま混み合っています"),
        ("/e/spring?lang=en", "ja", "One moment, please"),
        ("/e/spring?lang=xx", "en", "One moment, please"),
    ],
)
def test_page_speaks_the_language_of_its_reader(ask, path, accepted, heading):
    page = parse(ask(path, headers={"Accept-Language": accepted}).text)

    assert page.find_all("h1")[0].text == heading


@pytest.mark.parametrize(
    ("path", "links"),
    [
        ("/e/spring", ["?lang=en"]),
        ("/e/spring?lang=en&utm_source=a%26b%22", ["?utm_source=a%26b%22&lang=ja"]),
        ("/s/x?lang=ja", ["?lang=en"]),
    ],
)
def test_page_leads_to_the_other_language(ask, path, links):
    header = parse(ask(path).text).find_all("header")[0]

    assert [a["href"] for a in header.find_all("a")] == links


def test_page_that_keeps_answers_has_no_link_that_would_lose_them(ask):
    assert parse(send(ask).text).find_all("header")[0].find_all("a") == []


@pytest.mark.parametrize(
    "sent",
    [
        {"data": "a=%ff"},
        {"data": "あ".encode("cp932")},
        {"data": "&".join(["a=1"] * 3_000)},
        {"data": "a=" + "x" * 300_000},
        {"data": {"a": "1"}, "content_type": "multipart/form-data"},
        {"data": "{}", "content_type": "application/json"},
    ],
    ids=["no text", "not encoded", "many fields", "much", "parts", "json"],
)
def test_what_no_form_sends_is_not_carried(ask, sent):
    answer = send(ask, **sent)

    assert answer.status_code == 503
    assert len(answer.data) < 4096
    assert parse(answer.text).find_all("form") == []


def test_password_is_on_no_page(ask):
    answer = send(ask, [("email", "h@example.com"), ("password", "long and mine")], SIGN_IN)

    assert answer.status_code == 503
    assert b"long and mine" not in answer.data
    assert parse(answer.text).find_all("form") == []


def test_answer_may_have_the_name_of_a_secret(ask):
    assert read_hidden(send(ask, [("password", "my answer")])) == [("password", "my answer")]


def test_receipt_says_that_all_is_saved(ask):
    answer = ask("/s/x", headers={"Accept-Language": "en"})

    assert "What you sent is saved." in parse(answer.text).text


def test_log_says_now_and_then_how_many_were_turned_away(ask, caplog):
    for _ in range(20):
        ask("/e/spring")

    lines = [record for record in caplog.records if record.name == "views.overload"]
    assert [record.number for record in lines] == [1]
