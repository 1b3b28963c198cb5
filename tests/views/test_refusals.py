"""Whoever is refused has counted nothing: not against their network, and not for the address."""

import pytest

from services import limits, mail_proofs, submission_limits
from storage.models import Event
from tests.journeys.test_bots import BY_MAIL, send
from tests.people import HANAKO, TARO
from tests.work import do_work


@pytest.fixture
def site(start_site):
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    return site


def set_capacity(site, capacity):
    with site.database.write() as session:
        event = session.query(Event).filter_by(slug="spring").one()
        event.capacity = capacity
        event.version += 1


def fill(site, person=TARO, *, slug="spring", **others):
    return site.visitor().open(f"/e/{slug}").form().fill(**person | others)


def test_stranger_at_a_full_event_keeps_no_address_out(site, monkeypatch):
    monkeypatch.setattr(submission_limits, "ADDRESS_BURST", 2)
    stranger, owner = fill(site), fill(site)
    set_capacity(site, 0)
    for _ in range(2):
        stranger.submit(status=409)

    set_capacity(site, 5)

    assert owner.submit().heading == "お申し込みが完了しました"
    assert site.count_rows("submission") == 1


def test_stranger_whose_mail_is_refused_keeps_no_address_out(site, monkeypatch):
    monkeypatch.setattr(submission_limits, "CALM_NETWORK", 0.5)
    monkeypatch.setattr(submission_limits, "ADDRESS_BURST", 3)
    monkeypatch.setattr(mail_proofs, "NETWORK_BURST", 1)
    send(site, HANAKO).form().press(BY_MAIL).submit()
    stranger, owner = send(site).form(), send(site)
    for _ in range(3):
        stranger.press(BY_MAIL).submit(status=429)

    assert do_work(owner).submit().heading == "お申し込みが完了しました"


def test_office_at_a_full_event_may_register_for_another(site, monkeypatch):
    monkeypatch.setattr(limits, "BURST", 3)
    monkeypatch.setattr(limits, "INTERVAL_SECONDS", 3600.0)
    site.add_event(slug="other")
    forms = [fill(site, email=f"p{number}@example.com") for number in range(3)]
    set_capacity(site, 0)
    for form in forms:
        form.submit(status=409)

    assert fill(site, HANAKO, slug="other").submit().heading == "お申し込みが完了しました"
