"""The first look at a receipt needs no database; every other one does."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from services.events import LinkPolicy
from storage.models import Registration
from tests.fixtures.databases import only_sqlite
from tests.people import TARO
from views import first_looks
from views.first_looks import FirstLooks

CONFIRMED, CANCELLED = "お申し込みが完了しました", "このお申し込みはキャンセルされました"


@pytest.fixture
def without_hurry(monkeypatch):
    """Keep a slow machine from letting a first look become old."""
    monkeypatch.setattr(first_looks, "SECONDS", 600.0)


def register(site):
    """Register without looking at the receipt, and return its address."""
    form = site.visitor().open("/e/spring").form().fill(**TARO)
    return form.page.visitor.try_post(form.action, form.fields).headers["Location"]


def test_each_is_taken_once():
    looks, receipt = FirstLooks(), object()
    looks.keep("a", receipt)

    assert looks.take("b") is None
    assert looks.take("a") is receipt
    assert looks.take("a") is None


def test_nobody_is_kept_for_long(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(first_looks, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    looks = FirstLooks()
    looks.keep("a", object())
    clock[0] += first_looks.SECONDS

    assert looks.take("a") is None
    looks.keep("b", object())
    clock[0] += first_looks.SECONDS
    looks.keep("c", object())
    assert list(looks._receipts) == ["c"]
    clock[0] += first_looks.SECONDS
    looks.take("d")
    assert not looks._receipts


@pytest.mark.usefixtures("without_hurry")
def test_no_more_are_kept_than_a_few(monkeypatch):
    monkeypatch.setattr(first_looks, "MOST", 2)
    looks = FirstLooks()
    for name in "abc":
        looks.keep(name, object())

    assert list(looks._receipts) == ["b", "c"]


@only_sqlite
@pytest.mark.usefixtures("without_hurry")
def test_first_look_shows_what_was_stored_and_the_next_what_is_so(site):
    site.add_event(slug="spring")
    address = register(site)
    with site.database.write() as session:
        session.scalars(select(Registration)).one().status = "cancelled"

    visitor = site.visitor()
    assert visitor.open(address).heading == CONFIRMED
    assert visitor.open(address).heading == CANCELLED


@only_sqlite
@pytest.mark.usefixtures("without_hurry")
def test_who_guesses_a_token_takes_nobodys_first_look(site):
    site.add_event(slug="spring")
    register(site)
    [token] = site.parts.first_looks._receipts

    site.visitor().open(f"/s/{token[:-1]}_", status=404)
    assert list(site.parts.first_looks._receipts) == [token]


@only_sqlite
@pytest.mark.parametrize("policy", [LinkPolicy.CODE, LinkPolicy.MAIL])
def test_nothing_is_kept_where_nobody_may_learn_who_is_new(site, policy):
    site.add_event(slug="spring", link_policy=policy)
    register(site)

    assert not site.parts.first_looks._receipts


@only_sqlite
def test_who_is_known_already_is_looked_up(site):
    site.add_event(slug="spring")
    site.visitor().open(register(site))
    register(site)

    assert not site.parts.first_looks._receipts


@only_sqlite
def test_what_is_done_from_a_receipt_is_stored(site):
    site.add_event(slug="spring")
    page = site.visitor().open(register(site))
    site.drain()
    page.form("確認メールを再送する").submit()
    site.drain()

    assert len(site.mailbox.list_mails(TARO["email"])) == 2
