"""Refusals in words that nobody knows: whether they are about a person, or about everybody."""

from contextlib import suppress

from sqlalchemy import select

from services import zoom_pauses, zoom_refusals
from services.alarms import AlarmName, find_problems
from services.deliveries import Delivery
from services.overview import read_overview
from services.retrying import retry_event
from storage import zoom_pauses as zoom_rows
from storage import zoom_queue
from storage.models import Mail
from tests.factories import make_event_at_zoom
from tests.fixtures.databases import only_sqlite
from tests.races import race
from tests.worker.desk import CREDENTIALS, TARO
from worker import refusals, zoom_health
from zoom_client import ZoomRefused
from zoom_client.pacing import ADDS_A_DAY, Plan

PEOPLE = [f"person{number}@example.com" for number in range(6)]
OF_ADDRESS = {
    "code": 300,
    "message": "Validation Failed.",
    "errors": [{"field": "email", "message": "It is blocked."}],
}
WORDS = {"status": 403, "code": 3999, "message": "Your account is restricted."}


def refuse(desk, **words):
    for action in ("add_registrant", "add_batch"):
        desk.zoom.fault(action, does="answer", count=None, **(WORDS | words))


def come(desk, *people):
    """Have people register one after the other, each a few minutes after the last one."""
    for email in people:
        desk.register(email)
        settle(desk, rounds=3)


def settle(desk, *, rounds, **by):
    for _ in range(rounds):
        desk.work()
        desk.let_pass(**by or {"seconds": 65})


def list_tried(desk):
    """List who was to be added, one for each call that Zoom counts."""
    return [entry["email"] for entry in desk.zoom.journal(action="add_registrant")]


def hasten(desk):
    with desk.database.write() as session:
        zoom_rows.hasten_probes(session, now=desk.clock())


def read_pause(desk):
    with desk.database.read() as session:
        state = zoom_rows.get_event(session, desk.event.id)
        return state.pause_problem, state.pause_reason


def list_told(desk):
    """List who was told that Zoom does not take them."""
    with desk.database.read() as session:
        rows = session.scalars(select(Mail.registration_id).where(Mail.name == "refused"))
        return sorted(rows)


def list_ids(desk, *people):
    return sorted(desk.read(email).registration_id for email in people)


def test_who_comes_after_two_others_were_refused_waits_until_it_is_mended(desk):
    refuse(desk)
    come(desk, *PEOPLE)

    assert list_told(desk) == list_ids(desk, *PEOPLE[:2])
    assert desk.read(PEOPLE[2]).delivery == Delivery.NEEDS_SETTING
    problem, reason = read_pause(desk)
    assert (problem, "Your account is restricted." in reason) == ("EverybodyRefused", True)
    with desk.database.read() as session:
        overview = read_overview(session, plan=Plan.PRO, now=desk.clock())
    [unset] = [p for p in find_problems(overview) if p.name is AlarmName.NEEDS_SETTING]
    assert unset.facts["reason"] == "EverybodyRefused"

    desk.zoom.clear_faults()
    settle(desk, rounds=4, minutes=10)
    assert {desk.read(email).delivery for email in PEOPLE} == {Delivery.REGISTERED}
    assert {desk.list_at_zoom()[email] for email in PEOPLE} == {"approved"}
    assert read_pause(desk) == ("", "")


@only_sqlite
def test_who_comes_while_everybody_is_refused_is_tried_once_and_then_waits_for_a_probe(desk):
    refuse(desk)
    come(desk, *PEOPLE[:3])
    before = desk.count_calls("add_registrant")

    for email in PEOPLE[3:]:
        desk.register(email)
    desk.work()
    assert desk.count_calls("add_registrant") == before + 3
    settle(desk, rounds=5, minutes=11)

    assert sorted(list_tried(desk)[before + 3 :]) == PEOPLE[3:], "each by somebody else"


def test_no_probe_uses_up_the_last_add_of_whoever_waits(desk):
    refuse(desk)
    come(desk, *PEOPLE[:4])
    settle(desk, rounds=6, minutes=11)

    assert [list_tried(desk).count(email) for email in PEOPLE[:4]] == [2] * 4
    assert [desk.read(email).adds_that_day for email in PEOPLE[:4]] == [2] * 4
    with desk.database.read() as session:
        assert not zoom_queue.has_due(session, kinds=["zoom.sync"], now=desk.clock())
    desk.zoom.clear_faults()
    come(desk, PEOPLE[4])
    settle(desk, rounds=5)
    assert {desk.read(email).delivery for email in PEOPLE[:5]} == {Delivery.REGISTERED}


