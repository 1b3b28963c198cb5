"""The operator hears once what stands still, and once that it is over, whoever notices it."""

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cli.stand_in import EVERY_TURN, look_once
from services.alarms import _SEEN_ELSEWHERE, AlarmName, Problem, keep_alarms, take_telling
from services.date_following import request_look
from services.event_editing import cancel_event
from services.failing_work import KINDS
from services.organizer_mails import OrganizerMailName, request_mail
from storage import alarms, events, heartbeats, job_requests
from storage.jobs import POISONOUS_AFTER
from storage.models import Alarm, Job, JobState, Mail
from storage.overview import MAILS
from tests.fixtures.databases import only_sqlite
from tests.mailbox import read_text
from tests.people import HANAKO, TARO
from tests.races import race
from tests.series import make_series
from tests.worker.smtp_server import Inbox, recite, serve
from worker.alarms import _WORK, AlarmWatch
from worker.mail_failures import MOST_TRIES
from worker.smtp import make_transport

OPERATOR = "operator@example.com"
NOBODY = "smtp://127.0.0.1:1"
SILENT = ["220 hi", "250 ok", "250 ok", "250 ok", "354 go"]
THREE_A_DAY = "You have exceeded the daily rate limit of (3) for Add meeting registrant API."


class Watch:
    """A site, and processes that look after it as workers do."""

    def __init__(self, start_site, caplog, **settings):
        self.site = start_site(**{"operator_email": OPERATOR} | settings)
        self._caplog = caplog

    def look(self, *, mail_url="", is_worker=True, **settings):
        self.make(mail_url, **settings).look(is_worker=is_worker)

    def make(self, mail_url="", **settings):
        site = self.site
        return AlarmWatch(
            replace(site.settings, **settings),
            site.database,
            transport=make_transport(mail_url, site.settings.mailbox),
            app_context=site.app.app_context,
            read_clock=site.clock,
        )

    def register(self, **members):
        self.site.add_event(**{"slug": "spring"} | members)
        self.site.visitor().open("/e/spring").form().fill(**TARO).submit()

    def register_without_zoom(self, **members):
        self.site.add_event(**{"slug": "spring"} | members)
        self.site.stop_zoom()
        self.site.visitor().open("/e/spring").form().fill(**TARO).submit()
        self.site.drain()

    def work_on(self, *, mail_url="", **by):
        """Let time pass for workers that work."""
        self.site.let_pass(**by)
        self.site.settings = replace(self.site.settings, mail_url=mail_url)
        self.site.drain()

    def list_subjects(self):
        return [str(mail["Subject"]) for mail in self.site.mailbox.list_mails(OPERATOR)]

    def list_lines(self):
        return [
            (record.levelname, record.message, record.alarm)
            for record in self._caplog.records
            if record.message.startswith("alarm")
        ]

    def list_alarms(self):
        with self.site.database.read() as session:
            return list(session.scalars(select(Alarm.name)))


@pytest.fixture
def make_watch(start_site, caplog):
    caplog.set_level(logging.WARNING)
    return lambda **settings: Watch(start_site, caplog, **settings)


@pytest.fixture
def watch(make_watch):
    return make_watch()


def test_zoom_is_away_for_half_an_hour_and_comes_back(watch):
    watch.register_without_zoom()
    watch.work_on(minutes=29)
    watch.look()
    assert (watch.list_lines(), watch.list_subjects()) == ([], [])

    watch.work_on(minutes=2)
    watch.look()
    watch.look()
    assert watch.list_lines() == [("ERROR", "alarm", "zoom_waiting")]
    [subject] = watch.list_subjects()
    assert subject == "【警告】申し込みがZoomの応答を待っています"

    watch.site.start_zoom()
    watch.work_on(hours=1)
    watch.look()
    watch.look()
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "zoom_waiting")]
    assert watch.list_subjects()[1:] == ["【解消】申し込みがZoomの応答を待っています"]
    assert watch.list_alarms() == []


