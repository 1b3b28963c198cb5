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


@pytest.mark.parametrize(
    ("command", "code"), [("stop", 0), ("restart", 1), ("status", 0)], ids=lambda value: str(value)
)
def test_numbers_of_before_a_reboot_are_those_of_others(tmp_path, sleeper, command, code):
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "names").write_text("web-8001\nworker-1\n")
    (folder / "web-8001.pid").write_text(f"{sleeper.pid}\n")
    environ = os.environ | {"UKETSUKE_INSTANCE": str(tmp_path)}

    done = subprocess.run([SCRIPT, command], env=environ, capture_output=True, text=True)

    assert (done.stdout, done.returncode) == ("Nothing runs.\n", code)
    assert sleeper.poll() is None
