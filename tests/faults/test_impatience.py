"""F31: a double click, a reload, a second tab, a line that breaks: one registration, one page."""

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import pytest

from services import limits, submission_limits
from tests.faults.crowd import Crowd
from tests.faults.journals import settle
from tests.people import TARO


def test_f31_double_click_reload_and_second_tab_are_one_person(site):
    site.add_event(slug="spring")
    crowd = Crowd(site.url)
    first, second = crowd.fill_in(TARO), crowd.fill_in(TARO)

    with ThreadPoolExecutor(6) as clicks:
        answers = list(clicks.map(crowd.send, [first] * 3 + [second] * 3))
    later = crowd.send(first)
    site.drain()
    crowd.look_again()

    receipts = {answer.receipt for answer in answers}
    assert len(receipts) == 2 and None not in receipts, "one page for each tab"
    assert later.receipt == answers[0].receipt
    assert site.count_rows("registration") == 1
    settle(site, crowd.answers)


def test_f31_line_that_breaks_after_sending_loses_nothing(site):
    site.add_event(slug="spring")
    crowd = Crowd(site.url)
    form = crowd.fill_in(TARO)
    address, body = urlsplit(form.action), urlencode(form.fields)
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(
            f"POST {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    site.wait_until(lambda: site.count_rows("submission"))

    assert crowd.send(form).receipt is not None
    assert site.count_rows("submission") == 1
    settle(site, crowd.answers)


@pytest.mark.parametrize(
    ("module", "limit"),
    [(submission_limits, "CALM_NETWORK"), (submission_limits, "ADDRESS_BURST"), (limits, "BURST")],
)
def test_f31_who_sends_again_is_asked_for_nothing_though_a_flood_began(
    start_site, monkeypatch, module, limit
):
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    lost = site.visitor().try_post(form.action, form.fields)
    monkeypatch.setattr(module, limit, 0.5)

    receipt = form.submit()

    assert receipt.url == lost.headers["Location"]
    assert receipt.heading == "お申し込みが完了しました"
    assert site.count_rows("submission") == 1