def test_mail_counts_and_names_nobody(watch):
    watch.register_without_zoom()
    watch.work_on(minutes=31)
    watch.look()

    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert [line for line in text.splitlines() if line[-2:] == "：1"] == [
        "申し込み：1",
        "イベント：1",
    ]
    assert "flask status" in text
    assert not {"taro", "山田", "/j/", "/r/"} & set(text.split())
    assert "example.com" not in text


@only_sqlite
def test_alarm_is_told_again_after_a_day(watch):
    watch.register_without_zoom()
    for hours in (1, 23, 1, 1):
        watch.work_on(hours=hours)
        watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "zoom_waiting")] * 2
    assert len(watch.list_subjects()) == 2


@only_sqlite
def test_missing_setting_is_told_at_once(watch):
    granted = watch.site.zoom.state()["scopes"]
    watch.site.zoom.grant_scopes(scope for scope in granted if "write:registrant" not in scope)
    watch.register()
    watch.site.drain()
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "needs_setting")]
    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert "理由：アプリのスコープが不足しています" in text
    named = text.partition("不足しているスコープ：")[2].splitlines()[0]
    assert named == "meeting:write:registrant, meeting:write:registrant:admin"


@only_sqlite
def test_form_that_zoom_has_closed_is_told_at_once(watch):
    watch.site.add_event(slug="spring")
    [meeting] = watch.site.zoom.state()["meetings"]
    watch.site.zoom.change_meeting(meeting["id"], capacity=0)
    watch.site.visitor().open("/e/spring").form().fill(**TARO).submit()
    watch.site.drain()
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "needs_setting")]
    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert "上限" in text and "flask event publish" in text


@only_sqlite
def test_anybody_without_a_link_half_an_hour_before_the_start_is_told(watch):
    watch.register_without_zoom(starts_at=watch.site.clock() + timedelta(minutes=40))
    watch.look()
    assert watch.list_alarms() == []

    watch.work_on(minutes=10)
    watch.look()
    assert watch.list_alarms() == ["starting_soon"]


@only_sqlite
def test_nobody_is_told_of_links_that_come_at_once(watch):
    watch.register(starts_at=watch.site.clock() + timedelta(minutes=20))
    watch.look()
    watch.work_on(seconds=30)
    watch.look()
    assert watch.list_lines() == []

    watch.site.visitor().open("/e/spring").form().fill(**HANAKO).submit()
    watch.site.let_pass(minutes=2)
    watch.look()
    assert watch.list_alarms() == ["starting_soon"]


@only_sqlite
def test_link_that_comes_only_after_the_start_is_told_at_once(watch):
    now = watch.site.clock()
    noon = now.replace(hour=12, minute=0) + timedelta(days=1)
    watch.site.let_pass(seconds=(noon - now).total_seconds())
    watch.site.zoom.fault("add_registrant", count=None, status=429, message=THREE_A_DAY)
    watch.register(starts_at=noon + timedelta(hours=8))
    watch.site.drain()
    watch.work_on(seconds=70)
    watch.look()

    assert watch.list_alarms() == ["link_too_late"]


@only_sqlite
def test_mail_server_is_away_and_the_alarm_waits_for_it_too(watch):
    watch.register()
    watch.site.let_pass(minutes=31)
    watch.look(mail_url=NOBODY)
    watch.site.let_pass(minutes=2)
    watch.look(mail_url=NOBODY)
    inbox = Inbox()
    watch.site.let_pass(minutes=2)
    with serve(inbox) as port:
        watch.look(mail_url=f"smtp://127.0.0.1:{port}")
        watch.look(mail_url=f"smtp://127.0.0.1:{port}")

    keys = {"zoom_waiting", "mail_waiting"}
    assert {key for _, _, key in watch.list_lines()} == keys
    assert len(watch.list_lines()) == len(inbox.envelopes) == 2


