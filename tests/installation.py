"""An installation of its own: commands of `flask` in processes, with their logs in files."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import requests

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
START_SECONDS = 180.0
"""So long may processes take to start: that is mostly work, and others want the processor too."""
PORTS = range(20_000, 32_000)
_given: set[int] = set()


class Installation:
    """A folder, two free ports, and what runs there.

    `environ` holds settings by their whole names; `app` is the file with the application.
    """

    def __init__(self, folder: Path, *, app: Path = ROOT / "app.py", **environ: str) -> None:
        self.folder = folder
        self._app = app
        self.port, self.sandbox_port = find_free_port(), find_free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.sandbox_url = f"http://{HOST}:{self.sandbox_port}"
        own = {
            "UKETSUKE_INSTANCE": str(folder / "instance"),
            "UKETSUKE_PORT": str(self.port),
            "UKETSUKE_SANDBOX_PORT": str(self.sandbox_port),
            "UKETSUKE_WEB_PROCESSES": "1",
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("UKETSUKE_")}
        self.environ = inherited | own | environ
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, *, name: str | None = None) -> subprocess.Popen[bytes]:
        """Start a command; what it says is in the files `<name>.out` and `<name>.err`."""
        name = name or command
        with (
            (self.folder / f"{name}.out").open("ab") as out,
            (self.folder / f"{name}.err").open("ab") as err,
        ):
            process = subprocess.Popen(
                make_command(command, app=self._app),
                cwd=ROOT,
                env=self.environ,
                stdout=out,
                stderr=err,
            )
        self._started.append(process)
        return process

    def run(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            make_command(*arguments, app=self._app),
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def answers(self, address: str, status: int = 200) -> bool:
        """Tell whether an address answers with a status now."""
        with suppress(requests.ConnectionError):
            return requests.get(address, timeout=10).status_code == status
        return False

    def list_processes(self) -> dict[int, str]:
        """List the processes of this installation, whoever their parent is, by their number."""
        mark = f"UKETSUKE_INSTANCE={self.environ['UKETSUKE_INSTANCE']}\0".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            # A process that ended, and nobody has asked about it, has no environment any more.
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes():
                    words = (folder / "cmdline").read_bytes().decode().split("\0")
                    found[int(folder.name)] = " ".join(words).strip()
        return found

    def find_processes(self, word: str) -> set[int]:
        """Find the processes whose command line has a word, such as `web`."""
        return {number for number, line in self.list_processes().items() if word in line.split()}

    def kill(self) -> None:
        """End whatever is left, for good."""
        while left := self.list_processes():
            for number in left:
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(0.05)
        for process in self._started:
            process.wait()


def make_command(*arguments: str, app: Path) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", str(app), *arguments]


def find_free_port() -> int:
    """Find a port below those that the kernel gives away, so that it stays free.

    Each of the processes that run tests has ports of its own, and gives none twice: whoever got
    one may take it much later.
    """
    ports = _list_ports(os.environ)
    while True:
        port = random.choice(ports)
        with suppress(OSError), socket.create_server((HOST, port)):
            if port not in _given:
                _given.add(port)
                return port


def _list_ports(environ: Mapping[str, str]) -> range:
    number = int(environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = len(PORTS) // int(environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return PORTS[number * size : (number + 1) * size]


def answers(url: str, *, seconds: float = 0.5) -> bool:
    """Tell whether an address answers with its page in so many seconds."""
    with suppress(requests.RequestException):
        return requests.get(url, timeout=seconds).status_code == 200
    return False


def wait_until(is_so: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for what processes do."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
