"""Run the sandbox on loopback: `python -m zoom_sandbox --port 8001 --state sandbox.sqlite`."""

import argparse
import signal
from dataclasses import replace
from pathlib import Path

from zoom_sandbox.server import SandboxServer
from zoom_sandbox.settings import SandboxSettings


def main() -> None:
    parser = argparse.ArgumentParser(prog="zoom_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="file that keeps what the sandbox knows")
    options = parser.parse_args()
    settings = SandboxSettings.from_env()
    if options.state:
        settings = replace(settings, state_path=options.state)
    signals = {signal.SIGINT, signal.SIGTERM}
    # Blocked before any thread starts, so that the signal waits for `sigwait`.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with SandboxServer(settings, port=options.port) as server:
        print(f"Zoom sandbox on {server.url}", flush=True)  # noqa: T201 - it is a command
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
