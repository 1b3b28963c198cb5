"""Calendar files and links, read back with the library and with urllib."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from services.calendars import (
    CalendarEntry,
    build_calendar,
    google_url,
    make_uid,
    outlook_url,
)

LINK = "https://uketsuke.example/j/abc"
ENTRY = CalendarEntry(
    uid=make_uid("reg123", "uketsuke.example"),
    title="はじめての Zoom ウェビナー",
    starts_at=datetime(2026, 12, 10, 5, 0, tzinfo=UTC),
    ends_at=datetime(2026, 12, 10, 6, 0, tzinfo=UTC),
    timezone="Asia/Tokyo",
    locale="ja",
    stamped_at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
    url=LINK,
    description="主催: 株式会社サンプル\nお問い合わせ: event@example.com",
)
HOSTILE = [
    'a;b,c\\d\\n:"e"',
    "講演\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:偽物",
    "x\nATTENDEE:mailto:x@attacker.invalid",
    "NUL\x00 BEL\x07 DEL\x7f C1\x85",
    "lone \ud800 surrogate",
    "👨‍👩‍👧‍👦" * 30,
    "葛\U000e0100城" * 40,
    "RLO \u202egnp.exe",
    "",
]


def read(entry, method="PUBLISH"):
    return Calendar.from_ical(build_calendar([entry], method))


def read_event(entry, method="PUBLISH"):
    (event,) = read(entry, method).walk("VEVENT")
    return event


def test_file_for_tokyo_is_written_as_expected():
    entry = replace(ENTRY, title="Webinar", locale="en", description="")
    assert build_calendar([entry]).decode() == (
        "BEGIN:VCALENDAR\r\n"
        "VERSION:2.0\r\n"
        "PRODID:-//Uketsuke//Registration//EN\r\n"
        "METHOD:PUBLISH\r\n"
        "BEGIN:VTIMEZONE\r\n"
        "TZID:Asia/Tokyo\r\n"
        "BEGIN:STANDARD\r\n"
        "DTSTART:19700101T000000\r\n"
        "TZNAME:JST\r\n"
        "TZOFFSETFROM:+0900\r\n"
        "TZOFFSETTO:+0900\r\n"
        "END:STANDARD\r\n"
        "END:VTIMEZONE\r\n"
        "BEGIN:VEVENT\r\n"
        "SUMMARY:Webinar\r\n"
        "DTSTART;TZID=Asia/Tokyo:20261210T140000\r\n"
        "DTEND;TZID=Asia/Tokyo:20261210T150000\r\n"
        "DTSTAMP:20261122T010203Z\r\n"
        "UID:reg123@uketsuke.example\r\n"
        "SEQUENCE:0\r\n"
        f"DESCRIPTION:{LINK}\r\n"
        "LOCATION:Online (Zoom)\r\n"
        "STATUS:CONFIRMED\r\n"
        f"URL:{LINK}\r\n"
        "BEGIN:VALARM\r\n"
        "ACTION:DISPLAY\r\n"
        "DESCRIPTION:Webinar\r\n"
        "TRIGGER:-PT15M\r\n"
        "END:VALARM\r\n"
        "END:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )


def test_other_zone_is_written_in_utc_without_vtimezone():
    calendar = read(replace(ENTRY, timezone="America/New_York"))
    assert calendar.walk("VTIMEZONE") == []
    assert calendar.walk("VEVENT")[0]["DTSTART"].to_ical() == b"20261210T050000Z"


def test_times_read_back_as_the_same_moment():
    event = read_event(ENTRY)
    assert event["DTSTART"].dt.astimezone(UTC) == ENTRY.starts_at
    assert event["DTEND"].dt.astimezone(UTC) == ENTRY.ends_at


def test_link_is_address_and_first_line_of_description():
    event = read_event(ENTRY)
    assert event["URL"] == LINK
    assert event["DESCRIPTION"].split("\n")[0] == LINK
    assert event["LOCATION"] == "オンライン（Zoom）"


def test_without_link_no_address_is_written():
    event = read_event(replace(ENTRY, url=None))
    assert "URL" not in event
    assert event["DESCRIPTION"] == ENTRY.description


def test_cancel_names_the_same_entry_with_higher_sequence():
    calendar = read(replace(ENTRY, sequence=3, url=None), "CANCEL")
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (ENTRY.uid, 3, "CANCELLED")
    assert calendar.walk("VALARM") == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_inside_its_value(text):
    file = build_calendar([replace(ENTRY, title=text, description=text)])
    (event,) = Calendar.from_ical(file).walk("VEVENT")
    names = [name for name, _ in event.property_items(recursive=False)]
    assert "ATTENDEE" not in names
    assert names.count("SUMMARY") == 1
    assert event["SUMMARY"] == "".join(c for c in text if c.isprintable() or c in "\u200d\u202e")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=300))
def test_lines_fold_at_75_octets_between_characters(title):
    file = build_calendar([replace(ENTRY, title=title)])
    assert file.count(b"\n") == file.count(b"\r\n")
    for line in file.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert Calendar.from_ical(file).walk("VEVENT")[0]["SUMMARY"] == title


def test_google_link_carries_the_event():
    url = urlsplit(google_url(replace(ENTRY, title="A & B + C#D")))
    assert (url.netloc, url.path) == ("calendar.google.com", "/calendar/render")
    assert parse_qs(url.query) == {
        "action": ["TEMPLATE"],
        "text": ["A & B + C#D"],
        "dates": ["20261210T050000Z/20261210T060000Z"],
        "ctz": ["Asia/Tokyo"],
        "details": [f"{LINK}\n\n{ENTRY.description}"],
        "location": ["オンライン（Zoom）"],
    }


@pytest.mark.parametrize("host", ["outlook.office.com", "outlook.live.com"])
def test_outlook_link_carries_the_event(host):
    url = urlsplit(outlook_url(replace(ENTRY, title="A & B", url=None, description=""), host))
    assert (url.netloc, url.path) == (host, "/calendar/deeplink/compose")
    assert "+" not in url.query
    assert parse_qs(url.query) == {
        "path": ["/calendar/action/compose"],
        "rru": ["addevent"],
        "startdt": ["2026-12-10T05:00:00Z"],
        "enddt": ["2026-12-10T06:00:00Z"],
        "subject": ["A & B"],
        "location": ["オンライン（Zoom）"],
    }


def test_times_of_any_offset_make_the_same_file():
    elsewhere = timezone(timedelta(hours=-5))
    moved = replace(
        ENTRY,
        starts_at=ENTRY.starts_at.astimezone(elsewhere),
        ends_at=ENTRY.ends_at.astimezone(elsewhere),
    )
    assert build_calendar([moved]) == build_calendar([ENTRY])
