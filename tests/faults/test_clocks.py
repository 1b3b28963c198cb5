"""F27: the clock jumps, or stands in another zone: nobody is lost, told twice or asked anew."""

import os
import subprocess
import sys

import pytest

from tests.faults.crowd import Crowd
from tests.faults.journals import settle
from tests.installation import ROOT
from tests.people import HANAKO, TARO

ZONES = ("America/New_York", "Pacific/Kiritimati")
"""Behind and far ahead of the zone of most events; machines that test mostly stand in UTC."""
JUMPS = {"two days on": {"days": 2}, "a day back": {"days": -1}, "nine hours on": {"hours": 9}}

ABOUT_TIME = (
    *("tests/services/test_dates.py", "tests/services/test_calendars.py"),
    *("tests/services/test_form_tokens.py", "tests/services/test_event_editing.py"),
    *("tests/services/test_event_documents.py", "tests/services/test_messages.py"),
    *("tests/services/test_receipts.py", "tests/services/test_registration_exports.py"),
    *("tests/zoom_client/test_rate_limits.py", "tests/zoom_client/test_refusals.py"),
    *("tests/zoom_client/test_token.py", "tests/zoom_sandbox/test_recurrence.py"),
)


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_f27_clock_that_jumps_costs_nobody_anything(site, jump):
    site.add_event(slug="spring")
    crowd, visitor = Crowd(site.url), site.visitor()
    crowd.register(TARO)
    form = visitor.open("/e/spring").form().fill(**HANAKO)
    site.clock.move(**jump)
    site.zoom.set_clock(site.clock())
    site.drain()

    taken = visitor.try_post(form.action, form.fields)
    if taken.status_code == 422:
        again = form.submit(status=422).form()
        assert again["email"] == HANAKO["email"], "the form comes back as it was filled in"
        again.submit()
    settle(site, crowd.answers)

    assert site.mailbox.list_subjects(TARO["email"]) == ["受付完了"]
    assert site.mailbox.list_subjects(HANAKO["email"]) == ["受付完了"]


@pytest.mark.parametrize("back", [False, True], ids=["and stays", "and is set right"])
def test_f27_clock_of_the_future_holds_nothing_up(site, back):
    site.add_event(slug="spring")
    site.stop_zoom()
    crowd = Crowd(site.url)
    site.clock.move(days=2)
    crowd.register(TARO)
    site.drain()
    if back:
        site.clock.move(days=-2)
    site.start_zoom()
    site.let_pass(minutes=40)
    site.drain()

    settle(site, crowd.answers)


def test_f27_event_that_is_over_by_a_wrong_clock_is_told_of_nothing(site):
    site.add_event(slug="spring")
    crowd = Crowd(site.url)
    crowd.register(TARO)
    site.clock.move(days=30)

    site.drain()

    assert site.mailbox.list_mails() == []


@pytest.mark.parametrize("zone", ZONES)
def test_f27_machine_may_stand_in_any_zone(zone):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ABOUT_TIME]
    done = subprocess.run(
        [*command, "-m", "not postgresql and not browser"],
        cwd=ROOT,
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout
