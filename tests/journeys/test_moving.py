"""An event that is moved: everybody hears of each new time once, also after a slip of the year."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.dates import format_moment, format_short
from services.event_content import change_content
from services.event_files import describe_event
from services.events import LinkPolicy
from services.registrations import register
from storage import events
from tests import factories
from tests.fixtures.databases import only_sqlite
from tests.mailbox import find_link, read_text

YEAR, WEEK = timedelta(days=365), timedelta(days=7)
TIMES = {"first": 0 * WEEK, "later": WEEK, "last": 2 * WEEK, "past": -YEAR}

PLANS = {
    "slip": (["past", "later"], 1),
    "slip-of-the-second-time": (["later", "past", "later"], 1),
    "slip-before-anybody-is-told": (["later past", "later"], 1),
    "slip-before-another-time": (["later past", "last"], 1),
    "slip-between-two-moves": (["later", "past", "last"], 2),
    "slip-that-is-taken-back": (["past", "first"], 0),
    "slip-twice": (["past", "first past", "later"], 1),
    "move-at-once-to-another-time": (["later last"], 1),
    "move-there-and-back": (["later", "first"], 2),
}
"""Where an event is moved before each turn of the worker, and how often people are told."""


def add_people(site, *slugs, starts_at):
    """Add an event by each slug, for which somebody of its name registers; return the last one."""
    for slug in slugs:
        event = site.add_event(slug=slug, starts_at=starts_at)
        with site.database.write() as session:
            submission = factories.make_submission(event, email=f"{slug}@example.com")
            register(session, event, submission, policy=LinkPolicy.SHOW, now=site.clock())
    return event


def move(site, slug, starts_at):
    with site.database.write() as session:
        event = events.get_event_by_slug(session, slug)
        wanted = replace(describe_event(session, event), starts_at=starts_at)
        change_content(session, event, wanted, pictures={}, now=site.clock())


def work(site):
    site.let_pass(minutes=2)
    site.drain()


def test_everybody_is_told_of_each_time_once_and_of_no_slip(site):
    first = site.clock() + WEEK
    add_people(site, *PLANS, starts_at=first)
    site.drain()
    for turn in range(3):
        for slug, (turns, _) in PLANS.items():
            for time in turns[turn].split() if turn < len(turns) else ():
                site.clock.move(seconds=1)
                move(site, slug, first + TIMES[time])
        work(site)
    work(site)

    told = {slug: site.mailbox.list_subjects(f"{slug}@example.com") for slug in PLANS}
    assert told == {slug: ["受付完了"] + ["日時変更"] * most for slug, (_, most) in PLANS.items()}
    mail = site.mailbox.read_last("slip@example.com")
    assert f"変更前の日時：{format_moment(first, 'Asia/Tokyo', 'ja')}" in read_text(mail)


@pytest.mark.parametrize("postponed_after", [timedelta(minutes=2), 2 * WEEK])
def test_what_was_due_while_the_event_was_over_is_sent_after_all(site, postponed_after):
    first = site.clock() + WEEK
    event = add_people(site, "spring", starts_at=first)
    if postponed_after < WEEK:
        move(site, "spring", first - YEAR)
    site.let_pass(seconds=postponed_after.total_seconds())
    site.drain()
    assert site.mailbox.list_subjects("spring@example.com") == []

    move(site, "spring", again := first + 3 * WEEK)
    site.zoom.change_meeting(event.zoom_id, start_time=f"{again:%Y-%m-%dT%H:%M:%SZ}")
    for _ in range(2):
        work(site)

    told = site.mailbox.list_mails("spring@example.com")
    assert sorted(mail["Subject"].split("】")[0] for mail in told) == ["【受付完了", "【日時変更"]
    assert all(format_short(again, "Asia/Tokyo", "ja") in mail["Subject"] for mail in told)


@only_sqlite
def test_who_was_refused_is_told_of_a_new_time_without_a_link(site):
    first = site.clock() + WEEK
    add_people(site, "host", starts_at=first)
    work(site)

    move(site, "host", first + WEEK)
    work(site)

    assert site.mailbox.list_subjects("host@example.com") == ["Zoomに登録できません", "日時変更"]
    mail = site.mailbox.read_last("host@example.com")
    [calendar] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert "Zoomで登録が受け付けられていません" in read_text(mail)
    assert "このイベントのホストに設定されているため" in read_text(mail)
    assert find_link(mail, "r")
    assert "/j/" not in read_text(mail) + calendar.get_content()
