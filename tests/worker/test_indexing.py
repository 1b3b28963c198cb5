"""The worker takes into the index what nobody has looked at."""

from sqlalchemy import update

from services.events import LinkPolicy
from services.registrations import register
from storage import registration_index
from storage.models import IndexBits, Registration
from tests.factories import NOW, make_event, make_submission
from worker import indexing
from worker.indexing import index_anew, index_registrations


def test_worker_takes_in_who_registered_at_any_event(database):
    with database.write() as session:
        made = [make_event(session) for _ in range(2)]
        for event in made:
            submission = make_submission(event)
            register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        ids = [event.id for event in made]

    index_registrations(database)

    with database.read() as session:
        for event_id in ids:
            assert registration_index.list_totals(session, event_id)["status"] == {"approved": 1}
            assert not registration_index.is_behind(session, event_id)


def test_what_was_written_past_the_index_is_found_again(database, monkeypatch):
    """As an older version does it in a rolling upgrade: without a mark."""
    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    with database.write() as session:
        event = make_event(session)
        for number in range(5):
            submission = make_submission(event, email=f"p{number}@example.com")
            register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        event_id = event.id
    index_registrations(database)
    with database.write() as session:
        session.execute(update(Registration).values(status="denied"))
    index_registrations(database)
    assert read_statuses(database, event_id) == {"approved": 5}

    index_anew(database, event_id)

    assert read_statuses(database, event_id) == {"denied": 5}
    with database.write() as session:
        session.execute(update(IndexBits).values(bits=b""))
        assert find_denied(session, event_id) == 0

    index_anew(database, event_id, from_nothing=True)

    with database.read() as session:
        assert find_denied(session, event_id) == 5


def read_statuses(database, event_id):
    with database.read() as session:
        return registration_index.list_totals(session, event_id)["status"]


def find_denied(session, event_id):
    wanted = registration_index.Wanted({"status": frozenset({"denied"})})
    return registration_index.count_matches(session, event_id, wanted)
