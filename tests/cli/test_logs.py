"""Log lines: JSON, and nothing that names a person or opens a door."""

import json
import logging
import re
import signal
import sys
import time
from email import message_from_bytes, policy

import pytest

from cli.logs import JsonFormatter, mask
from tests.fixtures.databases import only_sqlite
from tests.installation import Installation, wait_until
from tests.mailbox import find_code, find_link
from tests.page import Visitor
from tests.people import TARO
from tests.worker.smtp_server import Inbox, serve

TOKEN = "k" + "Ab-_9" * 8 + "wxyz"
OF_THE_SITE = (
    *("base_url", "database_url", "secret_key", "mail_url"),
    *("zoom_account_id", "zoom_client_id", "zoom_client_secret", "zoom_api_url", "zoom_oauth_url"),
)
TOKENS = re.compile(r"[\w-]{45}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"GET /s/{TOKEN}/resend?lang=ja", "GET /s/…/resend?lang=ja"),
        (f"https://example.com/j/{TOKEN}", "https://example.com/j/…"),
        (f"/r/{TOKEN}", "/r/…"),
        (f"GET /organizer/enter/{TOKEN}", "GET /organizer/enter/…"),
        ("550 <taro.yamada+x@mail.example.co.jp> unknown", "550 <(address)> unknown"),
        ("'山田@例え.jp' is unknown", "'(address)' is unknown"),
        ("<taro@例え.みんな> is unknown", "<(address)> is unknown"),
        ("taro@उदाहरण.भारत is unknown", "(address) is unknown"),
        ("taro@xn--r8jz45g.xn--q9jyb4c is unknown", "(address) is unknown"),
        ("taro@example.comは不明", "(address)は不明"),
        ("to https://zoom.us/w/812?tk=Secret.x&pwd=1 now", "to (link) now"),
        ("https://zoom.us/j/812?pwd=Secret.1", "(link)"),
        ("/e/spring is open, see /static/site.css", "/e/spring is open, see /static/site.css"),
    ],
)
def test_what_names_a_person_or_opens_a_door_is_masked(text, written):
    assert mask(text) == written


@only_sqlite
def test_token_is_masked_in_every_address_that_has_one(site):
    """The server itself writes the address of whoever hangs up while it answers."""
    routes = site.app.url_map
    of_token = [rule for rule in routes.iter_rules() if "token" in rule.arguments]
    paths = [
        routes.bind("").build(
            rule.endpoint,
            dict.fromkeys(rule.arguments, "spring") | {"token": TOKEN},
            method=next(iter(rule.methods - {"HEAD", "OPTIONS"})),
        )
        for rule in of_token
    ]

    assert {path.partition(TOKEN)[0] for path in paths} >= {"/v/", "/e/spring/embed/done/"}
    written = [mask(f"Client disconnected while serving {path}") for path in paths]
    assert [line for line in written if TOKEN[1:20] in line] == []


@pytest.mark.parametrize("letter", ["A", "/", '"a', "a@", "/?code", "é.", "@a."])
def test_long_word_costs_no_time(letter):
    began_at = time.process_time()

    assert mask(f"{letter * 40_000} {'b' * 300}") == f"(long) {'b' * 300}"

    assert time.process_time() - began_at < 1.0  # it took ten seconds and more


def write(message, *arguments, **members):
    record = logging.LogRecord("mail", logging.WARNING, "", 0, message, arguments, None)
    vars(record).update(members)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    return json.loads(line)


def test_line_has_time_level_and_every_extra_member():
    line = write("mail to %s", "taro@example.com", job=7, reason="no taro@example.com")

    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "mail",
        "message": "mail to (address)",
        "job": 7,
        "reason": "no (address)",
    }


def test_line_break_and_control_characters_make_no_second_line():
    line = write("GET %s", '/e/x\r\n{"level": "ERROR"}\x1b[31m')

    assert line["message"] == 'GET /e/x\r\n{"level": "ERROR"}\x1b[31m'


