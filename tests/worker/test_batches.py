"""Many who wait are added together; what goes wrong with a batch doubles and loses nobody."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import event

from services import batches as rules
from services.deliveries import Delivery
from storage import jobs
from storage.models import ZoomRegistrant
from storage.statements import table_of
from tests import factories
from tests.fixtures.databases import only_sqlite
from tests.races import race

MANY = [f"person{number:02}@example.com" for number in range(40)]
FEW = MANY[: rules.MANY - 1]
SETTLED_AFTER = 65


def register_all(desk, people=MANY):
    for email in people:
        desk.register(email)


def read_deliveries(desk, people=MANY):
    return Counter(desk.read(email).delivery for email in people)


def count_batches(desk):
    """Count calls: the journal has an entry for each person whom one touched."""
    return desk.zoom.state()["used_today"].get("HEAVY", 0)


def let_everybody_be_settled(desk, *, rounds=5):
    for _ in range(rounds):
        desk.let_pass(seconds=SETTLED_AFTER)
        desk.work()


def assert_everybody_is_there_once(desk, people=MANY):
    assert read_deliveries(desk, people) == {Delivery.REGISTERED: len(people)}
    effects = [entry for entry in desk.zoom.journal() if entry["effect"] in ("add", "repeat")]
    assert Counter(entry["email"] for entry in effects) == dict.fromkeys(people, 1)
    at_zoom = {person["email"]: person["token"] for person in desk.zoom.state()["registrants"]}
    assert all(f"tk={at_zoom[email]}" in desk.read_link(email) for email in people)


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_many_are_added_thirty_at_a_time_each_with_their_own_link(make_desk, kind):
    desk = make_desk(kind=kind)
    register_all(desk)

    desk.work()

    assert count_batches(desk) == 2
    assert desk.count_calls("add_registrant") + desk.count_calls("get_registrant") == 0
    assert_everybody_is_there_once(desk)
    assert {desk.read_job(email).attempts for email in MANY} == {1}


@only_sqlite
def test_few_are_added_one_by_one(desk):
    register_all(desk, FEW)

    desk.work()

    assert count_batches(desk) == 0
    assert_everybody_is_there_once(desk, FEW)


def test_one_walk_tells_who_is_new_to_zoom(desk):
    desk.zoom.add_registrant(desk.event.zoom_id, MANY[0])
    desk.let_pass(seconds=10)
    register_all(desk)
    desk.work()
    assert {desk.read(email).is_new_to_zoom for email in MANY} == {None}
    assert desk.list_mails() == ["confirmation"] * len(MANY)

    desk.let_pass(seconds=11)
    desk.work()

    assert desk.count_calls("list_registrants") == 3
    assert [desk.read(email).is_new_to_zoom for email in MANY] == [False] + [True] * 39
    assert desk.find_settling().state == "done"


@only_sqlite
def test_person_whom_zooms_lists_do_not_show_counts_as_known(desk):
    register_all(desk)
    desk.work()
    desk.zoom.fault(
        "list_registrants",
        status=200,
        body={"registrants": [], "next_page_token": ""},
        count=None,
    )

    let_everybody_be_settled(desk, rounds=3)

    assert {desk.read(email).is_new_to_zoom for email in MANY} == {False}
    assert desk.find_settling().state == "done"


@only_sqlite
def test_link_of_a_batch_is_not_believed_where_zooms_lists_say_otherwise(desk):
    """What a batch answers for somebody whom Zoom has as denied is documented nowhere."""
    crowd = MANY[:12]
    for email in crowd:
        desk.zoom.add_registrant(desk.event.zoom_id, email)
    desk.zoom.change_registrant(desk.event.zoom_id, crowd[0], "deny")
    links = f"{desk.sandbox.url}/w/{desk.event.zoom_id}?tk="
    answer = [
        {"email": p["email"], "registrant_id": p["id"], "join_url": links + p["token"]}
        for p in desk.zoom.state()["registrants"]
    ]
    desk.zoom.fault("add_batch", does="answer", status=201, body={"registrants": answer})
    register_all(desk, crowd)
    desk.work()
    assert (desk.read(crowd[0]).delivery, desk.list_at_zoom()[crowd[0]]) == ("registered", "denied")

    let_everybody_be_settled(desk, rounds=1)

    assert set(desk.list_at_zoom().values()) == {"approved"}
    assert read_deliveries(desk, crowd) == {Delivery.REGISTERED: 12}
    assert (desk.count_calls("get_registrant"), desk.list_effects(crowd[0])[-1]) == (2, "approve")


@pytest.mark.parametrize(
    "fault",
    [
        {"does": "close", "when": "after"},
        {"does": "close", "when": "before"},
        {"status": 503},
        {"does": "cut"},
        {"take": 12},
        {"take": 12, "does": "close", "when": "after"},
    ],
    ids=["lost", "closed", "503", "cut", "half", "half-and-lost"],
)
def test_batch_of_unknown_outcome_is_settled_by_one_walk(desk, fault):
    register_all(desk, MANY[:30])
    desk.zoom.fault("add_batch", **fault)

    desk.work()
    desk.let_pass(seconds=4)
    desk.work()
    assert desk.count_calls("list_registrants") == 3
    let_everybody_be_settled(desk)

    assert_everybody_is_there_once(desk, MANY[:30])


@only_sqlite
def test_person_whom_the_answer_names_wrongly_gets_nobodys_link(desk):
    register_all(desk, MANY[:12])
    desk.zoom.fault("add_batch", does="other_email")

    desk.work()
    assert {desk.read_link(email) for email in MANY[:12]} == {None}
    let_everybody_be_settled(desk)

    assert_everybody_is_there_once(desk, MANY[:12])


@only_sqlite
def test_bad_person_does_not_hold_the_others(desk):
    desk.zoom.enforce_limits(False)
    register_all(desk, MANY[:30])
    desk.zoom.fault("add_batch", email=MANY[3], status=400, code=300, message="Validation Failed.")
    desk.zoom.fault(
        "add_registrant", email=MANY[3], status=400, code=300, message="Validation Failed."
    )

    desk.work()

    assert desk.read(MANY[3]).delivery == Delivery.REFUSED
    others = [email for email in MANY[:30] if email != MANY[3]]
    assert_everybody_is_there_once(desk, others)
    assert desk.count_calls("add_registrant") == 30
    assert desk.list_mails().count("refused") == 1


@only_sqlite
def test_person_whose_day_is_used_up_does_not_hold_the_others(desk):
    register_all(desk, MANY[:12])
    desk.zoom.fault(
        "add_batch",
        status=429,
        message="You have exceeded the daily rate limit of (3) for Add meeting registrant.",
    )

    desk.work()

    assert_everybody_is_there_once(desk, MANY[:12])


@pytest.mark.parametrize("happen", ["series", "scope"])
@only_sqlite
def test_event_that_takes_no_batches_is_asked_once(desk, happen):
    desk.zoom.enforce_limits(False)
    if happen == "series":
        desk.zoom.change_meeting(desk.event.zoom_id, type=8)
    else:
        desk.zoom.remove_scopes("meeting:write:batch_registrants:admin")
    register_all(desk)

    desk.work()

    assert desk.count_calls("add_batch") <= 2, "a scope is looked for in a new token too"
    assert desk.count_calls("add_registrant") == len(MANY)
    assert_everybody_is_there_once(desk)


@only_sqlite
def test_batches_of_a_day_that_is_used_up_leave_the_way_one_by_one(desk):
    desk.zoom.use_up("HEAVY", 30_000)
    people = MANY[:12]  # each takes two of the thirty calls that one second has
    register_all(desk, people)

    desk.work()

    assert desk.count_calls("add_batch") == 1
    assert_everybody_is_there_once(desk, people)


@only_sqlite
def test_who_sends_answers_to_zoom_is_added_alone(make_desk):
    company = replace(factories.COMPANY, zoom_field="org")
    desk = make_desk(questions=(company, factories.PRIVACY))
    register_all(desk)

    desk.work()

    assert desk.count_calls("add_batch") == 0
    assert {p["profile"]["org"] for p in desk.zoom.state()["registrants"]} == {"例株式会社"}


@only_sqlite
def test_other_work_of_the_event_is_left_to_others(desk):
    register_all(desk)
    desk.work()
    for email in MANY[:5]:
        desk.cancel(email)
    more = [f"more{number}@example.com" for number in range(12)]
    register_all(desk, more)

    desk.work()

    assert read_deliveries(desk, MANY[:5]) == {Delivery.WITHDRAWN: 5}
    assert read_deliveries(desk, more) == {Delivery.REGISTERED: 12}
    assert desk.count_calls("set_status") == 5


def add_slowly(desk):
    """Have a worker add everybody while the test goes on."""
    desk.zoom.fault("add_batch", delay_before=2.0)
    work = threading.Thread(target=desk.work)
    work.start()
    desk.wait_for_fault()
    return work


def test_cancelled_while_the_batch_is_under_way_is_cancelled_at_zoom(desk):
    register_all(desk, MANY[:12])
    work = add_slowly(desk)
    desk.cancel(MANY[4])
    work.join()
    desk.work()

    assert desk.list_effects(MANY[4]) == ["add", "cancel"]
    assert (desk.read(MANY[4]).delivery, desk.read_link(MANY[4])) == (Delivery.WITHDRAWN, None)
    assert desk.list_mails().count("cancelled") == 1


def test_batch_that_outlived_its_lease_doubles_nobody(desk):
    register_all(desk, MANY[:12])
    work = add_slowly(desk)
    desk.let_pass(seconds=61)
    desk.work()
    work.join()
    let_everybody_be_settled(desk)

    assert_everybody_is_there_once(desk, MANY[:12])


def count_statements(desk):
    """Have everybody added, and count what SQLAlchemy says to the database meanwhile."""
    statements = []

    def keep(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(desk.database.engine, "before_cursor_execute", keep)
    desk.work()
    event.remove(desk.database.engine, "before_cursor_execute", keep)
    return len(statements)


def test_thirty_cost_as_many_statements_as_ten(desk):
    people = [f"early{number}@example.com" for number in range(rules.MANY)]
    counts = []
    for crowd in (people, MANY[30:40], MANY[:30]):
        register_all(desk, crowd)
        counts.append(count_statements(desk))

    assert count_batches(desk) == 3
    assert counts[1] == counts[2]
    assert_everybody_is_there_once(desk, people + MANY)


def test_thirty_jobs_of_a_worker_that_died_are_settled_by_one_walk(desk):
    register_all(desk, MANY[:30])
    with desk.database.write() as session:
        now = desk.clock()
        for job in jobs.lock_due(session, "zoom.sync", event_id=desk.event.id, limit=30, now=now):
            jobs.take(job, owner="dead", lease_seconds=60, now=now)
        session.execute(
            table_of(ZoomRegistrant).update().values(attempt_started_at=now, first_attempt_at=now)
        )
    for email in MANY[:7]:
        desk.zoom.add_registrant(desk.event.zoom_id, email)
    desk.let_pass(seconds=61)
    desk.work()
    desk.let_pass(seconds=4)
    desk.work()
    assert desk.count_calls("list_registrants") == 3
    let_everybody_be_settled(desk)

    assert read_deliveries(desk, MANY[:30]) == {Delivery.REGISTERED: 30}
    assert Counter(tuple(desk.list_effects(email)) for email in MANY[:30]) == {
        (): 7,
        ("add",): 23,
    }


def drain_at_once(desk, database_url):
    race(database_url, lambda database: desk.make_worker(database).drain(), workers=4)


def test_four_workers_on_one_queue_add_everybody_once(desk, database_url):
    register_all(desk)

    drain_at_once(desk, database_url)
    let_everybody_be_settled(desk, rounds=2)

    assert_everybody_is_there_once(desk)


@only_sqlite
def test_nothing_is_asked_in_batches_for_an_event_that_is_over(desk):
    register_all(desk)
    desk.let_pass(days=8)

    desk.work()

    assert desk.zoom.journal() == []


@only_sqlite
def test_batch_is_no_probe(desk):
    register_all(desk, MANY[:31])
    desk.zoom.revoke_secret()
    desk.work()
    desk.zoom.restore_secret()
    desk.let_pass(minutes=2)

    desk.work()

    calls = [entry["action"] for entry in desk.zoom.journal() if entry["effect"] == "add"]
    assert calls == ["add_registrant"] + ["add_batch"] * 30
    assert_everybody_is_there_once(desk, MANY[:31])
