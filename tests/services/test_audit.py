"""The audit log: whatever is changed in it afterwards shows."""

import threading

import pytest
from sqlalchemy import delete, update

from services.audit import Action, find_break, record_as
from storage import audit
from storage.audit import AuditFilter
from storage.models import AuditEntry
from tests import factories

CHAIN = 7


def write(database, count=5):
    for number in range(count):
        with database.write() as session:
            record_as(
                session,
                "somebody",
                Action.PERSON_SEEN,
                f"registration:{number}",
                chain=CHAIN,
                facts={"count": number},
                now=factories.NOW,
            )


def find(database):
    with database.read() as session:
        entries = list(audit.stream_entries(session, CHAIN, AuditFilter()))
        return find_break(entries, audit.get_head(session, CHAIN))


def test_untouched_chain_holds(database):
    write(database)

    assert find(database) is None


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (update(AuditEntry).where(AuditEntry.number == 3).values(actor="another"), 3),
        (update(AuditEntry).where(AuditEntry.number == 3).values(facts={"count": 9}), 3),
        (delete(AuditEntry).where(AuditEntry.number == 2), 2),
        (delete(AuditEntry).where(AuditEntry.number == 5), 5),
    ],
    ids=["actor", "facts", "one missing", "the end missing"],
)
def test_what_is_changed_later_breaks_the_chain(database, change, number):
    write(database)
    with database.write() as session:
        session.execute(change)

    assert find(database).number == number


def test_entries_written_at_once_make_one_chain(database):
    threads = [threading.Thread(target=write, args=(database, 5)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert find(database) is None
    with database.read() as session:
        assert audit.get_head(session, CHAIN)[0] == 20


def test_entry_goes_with_the_act_that_failed(database):
    with pytest.raises(RuntimeError), database.write() as session:
        record_as(session, "somebody", Action.PERSON_SEEN, chain=CHAIN, now=factories.NOW)
        raise RuntimeError

    with database.read() as session:
        assert audit.get_head(session, CHAIN) is None