@only_sqlite
def test_message_that_perhaps_went_goes_once_more_as_the_same_one(watch):
    watch.register_without_zoom()
    watch.work_on(minutes=31)
    for _ in range(3):
        with recite(SILENT) as recital:
            watch.look(mail_url=f"smtp://127.0.0.1:{recital.port}")
            watch.work_on(minutes=2)

    assert watch.list_lines() == [("ERROR", "alarm", "zoom_waiting")]
    with watch.site.database.read() as session:
        [alarm] = session.scalars(select(Alarm))
        assert (alarm.message_id, alarm.told_at is None) == ("", False)


def test_mail_that_perhaps_never_went_is_told_with_the_way_on(watch):
    watch.register()
    for _ in range(2):
        with recite(SILENT) as recital:
            watch.work_on(minutes=10, mail_url=f"smtp://127.0.0.1:{recital.port}")
        watch.look()
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "mail_given_up")]
    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert {"メール：1", "理由：MailOutcomeUnknown"} <= set(text.splitlines())
    assert "flask jobs retry" in text

    watch.site.app.test_cli_runner().invoke(args=["jobs", "retry", "mail:1"])
    watch.work_on(minutes=1)
    watch.look()
    assert len(watch.site.mailbox.list_mails(TARO["email"])) == 1
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "mail_given_up")]


def mail_organizers(watch, *names):
    """Ask for a mail to each of some organizers."""
    with watch.site.database.write() as session:
        for name in names:
            request_mail(
                session,
                OrganizerMailName.TEST,
                f"{name}@example.com",
                locale="ja",
                now=watch.site.clock(),
            )


def test_mail_to_an_organizer_that_was_given_up_is_told(watch):
    mail_organizers(watch, "boss")
    with watch.site.database.write() as session:
        session.execute(update(Job).values(attempts=MOST_TRIES))
    watch.work_on(minutes=1, mail_url=NOBODY)
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "mail_given_up")]
    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert {"メール：1", "理由：MailUnavailable"} <= set(text.splitlines())
    assert "1 failed" in watch.site.app.test_cli_runner().invoke(args=["status"]).output

    again = ["jobs", "retry", "--all", "--reason", "MailUnavailable"]
    watch.site.app.test_cli_runner().invoke(args=again)
    watch.work_on(minutes=1)
    watch.look()
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "mail_given_up")]


@only_sqlite
def test_lost_mails_to_people_and_to_organizers_are_counted_together(watch):
    watch.register()
    watch.site.stop_zoom()
    mail_organizers(watch, "boss", "colleague")
    watch.work_on(minutes=1, mail_url=NOBODY)
    with watch.site.database.write() as session:
        session.execute(update(Job).where(Job.kind.in_(MAILS)).values(attempts=MOST_TRIES))
    watch.work_on(minutes=10, mail_url=NOBODY)
    watch.look()

    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert {"メール：3", "理由：MailUnavailable"} <= set(text.splitlines())


def test_organizers_count_where_one_recipient_after_another_is_refused(watch):
    watch.site.add_event(slug="spring")
    inbox = Inbox(rcpt="550 5.1.1 nobody of that name")
    mail_organizers(watch, "boss", "Boss")
    send_to(watch, inbox, "a")
    assert watch.list_lines() == []

    mail_organizers(watch, "colleague")
    with serve(inbox) as port:
        watch.work_on(minutes=1, mail_url=f"smtp://127.0.0.1:{port}")
    watch.look()
    assert watch.list_lines() == [("ERROR", "alarm", "mail_refused")]


@only_sqlite
def test_mails_that_wait_for_organizers_alone_are_told_too(watch):
    mail_organizers(watch, "boss")
    watch.work_on(minutes=31, mail_url=NOBODY)
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "mail_waiting")]


