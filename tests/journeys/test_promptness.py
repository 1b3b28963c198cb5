"""The link on the receipt opens Zoom at once, not after the next round of some loop."""

from tests.people import TARO
from worker import loop


def test_link_works_as_soon_as_zoom_has_answered(site, monkeypatch):
    monkeypatch.setattr(loop, "IDLE_SECONDS", 600)
    site.add_event(slug="spring")
    site.start_worker()

    for number in range(3):
        register_and_wait(site, f"number{number}@example.com")


def register_and_wait(site, email):
    """Register, and wait for the button of the join page: half a minute, or it fails.

    A worker that was not woken would look after ten.
    """
    visitor = site.visitor()
    receipt = visitor.open("/e/spring").form().fill(**TARO | {"email": email}).submit()
    join = receipt.link("Zoomで参加する")
    site.wait_until(lambda: 'data-state="early"' in visitor.fetch(join).text)
