"""One person who registers while the worker is idle waits for Zoom, and for nothing else."""

import threading
import time

from worker import loop


def wait_for_link(desk, email):
    """Register somebody and wait for their link; return how many calls to Zoom it took."""
    before = len(desk.zoom.journal())
    desk.register(email)
    deadline = time.monotonic() + 30
    while desk.read(email).join_url is None:
        assert time.monotonic() < deadline, "no link came"
        time.sleep(0.05)
    return len(desk.zoom.journal()) - before


def test_link_comes_as_soon_as_zoom_has_answered_twice(desk, monkeypatch):
    # Whoever waits for the next round of some loop waits for longer than this test does.
    monkeypatch.setattr(loop, "IDLE_SECONDS", 600)
    worker = desk.make_worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        wait_for_link(desk, "first@example.com")  # with the token
        calls = [wait_for_link(desk, f"person{number}@example.com") for number in range(3)]
    finally:
        worker.stop()
        thread.join()

    assert calls == [2] * 3