@only_sqlite
def test_last_add_of_one_is_used_where_somebody_says_that_it_is_mended(desk):
    refuse(desk)
    come(desk, *PEOPLE[:4])
    settle(desk, rounds=5, minutes=11)
    before = len(list_tried(desk))

    hasten(desk)
    settle(desk, rounds=4, minutes=11)
    assert list_tried(desk)[before:] == [PEOPLE[2]], "one for each word"
    desk.zoom.clear_faults()
    hasten(desk)
    settle(desk, rounds=5)

    assert desk.read(PEOPLE[3]).delivery == Delivery.REGISTERED
    assert read_pause(desk) == ("", "")


@only_sqlite
def begin_day_of_last_adds(desk):
    """Have four people refused until each has one add left; return how many calls that were."""
    refuse(desk)
    come(desk, *PEOPLE[:4])
    settle(desk, rounds=5, minutes=11)
    return len(list_tried(desk))


def test_several_who_are_tried_again_use_up_the_last_add_of_one(desk):
    before = begin_day_of_last_adds(desk)

    assert desk.try_again(*PEOPLE[:4]) == {"paused": 4}
    settle(desk, rounds=4, minutes=11)
    assert list_tried(desk)[before:] == [PEOPLE[2]]
    desk.zoom.clear_faults()
    desk.try_again(*PEOPLE[:4])
    settle(desk, rounds=5)

    others = [PEOPLE[number] for number in (0, 1, 3)]
    assert {desk.read(email).delivery for email in others} == {Delivery.REGISTERED}


@only_sqlite
def test_who_is_tried_again_by_themselves_is_the_only_one(desk):
    before = begin_day_of_last_adds(desk)

    desk.retry(PEOPLE[0])
    settle(desk, rounds=4, minutes=11)

    assert list_tried(desk)[before:] == [PEOPLE[0]]


def test_word_about_another_event_has_nobody_tried(desk):
    before = begin_day_of_last_adds(desk)
    with desk.database.write() as session:
        other = make_event_at_zoom(session, desk.zoom, now=desk.clock())
        retry_event(session, other, now=desk.clock())
    settle(desk, rounds=4, minutes=11)
    assert len(list_tried(desk)) == before

    with desk.database.write() as session:
        zoom_rows.hasten_account(session, CREDENTIALS.account_id, now=desk.clock())
    settle(desk, rounds=4, minutes=11)
    assert list_tried(desk)[before:] == [PEOPLE[2]]


def test_whose_adds_are_used_up_are_probes_again_on_the_next_day_of_zoom(desk):
    refuse(desk)
    come(desk, *PEOPLE[:3])
    settle(desk, rounds=2, minutes=11)
    desk.zoom.clear_faults()

    for hour, minute in ((23, 58), (0, 3)):
        desk.let_pass_until(hour, minute)
        desk.work()
        assert read_pause(desk)[0] == "EverybodyRefused", (hour, minute)
    settle(desk, rounds=3, minutes=5)

    assert {desk.read(email).delivery for email in PEOPLE[:3]} == {Delivery.REGISTERED}


def test_adds_that_zoom_takes_in_a_day_are_one_more_than_probes_leave():
    assert zoom_rows.ADDS_BEFORE_LAST == ADDS_A_DAY - 1


@only_sqlite
def test_answer_that_names_no_value_counts_as_unknown_too(desk):
    refuse(desk, status=400, code=300, message="Invalid setting.")
    come(desk, *PEOPLE)

    assert list_told(desk) == list_ids(desk, *PEOPLE[:2])


@only_sqlite
def test_people_refused_between_others_who_are_taken_stop_nobody(desk):
    bad = [PEOPLE[number] for number in (0, 1, 3, 4)]
    for email in bad:
        refuse(desk, email=email)
    come(desk, *PEOPLE)
    settle(desk, rounds=6)

    assert list_told(desk) == list_ids(desk, *bad)
    assert desk.read(PEOPLE[5]).delivery == Delivery.REGISTERED
    assert read_pause(desk) == ("", "")


def test_one_who_is_taken_lets_those_before_be_refused_each_for_themselves(desk):
    bad, good = PEOPLE[:5], PEOPLE[5]
    for email in bad:
        refuse(desk, email=email)
    come(desk, *bad)
    assert read_pause(desk)[0] == "EverybodyRefused"
    assert list_told(desk) == list_ids(desk, *bad[:2])

    desk.register(good)
    desk.work()
    assert desk.read(good).delivery == Delivery.REGISTERED, "at once"
    settle(desk, rounds=14)

    assert list_told(desk) == list_ids(desk, *bad), "each of them once"
    assert max(list_tried(desk).count(email) for email in bad) == ADDS_A_DAY
    assert read_pause(desk) == ("", "")
    calls = desk.count_calls("add_registrant")
    settle(desk, rounds=3, hours=20)
    assert desk.count_calls("add_registrant") == calls, "nobody is tried again and again"