def send_to(watch, inbox, *names, is_wanted=True):
    """Register people, and have workers send their mails, one after another."""
    with serve(inbox) as port:
        for name in names:
            person = TARO | {"email": f"{name}@example.com"}
            watch.site.visitor().open("/e/spring").form().fill(**person).submit()
            if not is_wanted:
                with watch.site.database.write() as session:
                    waits = Mail.state == "queued"
                    session.execute(update(Mail).where(waits).values(state="dropped"))
            watch.work_on(minutes=1, mail_url=f"smtp://127.0.0.1:{port}")
            watch.look()


def test_server_that_refuses_one_after_another_is_told_of(watch):
    watch.site.add_event(slug="spring")
    inbox = Inbox(rcpt="550 5.1.1 nobody of that name")
    send_to(watch, inbox, "a", "b")
    assert watch.list_lines() == []

    send_to(watch, inbox, "c")
    watch.look()
    assert watch.list_lines() == [("ERROR", "alarm", "mail_refused")]
    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    assert "宛先の数：3" in text.splitlines()
    again = ["jobs", "retry", "--all", "--reason", "MailRefused"]
    assert f"flask {' '.join(again)}" in " ".join(text.split())

    inbox.replies.clear()
    send_to(watch, inbox, "d")
    assert watch.list_lines()[1:] == [], "theirs have not gone"
    watch.site.app.test_cli_runner().invoke(args=again)
    send_to(watch, inbox, "e")
    assert len(inbox.envelopes) == 5
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "mail_refused")]


@pytest.mark.parametrize(
    ("reason", "alarm"), [("MailRefused", "mail_refused"), ("MailUnavailable", "mail_given_up")]
)
def test_word_of_a_cancelled_event_that_never_went_is_told(watch, reason, alarm):
    watch.site.add_event(slug="spring")
    inbox = Inbox()
    send_to(watch, inbox, "a", "b", "c")
    cancel(watch)
    watch.work_on(minutes=1, mail_url=NOBODY)
    with watch.site.database.write() as session:
        session.execute(update(Job).where(Job.state == "ready").values(attempts=MOST_TRIES))
    inbox.replies["rcpt"] = "550 5.1.1 nobody of that name"
    with serve(inbox) as port:
        server = f"smtp://127.0.0.1:{port}"
        watch.work_on(minutes=10, mail_url=server if reason == "MailRefused" else NOBODY)
        watch.look()
        assert watch.list_lines() == [("ERROR", "alarm", alarm)]
        shown = watch.site.app.test_cli_runner().invoke(args=["status"])
        assert f"3 put aside (mail, {reason})" in shown.output and shown.exit_code == 1

        inbox.replies.clear()
        again = ["jobs", "retry", "--all", "--reason", reason]
        watch.site.app.test_cli_runner().invoke(args=again)
        watch.work_on(minutes=1, mail_url=server)
        watch.look()
    assert len(inbox.envelopes) == 6
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", alarm)]


def cancel(watch):
    with watch.site.database.write() as session:
        cancel_event(session, events.get_event_by_slug(session, "spring"), now=watch.site.clock())


@only_sqlite
def test_server_that_takes_mails_in_between_is_well(watch):
    watch.site.add_event(slug="spring")
    refusing = Inbox(rcpt="550 5.1.1 nobody of that name")
    send_to(watch, refusing, "a", "b")
    send_to(watch, Inbox(), "c")
    send_to(watch, refusing, "d", "e")
    assert watch.list_lines() == []

    # It was not there to be taken.
    send_to(watch, refusing, "f", is_wanted=False)
    send_to(watch, refusing, "g")
    assert watch.list_lines() == [("ERROR", "alarm", "mail_refused")]


def put_aside(watch, kind):
    """Have a worker find that others have died of what waits of a kind."""
    with watch.site.database.write() as session:
        poisonous = {"crashes": POISONOUS_AFTER, "run_at": watch.site.clock()}
        waits = (Job.kind == kind, Job.state == JobState.READY)
        session.execute(update(Job).where(*waits).values(**poisonous))
    watch.site.drain()


