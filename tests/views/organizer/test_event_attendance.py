"""Organizers turn the record of attendance on, and read who came."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.attendance_notice import SENTENCE, say_attendance
from services.attendance_records import JOB_KIND
from services.events import read_current_form
from services.personal_data import collect_personal_data
from storage import attendance
from storage.models import Attendance, AttendanceRecord, Consent, Event, Job, Registration
from tests.dashboard import sign_in
from tests.factories import SMALL_FORM
from tests.fixtures.databases import only_sqlite
from tests.program import Program, make_key

pytestmark = only_sqlite
FORM = say_attendance(SMALL_FORM, is_recorded=True)


@pytest.fixture
def event(site):
    """An event that is over; Taro came for 52 minutes, Hanako had a place and did not."""
    at = (site.clock() + timedelta(days=1)).replace(hour=3, minute=0, second=0, microsecond=0)
    event = site.add_event(slug="spring", records_attendance=True, questions=FORM, starts_at=at)
    program = Program(site, make_key(site))
    for email in ("taro@example.com", "hanako@example.com"):
        assert program.register(email=email).status_code == 201
    with site.database.write() as session:
        attendance.ensure_record(session, event.id, "", ends_at=at + timedelta(hours=1))
        taro, hanako = session.scalars(select(Registration.id).order_by(Registration.id))
        came = {"first_joined_at": at + timedelta(minutes=1)}
        came |= {"last_left_at": at + timedelta(minutes=53), "seconds": 52 * 60 - 5}
        none = {"first_joined_at": None, "last_left_at": None, "seconds": 0}
        rows = [{"registration_id": taro, **came}, {"registration_id": hanako, **none}]
        attendance.put_rows(session, [row | {"date_id": ""} for row in rows])
    set_record(site, state="settled", attended=1, expected=2)
    site.clock.move(days=2)
    return event


def set_record(site, **members):
    with site.database.write() as session:
        record = session.scalars(select(AttendanceRecord)).one()
        for name, value in members.items():
            setattr(record, name, value)


def read_numbers(page):
    section = page.root.find_all("section", **{"aria-labelledby": "attendance-heading"})[0]
    return [dd.text for dd in section.find_all("dd")], section.text


def test_who_came_is_on_the_event_the_person_the_list_and_the_file(site, event):
    owner = sign_in(site, locale="en")
    address = f"/organizer/events/{event.public_id}"

    numbers, text = read_numbers(owner.open(address))
    assert numbers == ["1", "1", "0"] and "Ask Zoom again" not in text

    people = owner.open(f"{address}/people").text
    assert "Attended, 52 minutes (12:01–12:53)" in people and " Absent " in people
    seen = owner.open(f"{address}/people?attendance=unseen").text
    assert " Absent " in seen and "Attended, 52" not in seen
    with site.database.read() as session:
        taro = session.scalars(select(Registration).order_by(Registration.id)).first()
        [held] = collect_personal_data(session, event, taro)["attendance"]
    person = owner.open(f"{address}/people/{taro.public_id}").text
    assert "Attended, 52 minutes (12:01–12:53)" in person
    assert held["seconds"] == 52 * 60 - 5
    file = Program(site, make_key(site)).get("/events/spring/export.csv", params={"lang": "en"})
    head, first, second = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert head[-4:] == ["Attendance", "First joined", "Last left", "Minutes attended"]
    assert (first[-4], first[-1], second[-4:]) == ("attended", "52", ["absent", "", "", ""])


def test_hours_are_said_across_midnight_and_not_of_several_days(site, event):
    owner = sign_in(site, locale="en")
    address = f"/organizer/events/{event.public_id}/people"
    row = select(Attendance).where(Attendance.seconds > 0)

    def set_stay(**length):
        with site.database.write() as session:
            came = session.scalars(row).one()
            came.first_joined_at = came.first_joined_at.replace(hour=14, minute=31)
            came.last_left_at = came.first_joined_at + timedelta(**length)
        return owner.open(address).text

    assert "Attended, 52 minutes (23:31–00:23)" in set_stay(minutes=52)
    text = set_stay(days=1, minutes=52)
    assert "Attended, 52 minutes" in text and "Attended, 52 minutes (" not in text


def test_what_is_unclear_says_why_and_is_asked_for_again(site, event):
    owner = sign_in(site, locale="en")
    address = f"/organizer/events/{event.public_id}"
    set_record(site, unrecognised=2)

    page = owner.open(address)
    numbers, text = read_numbers(page)
    assert numbers == ["1", "0", "1"] and "2 people were there whom nobody can tell" in text
    assert "Unclear: people took part whom nobody can tell" in owner.open(f"{address}/people").text
    owner.post_form(address, f"{address}/attendance", {})
    with site.database.read() as session:
        job = session.scalars(select(Job).where(Job.kind == JOB_KIND)).one()
    assert (job.state, job.payload["event_id"]) == ("ready", event.id)

    set_record(site, problem="ScopeMissing")
    numbers, text = read_numbers(owner.open(address))
    assert "its app lacks a scope" in text
    for state, words in (
        ("partial", "in three days"),
        ("not_held", "nothing that was held"),
        ("gone", "not any more"),
    ):
        set_record(site, state=state, problem="")
        assert words in read_numbers(owner.open(address))[1]


def test_turned_on_the_notice_says_so_and_who_agreed_to_it_has_that_in_evidence(site):
    event = site.add_event(slug="spring")
    program, owner = Program(site, make_key(site)), sign_in(site)
    program.register(email="early@example.com")
    form = owner.open(f"/organizer/events/{event.public_id}/content").form("保存")

    form.fill(records_attendance=["yes"]).submit()

    assert SENTENCE["ja"] in site.visitor().open("/e/spring").text
    assert SENTENCE["ja"] in site.visitor().open("/e/spring/notice").text
    program.register(email="late@example.com", form_version=2)
    with site.database.read() as session:
        hashes = session.scalars(select(Consent.notice_hash).order_by(Consent.id)).all()
        assert len(hashes) == 2 and hashes[0] != hashes[1]
        stored = session.get(Event, event.id)
        assert read_current_form(session, stored).questions == FORM
    form = owner.open(f"/organizer/events/{event.public_id}/content").form("保存")
    form.fill(records_attendance=[]).submit()
    assert SENTENCE["ja"] not in site.visitor().open("/e/spring").text