def test_trace_is_masked_too():
    try:
        raise ValueError(f"taro@example.com at https://example.com/r/{TOKEN}")
    except ValueError:
        line = write("job failed", exc_info=sys.exc_info())

    assert line["trace"].endswith("ValueError: (address) at https://example.com/r/…")


class ChoosyInbox(Inbox):
    """Takes mail for everybody but one."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "refused@example.com":
            return f"550 5.1.1 <{address}> user unknown, ask postmaster@example.com"
        return await super().handle_RCPT(server, session, envelope, address, options)


@pytest.fixture
def inbox():
    return ChoosyInbox()


@pytest.fixture
def site(start_site, inbox, installation):
    """A site whose pages and worker are in processes of their own, with logs in files."""
    with serve(inbox) as port:
        site = start_site(base_url=installation.url, mail_url=f"smtp://127.0.0.1:{port}")
        for name in OF_THE_SITE:
            installation.environ[f"UKETSUKE_{name.upper()}"] = getattr(site.settings, name)
        installation.environ["UKETSUKE_FORM_MIN_SECONDS"] = "0"
        yield site


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path)
    yield made
    made.kill()


def run_and_stop(installation, act):
    """Start pages and worker, do something, and return what they wrote, line by line."""
    processes = [installation.start(name) for name in ("web", "worker")]
    wait_until(lambda: installation.answers(f"{installation.url}/readyz"))
    act()
    for process in processes:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    names = [f"{name}.{kind}" for name in ("web", "worker") for kind in ("out", "err")]
    return [line for name in names for line in installation.read(name).splitlines()]


@only_sqlite
def test_logs_of_a_whole_story_tell_nothing_about_anybody(site, inbox, installation):
    site.add_event(slug="spring", link_policy="code")
    visitor = Visitor(installation.url)
    secrets = {site.settings.secret_key, site.settings.zoom_client_secret, "yamada", "山田"}

    def register(email):
        return visitor.open("/e/spring").form().fill(**TARO | {"email": email}).submit()

    def act():
        receipt = register("taro@example.com")
        secrets.update(TOKENS.findall(receipt.url))
        register("taro@example.com")
        register("host@example.com")  # Zoom refuses whom the meeting belongs to
        register("refused@example.com")
        wait_until(lambda: installation.read("worker.err").count("reason") >= 2)
        wait_until(lambda: len(find_mails(inbox, "taro@example.com")) == 2)
        mails = find_mails(inbox, "taro@example.com")
        codes = {find_code(mail) for mail in mails}
        receipt.form("参加用URLを表示する").fill(code="000000").submit(status=422)
        join_link = find_link(mails[0], "j")
        secrets.update(codes, TOKENS.findall(join_link), TOKENS.findall(find_link(mails[0], "r")))
        wait_until(lambda: "Zoomで参加する" in visitor.open(join_link).text)
        secrets.add(visitor.open(join_link).form().leave())
        visitor.open(f"{join_link[:-1]}{'a' if join_link[-1] != 'a' else 'b'}", status=404)
        visitor.open("/e/unknown?email=taro@example.com", status=404)
        visitor.open("/unsubscribe/taro@example.com", status=404)

    lines = run_and_stop(installation, act)

    written = [json.loads(line) for line in lines]
    assert {line["logger"] for line in written} >= {"access", "worker.mail_failures", "worker.zoom"}
    assert [line["status"] for line in written if line.get("route") == ""] == [404]
    asked = [line for line in written if "status" in line and line["route"] != "/readyz"]
    assert {line["status"] for line in asked} == {200, 303, 404, 422}
    assert [line for line in lines if "@" in line or "tk=" in line or TOKENS.search(line)] == []
    assert [line for line in lines for secret in secrets if secret in line] == []


def find_mails(inbox, to):
    arrived = [envelope for envelope in list(inbox.envelopes) if envelope.rcpt_tos == [to]]
    return [message_from_bytes(envelope.content, policy=policy.default) for envelope in arrived]
