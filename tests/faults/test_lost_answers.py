"""F05: Zoom takes somebody, and its answer never comes: nobody is added twice for that."""

from functools import partial

import pytest

import app
from tests.faults.crowd import Crowd
from tests.faults.journals import settle
from tests.people import HANAKO, TARO
from zoom_client import ZoomClient

LOST = {
    "closed": {"does": "close", "when": "after"},
    "cut": {"does": "cut"},
    "another": {"does": "html", "status": 502, "when": "after"},
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_f05_answer_of_zoom_is_lost(site, fault):
    site.add_event(slug="spring")
    site.zoom.fault("add_registrant", email=TARO["email"], **fault)
    crowd = Crowd(site.url)
    for person in (TARO, HANAKO):
        crowd.register(person)
    site.drain()

    settle(site, crowd.answers)

    adds = site.zoom.journal(action="add_registrant", email=TARO["email"])
    assert [entry["effect"] for entry in adds] == ["add"]


def test_f05_answer_of_zoom_comes_too_late(start_site, monkeypatch):
    monkeypatch.setattr(app, "ZoomClient", partial(ZoomClient, deadline_seconds=0.5))
    site = start_site()
    site.add_event(slug="spring")
    site.zoom.fault("add_registrant", delay_after=1.0)
    crowd = Crowd(site.url)
    crowd.register(TARO)
    site.drain()

    settle(site, crowd.answers)

    assert len(site.zoom.journal(action="add_registrant")) == 1


def test_f05_no_third_add_of_a_day_without_a_look(site):
    site.add_event(slug="spring")
    site.zoom.fault("add_registrant", does="close", when="before", count=2)
    crowd = Crowd(site.url)
    crowd.register(TARO)
    site.drain()
    for _ in range(6):
        site.let_pass(seconds=70)
        site.drain()

    settle(site, crowd.answers)

    calls = [
        entry["action"]
        for entry in site.zoom.journal()
        if entry["action"] in ("add_registrant", "list_registrants")
    ]
    adds = [number for number, action in enumerate(calls) if action == "add_registrant"]
    assert len(adds) == 3
    # Between two adds lie two looks, and each look is three lists.
    assert [later - earlier for earlier, later in zip(adds, adds[1:], strict=False)] == [7, 7]