def test_four_workers_at_once_tell_no_more_people_than_one(desk, database_url):
    people = [f"crowd{number}@example.com" for number in range(14)]
    refuse(desk)
    for email in people:
        desk.register(email)

    for _ in range(4):
        race(database_url, lambda database: desk.make_worker(database).drain(), workers=4)
        desk.let_pass(seconds=65)

    assert len(list_told(desk)) == zoom_pauses.PEOPLE_BEFORE_PAUSE - 1
    assert read_pause(desk)[0] == "EverybodyRefused"


def test_worker_that_dies_of_a_refusal_has_counted_its_person_once(desk, monkeypatch):
    deaths = []

    def die(place):
        if place == "before_refusal" and not deaths:
            deaths.append(place)
            raise SystemExit

    monkeypatch.setattr(refusals, "fault_point", die)
    refuse(desk)
    desk.register()
    for _ in range(6):
        with suppress(SystemExit):
            desk.work()
        desk.let_pass(seconds=65)
    come(desk, PEOPLE[0])

    assert deaths
    assert list_told(desk) == list_ids(desk, TARO, PEOPLE[0])
    assert read_pause(desk) == ("", "")


def test_cancellation_goes_through_while_everybody_is_refused(desk):
    come(desk, TARO)
    refuse(desk)
    come(desk, *PEOPLE)

    desk.cancel(TARO)
    desk.work()

    assert desk.list_at_zoom()[TARO] == "denied", "at once"
    assert read_pause(desk)[0] == "EverybodyRefused", "which says nothing of those who come"
    settle(desk, rounds=3, seconds=600)
    assert list_told(desk) == list_ids(desk, *PEOPLE[:2])
    assert read_pause(desk)[0] == "EverybodyRefused"


def test_who_comes_back_while_everybody_is_refused_ends_no_pause(desk):
    come(desk, TARO)
    desk.cancel(TARO)
    settle(desk, rounds=1)
    refuse(desk)
    come(desk, *PEOPLE)

    desk.register_again(TARO)
    settle(desk, rounds=4)

    assert desk.read(TARO).delivery == Delivery.REGISTERED, "Zoom has them, and only approves"
    assert read_pause(desk)[0] == "EverybodyRefused"
    assert list_told(desk) == list_ids(desk, *PEOPLE[:2])


@only_sqlite
def test_approval_that_was_refused_ends_the_pause_once_it_works(desk):
    come(desk, *PEOPLE[:4])
    for email in PEOPLE[:4]:
        desk.cancel(email)
    settle(desk, rounds=1)
    desk.zoom.fault("set_status", does="answer", count=None, **WORDS)
    for email in PEOPLE[:4]:
        desk.register_again(email)
    settle(desk, rounds=3)
    assert read_pause(desk)[0] == "EverybodyRefused"

    desk.zoom.clear_faults()
    settle(desk, rounds=4, minutes=10)

    assert {desk.read(email).delivery for email in PEOPLE[:4]} == {Delivery.REGISTERED}
    assert read_pause(desk) == ("", "")


@only_sqlite
def test_add_asked_before_the_last_refusal_proves_nothing(desk):
    refuse(desk)
    before = desk.clock()
    come(desk, *PEOPLE[:3])
    now = desk.clock()

    with desk.database.write() as session:
        assert not zoom_refusals.note_taken(session, desk.event.id, asked_at=before, now=now)
    assert read_pause(desk)[0] == "EverybodyRefused"
    with desk.database.write() as session:
        assert zoom_refusals.note_taken(session, desk.event.id, asked_at=now, now=now)
    assert read_pause(desk) == ("", "")


def look_after(desk, *, rounds, **by):
    """Let a worker do what it does once a minute, and its jobs."""
    for _ in range(rounds):
        zoom_health.look_after_pauses(desk.database, now=desk.clock())
        settle(desk, rounds=1, **by)


def test_where_nobody_waits_any_more_those_refused_before_find_out_that_zoom_works(desk):
    desk.let_pass_until(12)
    refuse(desk)
    come(desk, *PEOPLE[:3])
    desk.cancel(PEOPLE[2])
    settle(desk, rounds=1)
    look_after(desk, rounds=3)
    assert [list_tried(desk).count(email) for email in PEOPLE[:2]] == [2, 2], "no last add"

    look_after(desk, rounds=3, hours=8)
    for email in PEOPLE[:2]:
        assert desk.read(email).delivery == Delivery.NEEDS_SETTING, "they wait like everybody else"
    assert read_pause(desk)[0] == "EverybodyRefused"
    desk.zoom.clear_faults()
    look_after(desk, rounds=3, hours=8)

    assert {desk.read(email).delivery for email in PEOPLE[:2]} == {Delivery.REGISTERED}
    assert list_told(desk) == list_ids(desk, *PEOPLE[:2]), "once"
    assert read_pause(desk) == ("", "")


