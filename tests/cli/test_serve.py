"""`flask demo` and `flask serve` as processes: what they start, say, and leave behind."""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest
import requests

from tests.installation import HOST, ROOT, START_SECONDS, Installation, wait_until
from zoom_sandbox.server import SandboxServer

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are found in Linux's /proc"
)

PATIENT = ROOT / "tests/cli/patient_demo.py"
WORDS = {"sandbox": "zoom_sandbox", "web": "web", "worker": "worker"}


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path, app=PATIENT)
    yield made
    made.kill()
    for said in tmp_path.glob("*.err"):
        print(said.name, said.read_text(), sep="\n")  # shown where a test fails


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo that all tests share: whatever they end of it comes back."""
    made = Installation(tmp_path_factory.mktemp("demo"), app=PATIENT)
    made.start("demo")
    try:
        wait_until(lambda: "is ready" in made.read("demo.out"), seconds=START_SECONDS)
        yield made
    finally:
        made.kill()


@pytest.fixture
def served(installation):
    """`flask demo` where the settings have a Zoom account, which the sandbox here plays."""
    with SandboxServer() as zoom:
        installation.environ |= {
            "UKETSUKE_BASE_URL": installation.url,
            "UKETSUKE_MAIL_URL": "smtp://127.0.0.1:1",
            "UKETSUKE_ZOOM_ACCOUNT_ID": "sandbox-account",
            "UKETSUKE_ZOOM_CLIENT_ID": "sandbox-client",
            "UKETSUKE_ZOOM_CLIENT_SECRET": "sandbox-secret",
            "UKETSUKE_ZOOM_API_URL": f"{zoom.url}/v2",
            "UKETSUKE_ZOOM_OAUTH_URL": zoom.url,
        }
        process = installation.start("demo")
        wait_until(
            lambda: installation.answers(f"{installation.url}/readyz"), seconds=START_SECONDS
        )
        yield installation, process, zoom


def list_ended(installation):
    return [name for name, word in WORDS.items() if not installation.find_processes(word)]


def are_ports_free(installation):
    for port in (installation.port, installation.sandbox_port):
        socket.create_server((HOST, port)).close()
    return True


def test_demo_says_where_everything_is_and_all_of_it_answers(demo):
    rows = re.findall(r"^  (.+?)\s{2,}(http\S+)$", demo.read("demo.out"), re.MULTILINE)

    said = dict(rows)
    entrance = said.pop("Dashboard")
    assert entrance.startswith(f"{demo.url}/organizer/enter/")
    assert said == {
        "Webinar, Japanese": f"{demo.url}/e/demo",
        "Meeting, English": f"{demo.url}/e/demo-en",
        "Mails that it sent": f"{demo.url}/mailbox",
        'What "Zoom" knows': f"{demo.sandbox_url}/",
    }
    assert [address for _, address in rows if not demo.answers(address)] == []
    wait_until(lambda: demo.answers(f"{demo.url}/readyz"))


@pytest.mark.parametrize("name", WORDS)
def test_process_that_is_killed_is_started_again(demo, name):
    wait_until(lambda: list_ended(demo) == [])
    killed = demo.find_processes(WORDS[name])
    for number in killed:
        os.kill(number, signal.SIGKILL)

    wait_until(lambda: demo.find_processes(WORDS[name]) - killed)

    (told,) = [
        line
        for line in map(json.loads, demo.read("demo.err").splitlines())
        if line["message"] == f"{name} ended; starting it again"
    ]
    assert (told["level"], told["signal"]) == ("ERROR", "SIGKILL")
    wait_until(lambda: demo.answers(f"{demo.url}/e/demo"))
    wait_until(lambda: demo.answers(demo.sandbox_url))


def test_interrupt_ends_every_process_of_the_demo(installation):
    process = installation.start("demo")
    wait_until(lambda: "is ready" in installation.read("demo.out"), seconds=START_SECONDS)
    assert list_ended(installation) == []

    process.send_signal(signal.SIGINT)

    assert process.wait(40) == 0
    assert installation.list_processes() == {}
    assert are_ports_free(installation)
    assert "Traceback" not in installation.read("demo.err")


@pytest.mark.parametrize("setting", ["UKETSUKE_PORT", "UKETSUKE_SANDBOX_PORT"])
def test_port_that_is_taken_is_told_in_one_line(installation, setting):
    port = installation.environ[setting]
    with socket.create_server((HOST, int(port))):
        done = installation.run("demo")

    assert done.returncode == 1
    assert done.stderr == f"Error: Port {port} is taken: choose another one with {setting}.\n"
    assert done.stdout == ""
    assert installation.list_processes() == {}


def test_demo_with_a_zoom_account_is_the_site_itself(served):
    installation, _, zoom = served

    said = installation.read("demo.out")
    shown = {path: requests.get(installation.url + path).status_code for path in ("/", "/mailbox")}
    examples = [requests.get(f"{installation.url}/e/{slug}") for slug in ("demo", "demo-en")]

    first, link = said.splitlines()
    assert first == f"Uketsuke on {installation.url}"
    assert f" {installation.url}/organizer/enter/" in link
    assert shown == {"/": 200, "/mailbox": 404}
    assert [answer.status_code for answer in examples] == [404, 404]
    assert list_ended(installation) == ["sandbox"]
    assert zoom.control.journal() == [], "nothing was made at Zoom"


def test_site_ends_with_a_supervisor_that_is_killed(served):
    installation, process, _ = served

    process.kill()
    process.wait()

    wait_until(lambda: installation.list_processes() == {})
    assert are_ports_free(installation)


def test_demo_on_a_public_address_is_refused_in_one_line(installation):
    installation.environ["UKETSUKE_BASE_URL"] = "https://events.example.com"
    done = installation.run("demo")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The demo shows every mail")
    assert (done.stderr.count("\n"), done.stdout) == (1, "")


def test_file_that_cannot_be_written_is_told_in_one_line(installation, tmp_path):
    assert installation.run("migrate").returncode == 0
    blocked = tmp_path / "nowhere" / "out.csv"
    done = installation.run("registrations", "export", "spring", "--output", str(blocked))

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1


def test_key_file_that_is_none_is_told_in_one_line(installation):
    folder = Path(installation.environ["UKETSUKE_INSTANCE"])
    folder.mkdir()
    (folder / "secret.key").write_text("short")
    done = installation.run("demo")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