def test_work_that_nobody_waits_for_is_told_with_the_way_on(watch):
    watch.register()
    watch.site.drain()
    cancel(watch)
    put_aside(watch, "event")
    watch.look()
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "work_given_up")]
    text = read_text(watch.site.mailbox.read_only(OPERATOR))
    facts = {"処理の件数：2", "処理の内容：イベントの変更・中止にともなう処理"}
    assert facts <= set(text.splitlines())
    assert len(watch.site.mailbox.list_mails(TARO["email"])) == 1

    again = ["jobs", "retry", "--all", "--reason", "GivenUp"]
    watch.site.app.test_cli_runner().invoke(args=again)
    watch.site.drain()
    watch.look()
    assert len(watch.site.mailbox.list_mails(TARO["email"])) == 2
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "work_given_up")]


@only_sqlite
@pytest.mark.parametrize("kind", ["zoom.settle", "places"])
def test_work_at_zoom_for_an_event_that_is_over_is_nobodys_need(watch, kind):
    now = watch.site.clock()
    event = watch.site.add_event(slug="spring", starts_at=now - timedelta(days=1))
    with watch.site.database.write() as session:
        job_requests.enqueue(
            session, kind=kind, key=kind, payload={}, event_id=event.id, run_at=now, now=now
        )
    put_aside(watch, kind)
    with watch.site.database.read() as session:
        assert session.scalars(select(Job.state)).all() == ["parked"]
    watch.look()

    assert watch.list_lines() == []


@only_sqlite
def test_every_kind_of_work_is_named_or_seen_elsewhere(site):
    kinds = {kind for lane in site.build_worker()._lanes for kind in lane.handlers}
    assert kinds - set(_SEEN_ELSEWHERE) == set(_WORK) == set(KINDS)


def test_dates_that_zoom_does_not_tell_for_half_a_day_are_told_with_the_scope(watch):
    site = watch.site
    with site.database.write() as session:
        request_look(session, make_series(session, site.zoom, now=site.clock()), now=site.clock())
    watch.work_on(hours=13)
    watch.work_on(hours=13)
    granted = site.zoom.state()["scopes"]
    site.zoom.grant_scopes(scope for scope in granted if "meeting:read:meeting" not in scope)
    watch.work_on(hours=1)
    watch.look()
    assert watch.list_lines() == []

    watch.work_on(hours=12)
    watch.look()
    assert watch.list_lines() == [("ERROR", "alarm", "dates_unknown")]
    text = read_text(site.mailbox.read_only(OPERATOR))
    assert "不足しているスコープ：meeting:read:meeting" in text

    site.zoom.grant_scopes(granted)
    watch.work_on(hours=1)
    watch.look()
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "dates_unknown")]


def test_alarm_that_the_mail_server_refuses_is_tried_every_hour_and_shown(watch):
    inbox = Inbox(rcpt="552 5.2.2 mailbox full")
    with serve(inbox) as port:
        for minutes in (0, 59, 2, 30):
            watch.site.let_pass(minutes=minutes)
            watch.look(mail_url=f"smtp://127.0.0.1:{port}", is_worker=False)
        assert inbox.recipients_named == 2
        shown = watch.site.app.test_cli_runner().invoke(args=["status"]).output
        assert "no_worker since" in shown and ", REFUSED by the mail server" in shown
        assert "refuses mails to UKETSUKE_OPERATOR_EMAIL" in shown

        inbox.replies.clear()
        for _ in range(2):
            watch.site.let_pass(minutes=31)
            watch.look(mail_url=f"smtp://127.0.0.1:{port}", is_worker=False)
    assert len(inbox.envelopes) == 1
    shown = watch.site.app.test_cli_runner().invoke(args=["status"]).output
    assert ", told 2" in shown and "UKETSUKE_OPERATOR_EMAIL" not in shown


