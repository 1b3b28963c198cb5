"""What is read of a form before it is stored."""

from datetime import timedelta

import pytest

from services.events import LinkPolicy
from services.registrations import register
from storage import limits
from storage.arrivals import Mailbox, look
from tests.factories import NOW, make_event, make_submission

MOMENT = NOW.timestamp()
MAILBOX = Mailbox("taro@example.com", NOW - timedelta(days=1), ("confirmation",))
BUCKETS = ("network", "address", "event")


def test_event_and_what_was_counted_are_read(database):
    with database.write() as session:
        make_event(session, slug="spring")
        limits.spend(session, limits.Bucket("address", interval=5.0, burst=9), now=MOMENT)

    with database.write(is_brief=True) as session:
        found = look(session, "spring", BUCKETS, MAILBOX)

    assert found.full_at == (0.0, MOMENT + 5.0, 0.0)
    assert (found.event.slug, found.event.seats_taken, found.mailed) == ("spring", 0, 0)


def test_event_that_is_gone_is_none(database):
    with database.write(is_brief=True) as session:
        assert look(session, "nowhere", BUCKETS, MAILBOX) is None


@pytest.mark.parametrize(("hours", "count"), [(1, 1), (-1, 0)])
def test_mails_of_the_mailbox_are_counted_with_it(database, hours, count):
    with database.write() as session:
        event = make_event(session, slug="spring")
        policy = LinkPolicy.SHOW
        register(session, event, make_submission(event), policy=policy, now=NOW)

    with database.write(is_brief=True) as session:
        mailbox = MAILBOX._replace(since=NOW - timedelta(hours=hours))
        assert look(session, "spring", BUCKETS, mailbox).mailed == count
