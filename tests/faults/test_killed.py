"""Processes of a running site are killed at the worst moment; the people notice next to nothing."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.faults.crowd import Crowd
from tests.faults.journals import check
from tests.people import TARO

_numbers = count(1)


@pytest.fixture
def person():
    return TARO | {"email": f"killed{next(_numbers)}@example.com"}


@pytest.fixture
def crowd(rig):
    """Everybody who has ever registered on the rig: its journals are compared whole."""
    rig.crowd = getattr(rig, "crowd", None) or Crowd(rig.url)
    return rig.crowd


def settle(rig, crowd):
    """Let all work be done, and compare the journals."""
    rig.drain()
    check(rig.gather(crowd.answers))


def list_adds(rig, person):
    return rig.zoom.journal(action="add_registrant", email=person["email"])


def send_into_a_death(rig, crowd, person, place):
    """Send the form to a web process that dies at a place; the person hears nothing."""
    form = crowd.fill_in(person)
    rig.arm(f"{place}:kill")
    assert crowd.send(form).receipt is None
    return form


def test_f01_web_killed_before_the_commit(rig, crowd, person):
    before = rig.count_rows("submission")
    form = send_into_a_death(rig, crowd, person, "before_commit")
    assert rig.count_rows("submission") == before, "nothing, rather than half"

    assert crowd.send_until_taken(form).receipt is not None
    settle(rig, crowd)


def test_f02_web_killed_after_the_commit(rig, crowd, person):
    before = rig.count_rows("submission")
    form = send_into_a_death(rig, crowd, person, "after_commit")
    assert rig.count_rows("submission") == before + 1, "it is kept, though nobody was told"

    receipt = crowd.send_until_taken(form).receipt
    assert crowd.send_until_taken(form).receipt == receipt
    assert rig.count_rows("submission") == before + 1
    settle(rig, crowd)


def test_f03_worker_killed_before_it_asks_zoom(rig, crowd, person):
    rig.arm("before_zoom:kill")
    crowd.register(person)

    settle(rig, crowd)

    assert rig.deaths
    assert len(list_adds(rig, person)) == 1


@pytest.mark.parametrize("place", ["after_zoom", "before_save_link"])
def test_f04_worker_killed_after_zoom_said_yes(rig, crowd, person, place):
    rig.arm(f"{place}:kill")
    crowd.register(person)

    settle(rig, crowd)

    assert rig.deaths
    assert [entry["effect"] for entry in list_adds(rig, person)] == ["add"]
    [mail] = [copy for copy in rig.post_box.copies if copy.to == person["email"]]
    assert "/j/" in mail.text


def test_f25_worker_killed_after_the_mail_had_left(rig, crowd, person):
    rig.arm("after_mail:kill")
    crowd.register(person)

    settle(rig, crowd)

    copies = [copy for copy in rig.post_box.copies if copy.to == person["email"]]
    assert len(copies) == 2
    assert copies[0].message_id == copies[1].message_id
    assert copies[0].text == copies[1].text


def test_f23_two_workers_do_everything_once(rig, crowd):
    people = [TARO | {"email": f"both{number}@example.com"} for number in range(20)]
    crowd.register_all(people)

    settle(rig, crowd)

    copies = [copy for copy in rig.post_box.copies if copy.to.startswith("both")]
    assert len({copy.to for copy in copies}) == len(copies) == 20
    effects = [rig.zoom.journal(email=person["email"], effect="add") for person in people]
    assert [len(added) for added in effects] == [1] * 20


def test_worker_that_takes_its_time_is_left_its_work(rig, crowd, person):
    """The loop ends leases of the dead alone; else a machine that is slow would fail it."""
    rig.arm("before_mail:sleep:5")
    crowd.register(person)

    assert rig.drain() == 0, "no time had to pass"

    [_] = [copy for copy in rig.post_box.copies if copy.to == person["email"]]
    assert not rig.deaths
    settle(rig, crowd)


# There SQLite maps memory for each connection, so that it is missed at once.
@pytest.mark.parametrize("rig", ["sqlite"], indirect=True)
def test_f38_web_that_runs_out_of_memory_is_told_in_a_page(rig, crowd):
    people = [TARO | {"email": f"memory{number}@example.com"} for number in range(16)]
    forms = [crowd.fill_in(person) for person in people]
    # New ones, that have no connections and no free memory of earlier days.
    for child in rig.list_children("web"):
        os.kill(child, signal.SIGKILL)
    rig.wait_for_pages()
    with rig.without_memory("web"), ThreadPoolExecutor(len(forms)) as hands:
        statuses = {answer.text[:3] for answer in hands.map(crowd.send, forms)}
    assert statuses & {"500", "503"} and statuses <= {"303", "500", "503"}

    for form in forms:
        crowd.send_until_taken(form)
    settle(rig, crowd)
