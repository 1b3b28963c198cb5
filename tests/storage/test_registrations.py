"""Finding registrations."""

from sqlalchemy import text

from services.events import LinkPolicy
from services.registrations import register
from storage import registrations
from tests.factories import NOW, make_event, make_submission
from tests.fixtures.databases import only_postgresql


def test_address_is_found_at_its_event_and_no_neighbour_is(database):
    with database.write() as session:
        spring, autumn = make_event(session), make_event(session)
        for event, name in ((spring, "b"), (spring, "d"), (autumn, "b"), (autumn, "c")):
            sent = make_submission(event, email=f"{name}@example.com")
            register(session, event, sent, policy=LinkPolicy.SHOW, now=NOW)

    with database.read() as session:
        found = {
            (event, name): registrations.get_registration_by_email_key(
                session, event.id, f"{name}@example.com"
            )
            for event in (spring, autumn)
            for name in "abcde"
        }

    told = {key: (one.event_id, one.email) for key, one in found.items() if one is not None}
    assert told == {
        (event, name): (event.id, f"{name}@example.com")
        for event, name in ((spring, "b"), (spring, "d"), (autumn, "b"), (autumn, "c"))
    }


@only_postgresql
def test_known_address_is_looked_up_in_its_own_index(database):
    """Of a table that was never analysed PostgreSQL thinks that any index will do."""
    asked = registrations._BY_EMAIL_KEY.params(event_id=1, email_key="taro@example.com")
    query = asked.compile(database.engine, compile_kwargs={"literal_binds": True})

    with database.read() as session:
        plan = "\n".join(session.scalars(text(f"EXPLAIN {query}")))

    assert "uq_registration_event_id_email_key" in plan