@only_sqlite
def test_end_that_the_mail_server_refuses_is_given_up_after_a_day(watch):
    watch.look(is_worker=False)
    with serve(Inbox(rcpt="552 5.2.2 mailbox full")) as port:
        for hours in (1, 2, 20):
            watch.site.let_pass(hours=hours)
            watch.look(mail_url=f"smtp://127.0.0.1:{port}")
            assert watch.list_alarms() == ["no_worker"]
        watch.site.let_pass(hours=3)
        watch.look(mail_url=f"smtp://127.0.0.1:{port}")
    assert watch.list_alarms() == []


@only_sqlite
def test_alarm_that_a_clock_of_the_future_told_is_told_again(watch):
    clock = watch.site.clock
    clock.move(days=365)
    with watch.site.database.write() as session:
        heartbeats.beat(session, "w", started_at=clock(), now=clock())
    clock.move(hours=1)
    watch.look(is_worker=False)
    clock.move(days=-365)
    watch.look(is_worker=False)
    watch.look(is_worker=False)

    assert watch.list_lines() == [("ERROR", "alarm", "no_worker")] * 2
    assert len(watch.list_subjects()) == 2


@only_sqlite
def test_without_an_address_the_log_is_all(make_watch):
    watch = make_watch(operator_email="")
    watch.register_without_zoom()
    watch.work_on(minutes=31)
    watch.look()
    watch.look()

    assert watch.list_lines() == [("ERROR", "alarm", "zoom_waiting")]
    assert watch.list_subjects() == []


def test_process_without_an_address_leaves_it_to_the_others(watch):
    watch.register_without_zoom()
    watch.work_on(minutes=31)
    watch.look(operator_email="")
    status = watch.site.app.test_cli_runner()
    assert ", not told yet" in status.invoke(args=["status"]).output
    watch.look()
    assert watch.list_subjects() == ["【警告】申し込みがZoomの応答を待っています"]
    assert ", told 2" in status.invoke(args=["status"]).output

    watch.site.start_zoom()
    watch.work_on(hours=1)
    watch.look(operator_email="")
    watch.look()
    assert watch.list_subjects()[1:] == ["【解消】申し込みがZoomの応答を待っています"]
    assert watch.list_alarms() == []


def test_end_that_nobody_could_tell_is_forgotten_after_a_day(database, now):
    problem = Problem(AlarmName.NO_WORKER, {})
    with database.write() as session:
        keep_after(session, problem, now=now, minutes=0)
        telling = take_telling(session, now=now)
        alarms.record_told(session, telling.key, telling.message_id, now=now)
        session.expire_all()
        assert keep_after(session, now=now, minutes=10) == [("no_worker", True)]
        assert keep_after(session, now=now, minutes=23 * 60) == []
        assert alarms.list_names(session) == ["no_worker"]

        later = now + timedelta(days=20)
        [change] = keep_alarms(session, [problem], now=later)
        assert (change.began_at, change.is_over) == (later, False), "another time"
        assert keep_after(session, now=later, minutes=1) == [("no_worker", True)]
        assert alarms.list_names(session) == []


@only_sqlite
def test_worker_that_is_missing_is_told_by_the_web_processes(watch):
    watch.look(is_worker=False)
    assert watch.list_lines() == [("ERROR", "alarm", "no_worker")]

    with watch.site.database.write() as session:
        heartbeats.beat(session, "w", started_at=watch.site.clock(), now=watch.site.clock())
    watch.look()
    assert watch.list_lines()[1:] == [("WARNING", "alarm over", "no_worker")]


@only_sqlite
def test_worker_that_starts_anew_is_not_missed_for_three_minutes(watch):
    clock = watch.site.clock
    with watch.site.database.write() as session:
        heartbeats.beat(session, "w", started_at=clock(), now=clock())
    clock.move(seconds=175)
    look_once(watch.make(), EVERY_TURN)
    assert watch.list_lines() == []
    clock.move(seconds=10)
    look_once(watch.make(), EVERY_TURN)

    assert watch.list_lines() == [("ERROR", "alarm", "no_worker")]


