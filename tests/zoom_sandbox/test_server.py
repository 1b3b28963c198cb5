import signal
import subprocess
import sys

import pytest
import requests

from tests.zoom_sandbox.api import PERSON
from zoom_sandbox import SandboxSettings


def test_outage_keeps_port_and_state(sandbox, api):
    meeting, url = api.create(), sandbox.url
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        api.add(meeting)
    sandbox.start()
    assert sandbox.url == url
    assert api.add(meeting).status_code == 201


def test_base_url_is_used_in_links(start_sandbox, connect):
    api = connect(start_sandbox(base_url="https://zoom.example.com/"))
    added = api.add(api.create(), auto_approve=True).json()
    assert added["join_url"].startswith("https://zoom.example.com/w/")


def test_latency_delays_every_call(start_sandbox, connect):
    api = connect(start_sandbox(latency_seconds=0.2))
    elapsed = api.call("GET", "/users/host@example.com").elapsed.total_seconds()
    assert elapsed >= 0.2


def test_settings_come_from_the_environment():
    environ = {
        "ZOOM_SANDBOX_PLAN": "business",
        "ZOOM_SANDBOX_ENFORCE_RATE_LIMITS": "off",
        "ZOOM_SANDBOX_LATENCY_SECONDS": "0.5",
        "ZOOM_SANDBOX_STATE_PATH": "/tmp/state",
    }
    settings = SandboxSettings.from_env(environ)
    assert (settings.plan, settings.enforce_rate_limits) == ("business", False)
    assert (settings.latency_seconds, str(settings.state_path)) == (0.5, "/tmp/state")


@pytest.mark.parametrize(
    "environ", [{"ZOOM_SANDBOX_PLAN": "gold"}, {"ZOOM_SANDBOX_ENFORCE_RATE_LIMITS": "maybe"}]
)
def test_wrong_settings_are_named(environ):
    with pytest.raises(ValueError, match="gold|maybe"):
        SandboxSettings.from_env(environ)


def test_command_serves_until_told_to_stop(tmp_path):
    command = [sys.executable, "-m", "zoom_sandbox", "--port", "0", "--state", tmp_path / "s"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        line = process.stdout.readline()
        url = line.split()[-1]
        assert requests.get(f"{url}/control/state", timeout=30).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_many_callers_at_once_lose_nothing(start_sandbox, connect):
    from concurrent.futures import ThreadPoolExecutor

    sandbox = start_sandbox(enforce_rate_limits=False)
    api = connect(sandbox)
    meeting = api.create()

    def add(number: int) -> int:
        person = {**PERSON, "email": f"p{number % 20}@example.com"}
        return requests.post(
            f"{api.url}/v2{api.path(meeting)}/registrants",
            json=person,
            headers={"Authorization": f"Bearer {api.token}"},
            timeout=10,
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(add, range(40)))
    effects = [entry["effect"] for entry in sandbox.control.journal(action="add_registrant")]
    assert statuses == [201] * 40
    assert (effects.count("add"), effects.count("repeat")) == (20, 20)
