"""The worker takes into the index what nobody has looked at."""

from services.events import LinkPolicy
from services.registrations import register
from storage import registration_index
from tests.factories import NOW, make_event, make_submission
from worker.indexing import index_registrations


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
