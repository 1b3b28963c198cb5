"""What `deploy/cluster.sh` does where nothing of it runs."""

import os
import shutil
import subprocess

import pytest

from tests.installation import ROOT

SCRIPT = ROOT / "deploy" / "cluster.sh"

pytestmark = pytest.mark.skipif(
    not shutil.which("flock"), reason="flock is missing: apt-get install util-linux"
)


@pytest.fixture
def sleeper():
    """A process of somebody else's."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def write_numbers(instance, process):
    folder = instance / "cluster"
    folder.mkdir()
    (folder / "names").write_text("web-8001\nworker-1\n")
    (folder / "web-8001.pid").write_text(f"{process.pid}\n")
    return folder


def do(instance, command):
    environ = os.environ | {
        "UKETSUKE_INSTANCE": str(instance),
        "UKETSUKE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    return subprocess.run([SCRIPT, command], env=environ, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("command", "code"), [("stop", 0), ("restart", 1), ("status", 0)], ids=lambda value: str(value)
)
def test_numbers_of_before_a_reboot_are_those_of_others(tmp_path, sleeper, command, code):
    folder = write_numbers(tmp_path, sleeper)
    (folder / "lock").touch()

    done = do(tmp_path, command)

    assert (done.stdout, done.returncode) == ("Nothing runs.\n", code)
    assert sleeper.poll() is None


@pytest.mark.parametrize("command", ["start", "stop", "restart", "status"])
def test_what_a_version_without_the_lock_has_started_is_left_to_it(tmp_path, sleeper, command):
    folder = write_numbers(tmp_path, sleeper)

    done = do(tmp_path, command)

    assert (done.stdout, done.returncode) == ("", 1)
    assert "An earlier version" in done.stderr
    assert sleeper.poll() is None and (folder / "web-8001.pid").exists()
