"""The audit log: whatever is changed in it afterwards shows."""

import threading

import pytest
from sqlalchemy import delete, update

from services.audit import Action, check_chain, record_as
from storage import audit
from storage.models import AuditEntry, AuditHead
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
        return check_chain(session, CHAIN)[1]


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
        (delete(AuditHead), 6),
        (update(AuditHead).values(number=9), 6),
    ],
    ids=["actor", "facts", "one missing", "the end missing", "no head", "another head"],
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
