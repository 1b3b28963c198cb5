"""Registrations from the command line: lists, exports, decisions."""

import csv
import io

import pytest

from services.events import LinkPolicy
from services.registrations import register
from storage import events, registrations, submissions
from tests.factories import make_submission
from tests.fixtures.databases import only_sqlite

pytestmark = only_sqlite


@pytest.fixture
def event(site):
    return site.add_event(slug="spring")


def add_person(site, event, email="taro@example.com", **members):
    with site.database.write() as session:
        stored = events.need_event(session, event.id)
        submission = make_submission(stored, email=email, **members)
        return register(session, stored, submission, policy=LinkPolicy.SHOW, now=site.clock())


def get_status(site, event, email="taro@example.com"):
    with site.database.read() as session:
        person = registrations.get_registration_by_email_key(session, event.id, email)
        return person and person.status


def test_list_shows_people_in_the_order_in_which_they_came(site, run, event):
    one = add_person(site, event)
    other = add_person(site, event, "ann@example.com", family_name="Smith", given_name="Ann")
    lines = run("registrations", "list", "spring").output.splitlines()
    assert lines[0].split() == ["NUMBER", "NAME", "EMAIL", "STATUS", "AT", "ZOOM", "RECEIVED"]
    assert lines[1].startswith(f"{one.number}  山田 太郎  taro@example.com  approved  waiting  ")
    assert lines[2].startswith(f"{other.number}  Smith Ann  ann@example.com   approved  waiting  ")


def test_list_shows_one_status_alone(site, run, event):
    add_person(site, event)
    done = run("registrations", "list", "spring", "--status", "cancelled")
    assert len(done.output.splitlines()) == 1


def test_names_do_not_steer_the_terminal(site, run, event):
    add_person(site, event, family_name="\x1b[2J\u202e", given_name="x")
    assert "\x1b" not in run("registrations", "list", "spring").output
    assert "\u202e" not in run("registrations", "list", "spring").output


def test_export_is_a_file_that_excel_opens(site, run, event, tmp_path):
    add_person(site, event, family_name='=HYPERLINK("x")', given_name="改\n行")
    path = tmp_path / "people.csv"
    run("registrations", "export", "spring", "--lang", "en", "--output", str(path))
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfReceipt number,")
    assert content.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [(row["Family name"], row["Given name"]) for row in rows] == [
        ('\'=HYPERLINK("x")', "改\n行")
    ]


def test_export_to_the_terminal_is_the_same(site, run, event, tmp_path):
    add_person(site, event)
    path = tmp_path / "people.csv"
    run("registrations", "export", "spring", "--output", str(path))
    assert run("registrations", "export", "spring").stdout_bytes == path.read_bytes()
    assert path.read_text(encoding="utf-8-sig").startswith("受付番号,")


def test_export_of_an_unknown_event_leaves_no_file(run, site, tmp_path):
    path = tmp_path / "people.csv"
    run("registrations", "export", "nowhere", "--output", str(path), exit_code=1)
    assert not path.exists()


def test_held_submission_is_listed_and_released(site, run, event):
    held = add_person(site, event, is_suspicious=True)
    assert get_status(site, event) is None
    listed = run("registrations", "list", "spring", "--held").output
    assert held.number in listed and "held: trap" in listed
    done = run("registrations", "release", held.number)
    assert done.output == f"{held.number} is released.\n"
    assert get_status(site, event) == "approved"
    again = run("registrations", "release", held.number, exit_code=1)
    assert f"Nothing is kept aside under {held.number}" in again.stderr


def test_release_says_when_the_address_was_known(site, run, event):
    add_person(site, event)
    held = add_person(site, event, is_suspicious=True)
    assert "was registered already" in run("registrations", "release", held.number).output


def test_release_finds_no_place_at_a_full_event(site, run):
    event = site.add_event(slug="small", capacity=1)
    held = add_person(site, event, is_suspicious=True)
    add_person(site, event, "first@example.com")
    done = run("registrations", "release", held.number, exit_code=1)
    assert done.stderr == "Error: There is no place: the event is full.\n"
    assert get_status(site, event) is None


def test_held_submission_is_dropped_and_stays_stored(site, run, event):
    held = add_person(site, event, is_suspicious=True)
    run("registrations", "drop", held.number)
    with site.database.read() as session:
        assert submissions.get_submission(session, held.id).outcome == "dropped"
        assert submissions.list_held(session, event.id) == []


def test_person_is_approved_by_the_number_on_the_receipt(site, run):
    event = site.add_event(slug="manual", approval="manual")
    row = add_person(site, event)
    typed = row.number.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    done = run("registrations", "approve", typed)
    assert done.output == "taro@example.com at manual is approved.\n"
    assert get_status(site, event) == "approved"


def test_person_is_denied_and_cancelled_by_address(site, run, event):
    add_person(site, event)
    add_person(site, event, "ann@example.com")
    run("registrations", "deny", "Taro@Example.com")
    run("registrations", "cancel", "ann@example.com")
    assert get_status(site, event) == "denied"
    assert get_status(site, event, "ann@example.com") == "cancelled"
    again = run("registrations", "approve", "ann@example.com", exit_code=1)
    assert "not in a state that allows this" in again.stderr
    done = run("registrations", "reinstate", "ann@example.com")
    assert done.output == "ann@example.com at spring is approved.\n"


def test_who_cannot_be_reinstated_is_said_to_have_nothing_to_come_back_to(site, run, event):
    add_person(site, event)
    run("registrations", "cancel", "taro@example.com")
    with site.database.write() as session:
        events.need_event(session, event.id).status = "cancelled"
    done = run("registrations", "reinstate", "taro@example.com", exit_code=1)
    assert "The event, or each date that was chosen, is over or cancelled." in done.stderr

    with site.database.write() as session:
        person = registrations.get_registration_by_email_key(session, event.id, "taro@example.com")
        person.family_name = person.given_name = ""
    done = run("registrations", "reinstate", "taro@example.com", exit_code=1)
    assert "is erased, or about to be" in done.stderr


def test_address_at_two_events_needs_the_event(site, run, event):
    other = site.add_event(slug="autumn")
    add_person(site, event)
    add_person(site, other)
    done = run("registrations", "cancel", "taro@example.com", exit_code=1)
    assert "is registered at spring, autumn: say which with --event" in done.stderr
    run("registrations", "cancel", "taro@example.com", "--event", "autumn")
    assert (get_status(site, event), get_status(site, other)) == ("approved", "cancelled")


@pytest.mark.parametrize("who", ["nobody@example.com", "A7K2-91QF", "?", "山田", ""])
def test_nobody_is_named(run, event, who):
    done = run("registrations", "approve", who, exit_code=1)
    assert done.stderr == f"Error: Nobody is registered as {who}.\n"


def test_index_is_brought_up_to_what_is_stored(site, run, event):
    add_person(site, event)
    assert run("registrations", "reindex").output == "spring: 1 registrations are indexed.\n"
    run("registrations", "reindex", "--event", "nothing", exit_code=1)


def test_erased_person_is_found_no_more(site, run, event):
    add_person(site, event)
    asked = run("registrations", "erase", "taro@example.com", exit_code=1)
    assert "cannot be undone" in asked.output
    assert get_status(site, event) == "approved"

    done = run("registrations", "erase", "taro@example.com", "--yes")

    assert done.output == "taro@example.com is erased at spring.\n"
    assert get_status(site, event) is None
    assert "taro" not in run("registrations", "list", "spring").output
    run("registrations", "erase", "taro@example.com", "--yes", exit_code=1)