@only_sqlite
def test_pause_ends_where_nobody_is_left_who_could_be_tried(desk):
    refuse(desk)
    come(desk, *PEOPLE[:3])
    for email in PEOPLE[:3]:
        desk.cancel(email)
    settle(desk, rounds=1)
    calls = desk.count_calls("add_registrant")

    look_after(desk, rounds=1)
    assert read_pause(desk) == ("", "")
    desk.register(PEOPLE[3])
    desk.work()

    assert desk.count_calls("add_registrant") == calls + 1
    assert read_pause(desk)[0] == "EverybodyRefused", "which is still known"
    assert desk.read(PEOPLE[3]).delivery == Delivery.NEEDS_SETTING


@only_sqlite
def test_who_is_refused_for_a_reason_of_their_own_is_tried_once_for_those_who_waited(desk):
    desk.let_pass_until(0, 10)
    refuse(desk)
    come(desk, *PEOPLE[:3])
    desk.cancel(PEOPLE[2])
    desk.let_pass(days=1)
    desk.zoom.clear_faults()
    for email in PEOPLE[:2]:
        refuse(desk, email=email, status=400, body=OF_ADDRESS)
    calls = desk.count_calls("add_registrant")
    settle(desk, rounds=1)

    look_after(desk, rounds=9)

    assert desk.count_calls("add_registrant") == calls + 2
    assert list_told(desk) == list_ids(desk, *PEOPLE[:2])
    assert read_pause(desk) == ("", "")


def test_who_is_taken_between_a_refusal_and_its_pause_is_proof_all_the_same(desk):
    refuse(desk)
    come(desk, *PEOPLE[:2])
    desk.register(PEOPLE[2])
    error, now = ZoomRefused(WORDS["message"]), desk.clock()
    with desk.database.write() as session:
        person = session.merge(desk.read(PEOPLE[2]))
        judged = zoom_refusals.judge(session, person, error, is_last_word=True, now=now)
    with desk.database.write() as session:
        zoom_refusals.note_taken(session, desk.event.id, asked_at=now, now=now)

    with desk.database.write() as session:
        begins = zoom_pauses.record_failure(session, "account", desk.event.id, judged, now=now)

    assert (type(judged), begins) == (zoom_refusals.EverybodyRefused, False)
    assert read_pause(desk) == ("", "")


@only_sqlite
def test_whom_a_walk_has_missed_is_found_while_everybody_is_refused(desk):
    desk.let_pass_until(12)
    refuse(desk)
    come(desk, *PEOPLE[:3])
    desk.zoom.clear_faults()
    desk.zoom.fault("add_registrant", does="close", when="after", email=TARO)
    nobody = {"registrants": [], "next_page_token": ""}
    desk.zoom.fault("list_registrants", does="answer", status=200, body=nobody, count=3)
    refuse(desk)
    for email in (TARO, *PEOPLE[3:]):
        desk.register(email)

    settle(desk, rounds=5)

    assert desk.read().delivery == Delivery.REGISTERED
    assert read_pause(desk)[0] == "EverybodyRefused", "it was asked before the last refusal"


@only_sqlite
def test_walk_that_fails_while_everybody_is_refused_waits_by_itself(desk):
    desk.let_pass_until(12)
    refuse(desk)
    come(desk, *PEOPLE[:3])
    desk.zoom.clear_faults()
    desk.zoom.fault("add_registrant", does="close", when="after", email=TARO)
    walks = desk.count_calls("list_registrants")
    desk.zoom.fault("list_registrants", does="answer", status=403, code=3999, message="No.")
    desk.register()
    desk.work()
    desk.let_pass(seconds=4)
    desk.work()
    assert desk.find_settling().run_at > desk.clock()
    assert desk.count_calls("list_registrants") == walks + 1

    settle(desk, rounds=2)
    assert desk.read().delivery == Delivery.REGISTERED


@only_sqlite
def test_one_of_those_refused_before_is_enough_to_show_that_zoom_works(desk):
    good, bad, other = PEOPLE[:3]
    desk.let_pass_until(12)
    refuse(desk)
    come(desk, good, bad, other)
    desk.cancel(other)
    desk.let_pass(days=1)
    desk.zoom.clear_faults()
    refuse(desk, email=bad)

    look_after(desk, rounds=3)

    assert desk.read(good).delivery == Delivery.REGISTERED
    assert read_pause(desk) == ("", "")
