"""The link on the receipt opens Zoom at once, not after the next round of some loop."""

import statistics
import time

from tests.people import TARO

PEOPLE = 5
MOST_SECONDS = 0.5


def test_link_works_within_half_a_second_of_the_receipt(site):
    site.add_event(slug="spring")
    visitor = site.visitor()
    site.start_worker_process()
    site.wait_until(lambda: visitor.look("GET", "/readyz").status_code == 200)

    waits = [wait_for_link(site, f"number{number}@example.com") for number in range(PEOPLE)]

    assert statistics.median(waits) <= MOST_SECONDS, waits


def wait_for_link(site, email):
    """Register, and return the seconds from the answer until the join page has its button."""
    visitor = site.visitor()
    form = visitor.open("/e/spring").form().fill(**TARO | {"email": email})
    answer = visitor.try_post(form.action, form.fields)
    answered_at = time.monotonic()
    assert answer.status_code == 303
    join = visitor.open(answer.headers["Location"]).link("Zoomで参加する")
    site.wait_until(lambda: 'data-state="early"' in visitor.fetch(join).text)
    return time.monotonic() - answered_at