@only_sqlite
def test_web_processes_look_now_and_then_beside_workers_that_die_soon(watch):
    watch.register_without_zoom()
    watch.work_on(minutes=31)
    seen = []
    for turn in range(1, EVERY_TURN + 1):
        with watch.site.database.write() as session:
            heartbeats.beat(session, "w", started_at=watch.site.clock(), now=watch.site.clock())
        look_once(watch.make(), turn)
        seen.append(len(watch.list_lines()))

    assert seen == [0] * (EVERY_TURN - 1) + [1]
    assert watch.list_lines() == [("ERROR", "alarm", "zoom_waiting")]


def keep_after(session, *found, now, minutes):
    later = now + timedelta(minutes=minutes)
    return [(change.key, change.is_over) for change in keep_alarms(session, found, now=later)]


def test_what_is_wrong_on_one_machine_ends_once_nobody_has_seen_it_for_an_hour(database, now):
    full = Problem(AlarmName.DISK_FILLING, {"percent": 91}, place="a")
    with database.write() as session:
        assert keep_after(session, full, now=now, minutes=0) == [("disk_filling:a", False)]
        for minutes in (1, 50):
            assert keep_after(session, now=now, minutes=minutes) == []
        assert keep_after(session, full, now=now, minutes=59) == []
        assert keep_after(session, now=now, minutes=118) == []
        assert keep_after(session, now=now, minutes=119) == [("disk_filling:a", True)]


def test_alarm_of_an_older_version_has_an_hour_from_now_on(database, now):
    full = Problem(AlarmName.DISK_FILLING, {"percent": 91}, place="a")
    with database.write() as session:
        keep_after(session, full, now=now, minutes=0)
        session.execute(update(Alarm).values(confirmed_at=None))
        session.expire_all()
        assert keep_after(session, now=now, minutes=90) == []
        assert keep_after(session, now=now, minutes=151) == [("disk_filling:a", True)]


def test_alarm_of_a_newer_version_is_left_to_its_processes(database, now):
    with database.write() as session:
        for name in ("later", "later:machine"):
            alarms.add_alarm(session, name, facts={}, message_id="1", now=now)
        assert keep_after(session, Problem(AlarmName.NO_WORKER, {}), now=now, minutes=1) == [
            ("no_worker", False)
        ]
        assert take_telling(session, now=now).key == "no_worker"
        assert take_telling(session, now=now) is None
        alarms.record_told(session, "later", "1", now=now)
        assert set(alarms.list_names(session)) == {"later", "later:machine", "no_worker"}


def test_alarm_that_no_process_knows_any_more_is_forgotten(database, now):
    with database.write() as session:
        alarms.add_alarm(session, "later", facts={}, message_id="1", now=now)
        assert keep_after(session, now=now, minutes=24 * 60) == []
        assert alarms.list_names(session) == ["later"]
        assert keep_after(session, now=now, minutes=25 * 60) == []
        assert alarms.list_names(session) == []


def test_of_many_that_notice_one_tells(database_url, now):
    barrier = threading.Barrier(4)
    problem = Problem(AlarmName.NO_WORKER, {})

    def notice(database):
        barrier.wait()
        with database.write() as session:
            changes = keep_alarms(session, [problem], now=now)
        barrier.wait()
        with database.write() as session:
            return len(changes), take_telling(session, now=now) is not None

    seen = race(database_url, notice)

    assert sum(begun for begun, _ in seen) == 1
    assert sum(told for _, told in seen) == 1


def test_without_a_lease_everybody_would_tell(database_url, now):
    barrier = threading.Barrier(4)

    def notice(database):
        with database.write() as session:
            keep_alarms(session, [Problem(AlarmName.NO_WORKER, {})], now=now)
        barrier.wait()
        with database.read() as session:
            return session.scalar(select(Alarm.message_id)) != ""

    assert race(database_url, notice) == [True] * 4


@pytest.fixture
def now():
    from tests.factories import NOW

    return NOW
