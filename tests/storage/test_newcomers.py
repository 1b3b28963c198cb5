"""Newcomers on PostgreSQL by one statement, which is the whole transaction."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import literal, null, select, text
from sqlalchemy.exc import DBAPIError

from services.events import EventState, LinkPolicy, read_definition
from services.mails import name_mailbox
from services.newcomers import register_alone
from services.registrations import Outcome, RegistrationNotOpen, hold, register, release
from services.submissions import Doubt
from storage import events, newcomers, registrations
from storage.arrivals import Expected
from storage.models import Registration, SubmissionRow
from storage.session import Database
from tests.factories import NOW, make_event, make_submission
from tests.fixtures.databases import only_postgresql
from tests.installation import wait_until
from tests.races import count_waiting

pytestmark = only_postgresql

TABLES = ("registration", "submission", "answer", "consent", "zoom_registrant", "mail", "job")
WRITERS = " UNION ".join(f"SELECT xmin::text FROM {table}" for table in (*TABLES, "event_counter"))


@pytest.fixture
def event(database):
    return add_event(database)


def add_event(database, **members):
    """Add an event whose form this process has read before."""
    with database.write() as session:
        event = make_event(session, **members)
        read_definition(session, event.form_version_id)
        return event


def expect(database, event, **full_by):
    """Take for granted that all is as it is now."""
    mailbox = name_mailbox("taro@example.com", now=NOW)
    return Expected(events.find_head(database, event.slug), mailbox, full_by)


def store(session, event, submission, expected):
    row = register_alone(session, expected.event, submission, lambda: expected, now=NOW)
    return row or register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)


def send(database, event, *, is_brief=True, expected=None, before_commit=lambda: None, **members):
    """Send a form as a visitor does; return the row, and whether its statement was all."""
    submission = make_submission(event, **members)
    expected = expected or expect(database, event)
    with database.write(is_brief=is_brief, before_commit=before_commit) as session:
        row = store(session, event, submission, expected)
    return row, session.is_committed


def hold_back(database, event):
    """Keep a form aside until its sender has pressed the button of a mail."""
    submission = make_submission(event, nonce="once")
    with database.write() as session:
        return hold(session, event, submission, Doubt.MAIL_PROOF, now=NOW)


def press(database, event, held):
    with database.write() as session:
        row = session.get(SubmissionRow, held.id)
        return release(session, event, row, policy=LinkPolicy.SHOW, now=NOW)


def count_people(database, event):
    """Count seats that are taken, and registrations."""
    with database.read() as session:
        people = session.scalars(select(Registration.id)).all()
        return events.get_counter(session, event.id, events.SEATS), len(people)


def test_everything_is_stored_by_one_transaction(database, event):
    with database.write() as session:
        session.execute(text("TRUNCATE event_counter"))
        session.execute(text("INSERT INTO event_counter SELECT id, 'seats', 0 FROM event"))
    found = []

    row, is_alone = send(
        database, event, before_commit=lambda: found.append(count_people(database, event))
    )

    assert (row.outcome, is_alone) == (Outcome.CREATED, True)
    assert found == [(0, 0)], "whoever is killed there has stored nothing"
    with database.read() as session:
        assert len(session.scalars(text(WRITERS)).all()) == 1
        for table in TABLES:
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) >= 1, table


def test_known_address_takes_no_seat(database, event):
    first, _ = send(database, event)

    row, is_alone = send(database, event)

    assert (row.outcome, row.registration_id) == (Outcome.REPEAT, first.registration_id)
    assert not is_alone
    assert count_people(database, event) == (1, 1)


@pytest.mark.parametrize("ask", [registrations.is_known, registrations.has_standing])
def test_known_addresses_are_looked_for_in_their_own_index(database, event, ask):
    """Of a table that was never analysed PostgreSQL thinks that any index will do."""
    asked = select(ask(literal(event.id), literal("taro@example.com")))
    query = asked.compile(database.engine, compile_kwargs={"literal_binds": True})

    with database.read() as session:
        plan = "\n".join(session.scalars(text(f"EXPLAIN {query}")))

    assert "uq_registration_event_id_email_key" in plan


def test_same_form_again_has_the_same_row(database, event):
    first, _ = send(database, event, nonce="once")

    again, _ = send(database, event, nonce="once")

    assert again.id == first.id
    assert count_people(database, event) == (1, 1)


def test_same_form_that_was_held_back_is_released(database, event):
    held = hold_back(database, event)

    row, is_alone = send(database, event, nonce="once")

    assert (row.id, row.public_id, row.outcome) == (held.id, held.public_id, Outcome.CREATED)
    assert not is_alone
    assert count_people(database, event) == (1, 1)


@pytest.mark.parametrize("is_ordered", [True, False])
def test_form_and_release_at_once_wait_in_no_circle(database, event, monkeypatch, is_ordered):
    """Both need the seats and the row; taken in another order, one would wait for the other."""
    held = hold_back(database, event)
    if not is_ordered:
        monkeypatch.setattr(events, "lock_seats", lambda *_: None)
    with ThreadPoolExecutor(2) as pool:
        with database.write() as session:
            session.execute(text("SELECT value FROM event_counter FOR UPDATE"))
            sent = pool.submit(send, database, event, is_brief=False, nonce="once")
            wait_until(lambda: count_waiting(database) == 1, seconds=10)
            pressed = pool.submit(press, database, event, held)
            wait_until(lambda: count_waiting(database) == 2, seconds=10)
        found = [one.exception(timeout=20) for one in (sent, pressed)]

    is_lost = [isinstance(error, DBAPIError) for error in found]
    assert any(is_lost) == (not is_ordered), found
    assert count_people(database, event) == (1, 1)


CHANGES = {
    "nothing": "SELECT 1",
    "version": "UPDATE event SET version = version + 1",
    "cancelled": "UPDATE event SET status = 'cancelled'",
    "told": "UPDATE event SET has_webhooks = true",
    "closed": "UPDATE event SET closed_by_zoom = 'EventGone'",
    "calm": "INSERT INTO rate_bucket VALUES ('network', 99.0)",
    "load": "INSERT INTO rate_bucket VALUES ('network', 100.5)",
    "mail": "UPDATE mail SET mailbox_key = 'taro@example.com'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_stored_at_once_where_it_is_not_as_expected(database, event, change):
    send(database, event, email="hanako@example.com", nonce="hers")
    expected = expect(database, event, network=100.0)
    with database.write() as session:
        session.execute(text(CHANGES[change]))

    submission = make_submission(event)
    with database.write(is_brief=True) as session:
        row = register_alone(session, expected.event, submission, lambda: expected, now=NOW)

    is_stored = change in ("nothing", "calm")
    assert (row is not None, session.is_committed) == (is_stored, is_stored)
    assert count_people(database, event) == (1 + is_stored, 1 + is_stored)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("of_event", "of_submission"),
    [
        ({}, {"is_suspicious": True}),
        ({"dates": [{}], "date_choice": "choose"}, {}),
        ({"opens_at": NOW + HOUR}, {}),
        ({"closes_at": NOW - HOUR}, {}),
        ({"starts_at": NOW - 9 * HOUR}, {}),
        ({"capacity": 0, "has_waitlist": True}, {}),
        ({"link_policy": "code"}, {}),
    ],
)
def test_where_there_is_more_to_decide_nothing_is_stored_at_once(
    database, event, of_event, of_submission
):
    expected = expect(database, event)
    head = expected.event._replace(**of_event)

    with database.write(is_brief=True) as session:
        submission = make_submission(event, **of_submission)
        row = register_alone(session, head, submission, lambda: expected, now=NOW)

    assert (row, session.is_committed, count_people(database, event)) == (None, False, (0, 0))


def test_what_cannot_be_asked_about_keeps_nobody_out_and_is_logged(database, event, caplog):
    expected = expect(database, event, network=100.0)
    with database.write() as session:
        session.execute(text("DROP TABLE rate_bucket"))

    row, is_alone = send(database, event, expected=expected)

    assert (row.outcome, is_alone) == (Outcome.CREATED, False)
    assert caplog.messages == ["somebody new is registered in several steps"]
    assert count_people(database, event) == (1, 1)


def test_what_cannot_be_asked_about_in_time_keeps_nobody_out(database, event):
    expected = expect(database, event, network=100.0)
    url = database.url.update_query_dict({"options": "-c lock_timeout=100"})
    impatient = Database(url.render_as_string(hide_password=False), cipher=None)
    with database.write() as session:
        session.execute(text("LOCK TABLE rate_bucket IN ACCESS EXCLUSIVE MODE"))
        row, is_alone = send(impatient, event, expected=expected)
    impatient.dispose()

    assert (row.outcome, is_alone) == (Outcome.CREATED, False)


def test_last_seat_is_taken_once(database):
    event = add_event(database, capacity=1)
    send(database, event)

    with pytest.raises(RegistrationNotOpen) as refused:
        send(database, event, email="hanako@example.com")

    assert refused.value.state is EventState.FULL
    assert count_people(database, event) == (1, 1)


@pytest.mark.parametrize(("is_guarded", "seats"), [(True, 1), (False, 2)])
def test_two_at_once_of_one_address_take_one_seat(database, event, monkeypatch, is_guarded, seats):
    """Both find the address unknown and wait for the seats; unguarded, the second keeps one."""
    if not is_guarded:
        monkeypatch.setattr(newcomers, "_take_all_back", lambda *_, **__: null())
        monkeypatch.setattr(newcomers, "_attach", lambda *_: SubmissionRow())
    newcomers._write.cache_clear()
    with ThreadPoolExecutor(2) as pool:
        with database.write() as session:
            events.lock_seats(session, event.id)
            sent = [pool.submit(send, database, event) for _ in range(2)]
            wait_until(lambda: count_waiting(database) == 2, seconds=10)
        rows = [one.result(timeout=20)[0] for one in sent]
    newcomers._write.cache_clear()

    assert count_people(database, event) == (seats, 1)
    if is_guarded:
        assert sorted(row.outcome for row in rows) == [Outcome.CREATED, Outcome.REPEAT]


def test_nothing_can_be_added_to_what_is_committed(database, event):
    submission, expected = make_submission(event), expect(database, event)
    with pytest.raises(RuntimeError), database.write(is_brief=True) as session:
        store(session, event, submission, expected)
        events.add_counters(session, event.id, {"other": 1})

    assert count_people(database, event) == (1, 1)
    with database.read() as session:
        assert "other" not in events.list_counters(session, event.id)


def test_what_began_before_is_one_transaction_with_it(database, event):
    submission, expected = make_submission(event), expect(database, event)
    with pytest.raises(KeyError), database.write(is_brief=True) as session:
        events.add_counters(session, event.id, {"other": 1})
        store(session, event, submission, expected)
        raise KeyError

    assert count_people(database, event) == (0, 0)
