"""What is counted and read of a form before it is stored."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.events import LinkPolicy
from services.registrations import register
from storage import limits
from storage.arrivals import Mailbox, receive
from storage.limits import Bucket
from tests.factories import NOW, make_event, make_submission
from tests.fixtures.databases import only_postgresql

MOMENT = NOW.timestamp()
NETWORK, ADDRESS = Bucket("network", 2.0, 2), Bucket("address", 3.0, 1)
MAILBOX = Mailbox("taro@example.com", NOW - timedelta(days=1), ("confirmation",))


def arrive(session, slug="spring", *, mailbox=MAILBOX):
    return receive(session, slug, NETWORK, ADDRESS, watched="event", mailbox=mailbox, now=MOMENT)


def read_full_at(database, name):
    with database.read() as session:
        return limits.get_full_at(session, name)


def test_both_are_counted_and_the_event_is_read(database):
    with database.write() as session:
        make_event(session, slug="spring")
        limits.spend(session, "event", interval=5.0, burst=9, now=MOMENT)

    with database.write(is_brief=True) as session:
        first, second = arrive(session), arrive(session)

    assert first.full_at == {"network": MOMENT + 2.0, "address": MOMENT + 3.0}
    assert first.watched_full_at == MOMENT + 5.0
    assert (first.event.slug, first.event.seats_taken) == ("spring", 0)
    assert second.full_at == {"network": MOMENT + 4.0}


def test_event_that_is_gone_is_none(database):
    with database.write(is_brief=True) as session:
        assert arrive(session, "nowhere").event is None


@only_postgresql
@pytest.mark.parametrize(("hours", "count"), [(1, 1), (-1, 0)])
def test_mails_of_the_mailbox_are_counted_with_it(database, hours, count):
    with database.write() as session:
        event = make_event(session, slug="spring")
        policy = LinkPolicy.SHOW
        register(session, event, make_submission(event), policy=policy, now=NOW)

    with database.write(is_brief=True) as session:
        mailbox = MAILBOX._replace(since=NOW - timedelta(hours=hours))
        assert arrive(session, mailbox=mailbox).mailed == count


@only_postgresql
def test_who_is_refused_for_their_network_uses_up_nobody_s_address(database):
    """What is counted is stored at once there: others see it before anybody is refused."""
    with database.write() as session:
        make_event(session, slug="spring")
        for _ in range(2):
            limits.spend_from(session, NETWORK, now=MOMENT)

    with database.write(is_brief=True) as session:
        refused = arrive(session)

    assert refused.full_at == {}
    assert read_full_at(database, "address") == 0.0


def test_what_is_refused_has_counted_nothing(database):
    with database.write() as session:
        make_event(session, slug="spring")

    with pytest.raises(KeyError), database.write(is_brief=True) as session:
        arrive(session)
        limits.spend(session, "other", interval=2.0, burst=2, now=MOMENT)
        raise KeyError

    for name in ("network", "address", "other"):
        assert read_full_at(database, name) in (0.0, MOMENT), f"{name} is as full as before"


@only_postgresql
def test_only_what_is_counted_early_may_be_forgotten_by_a_crash(database):
    """Whoever registers by the same connection waits for the disk."""
    setting = text("SHOW synchronous_commit")
    with database.write() as session:
        make_event(session, slug="spring")
        arrive(session)
        within = session.scalar(setting)

    with database.write(is_brief=True) as session:
        arrive(session)
        after = session.scalar(setting)

    assert (within, after) == ("on", "on")
