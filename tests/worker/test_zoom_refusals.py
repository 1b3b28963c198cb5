"""What Zoom refuses: who waits for how long, who needs the organizer, and what is told."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from services.deliveries import Delivery
from services.mail_limits import PER_ADDRESS_A_DAY
from storage import job_lists, mails
from storage.models import Mail
from tests import factories
from tests.fixtures.databases import only_sqlite
from tests.worker.desk import TARO

pytestmark = only_sqlite


def refuse(desk, status=400, code=None, message="", **headers):
    desk.zoom.fault(
        "add_registrant",
        does="answer",
        status=status,
        code=code,
        message=message,
        headers=headers,
        count=None,
    )


def end_at_zoom(desk):
    desk.zoom.move_clock(days=30)


def fill_at_zoom(desk):
    desk.zoom.change_meeting(desk.event.zoom_id, capacity=0)


def read_outcome(desk):
    registrant, job = desk.read(), desk.read_job()
    return registrant.delivery, registrant.problem, job.state


@pytest.mark.parametrize(
    ("happen", "problem"),
    [
        (lambda desk: desk.zoom.revoke_secret(), "AuthenticationFailed"),
        (
            lambda desk: desk.zoom.remove_scopes("meeting:write:registrant:admin"),
            "ScopeMissing",
        ),
        (lambda desk: desk.change_event(zoom_id=99_999_999_999), "MeetingNotFound"),
        (lambda desk: desk.zoom.change_meeting(desk.event.zoom_id, kind="webinar"), "WrongKind"),
        (
            lambda desk: desk.zoom.change_meeting(
                desk.event.zoom_id, settings={"approval_type": 2}
            ),
            "RegistrationDisabled",
        ),
        (lambda desk: refuse(desk, code=200, message="No plan."), "HostNotAllowed"),
        (lambda desk: refuse(desk, code=1010, message="No such user."), "HostNotFound"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_setting_at_zoom_mends_waits_for_it(desk, happen, problem):
    desk.register()
    happen(desk)

    desk.work()

    job = desk.read_job()
    assert read_outcome(desk) == (Delivery.NEEDS_SETTING, problem, "ready")
    assert job.attempts == 0
    assert job.reason.startswith(f"{problem}: ")
    assert desk.read().attempt_started_at is None
    assert desk.list_mails() == ["confirmation"], "it is not the person's trouble yet"


@pytest.mark.parametrize(
    ("happen", "problem"),
    [
        (lambda desk: refuse(desk, code=3027, message="Host."), "HostCannotRegister"),
        (lambda desk: refuse(desk, code=3034, message="Work."), "WorkEmailRequired"),
        (lambda desk: refuse(desk, code=3000, message="As a panelist."), "AlreadyPanelist"),
        (lambda desk: refuse(desk, code=300, message="Validation Failed."), "ValidationFailed"),
        (lambda desk: refuse(desk, code=1001, message="Zoom account."), "ZoomAccountRequired"),
        (end_at_zoom, "MeetingOver"),
        (fill_at_zoom, "AtCapacity"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_waiting_does_not_mend_is_put_aside_and_told_once(desk, happen, problem):
    desk.register()
    happen(desk)

    desk.work()
    retry(desk)
    desk.work()

    assert read_outcome(desk) == (Delivery.REFUSED, problem, "parked")
    assert desk.read_job().reason.startswith(f"{problem}: ")
    assert desk.list_mails() == ["confirmation", "refused"]


def test_person_whom_zoom_denied_before_is_found_and_approved(desk):
    desk.zoom.add_registrant(desk.event.zoom_id, TARO)
    desk.zoom.change_registrant(desk.event.zoom_id, TARO, "deny")
    desk.register()
    desk.work()
    assert read_outcome(desk) == (Delivery.WAITING, "ZoomRefused", "ready")

    desk.let_pass(seconds=4)
    desk.work()

    assert read_outcome(desk) == (Delivery.REGISTERED, "", "done")
    assert desk.list_effects() == ["approve"]


def test_refusal_of_unknown_meaning_counts_the_second_time(desk):
    desk.register()
    refuse(desk, code=9999, message="Something new.")
    for _ in range(4):
        desk.work()
        desk.let_pass(seconds=65)

    assert read_outcome(desk) == (Delivery.REFUSED, "ZoomRefused", "parked")
    assert desk.count_calls("add_registrant") == 2
    assert desk.list_mails() == ["confirmation", "refused"]


def retry(desk):
    with desk.database.write() as session:
        assert job_lists.retry(session, desk.read_job().key, now=desk.clock())


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("You have reached the maximum per-second rate limit for this API.", "BurstLimited"),
        ("Too many concurrent requests.", "ConcurrencyLimited"),
    ],
)
def test_limit_of_the_second_uses_up_no_attempt(desk, message, problem):
    desk.register()
    refuse(desk, status=429, code=429, message=message)

    desk.work()

    job = desk.read_job()
    assert read_outcome(desk) == (Delivery.WAITING, problem, "ready")
    assert job.attempts == 0
    assert timedelta(0) < job.run_at - desk.clock() <= timedelta(seconds=7)


def test_limit_of_the_account_waits_until_zoom_says(desk):
    desk.register()
    later = (desk.clock() + timedelta(hours=5)).replace(microsecond=0)
    message = "You have reached the maximum daily rate limit for this API."
    refuse(desk, 429, 429, message, **{"Retry-After": f"{later:%Y-%m-%dT%H:%M:%SZ}"})

    desk.work()

    assert read_outcome(desk)[:2] == (Delivery.WAITING, "AccountDayLimited")
    assert later < desk.read_job().run_at <= later + timedelta(seconds=5)


def test_absurd_wait_ends_after_a_day(desk):
    desk.register()
    refuse(desk, 429, 429, "Too many.", **{"Retry-After": "2099-01-01T00:00:00Z"})

    desk.work()

    assert desk.read_job().run_at - desk.clock() <= timedelta(hours=25, seconds=5)


def test_person_whose_adds_are_used_up_waits_for_the_next_day_alone(desk):
    go_to_noon(desk)
    desk.register()
    desk.register("hanako@example.com")
    desk.zoom.use_up(f"add:{desk.event.zoom_id}:{TARO}", 3)

    desk.work()
    desk.let_pass(seconds=4)
    desk.work()
    assert desk.count_calls("list_registrants") == 3, "they may exist, and are looked for once"
    assert read_outcome(desk) == (Delivery.WAITING, "PersonDayLimited", "ready")
    tomorrow = desk.clock().date() + timedelta(days=1)
    resets_at = datetime.combine(tomorrow, time(0, 5), UTC)
    waits_until = desk.read_job().run_at
    assert resets_at < waits_until <= resets_at + timedelta(seconds=5)
    assert desk.read("hanako@example.com").delivery == Delivery.REGISTERED

    desk.let_pass(seconds=(waits_until - desk.clock()).total_seconds() + 1)
    desk.work()
    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_effects() == ["add"]


def go_to_noon(desk):
    """Let the clock be far from midnight UTC, when Zoom's days begin."""
    noon = desk.clock().replace(hour=12, minute=0, second=0) + timedelta(days=1)
    desk.let_pass(seconds=(noon - desk.clock()).total_seconds())


def change_ten_times(desk):
    """Change somebody's status at Zoom as often as it takes of one person a day."""
    for _ in range(5):
        desk.deny()
        desk.work()
        desk.approve()
        desk.work()
    assert desk.list_effects() == ["add", *["cancel", "approve"] * 5]


def test_eleventh_change_of_a_day_waits_for_the_next_and_is_not_asked_for(desk):
    go_to_noon(desk)
    desk.register()
    desk.register("hanako@example.com")
    desk.work()
    change_ten_times(desk)

    desk.deny()
    desk.deny("hanako@example.com")
    desk.work()
    desk.work()

    assert desk.count_calls("set_status") == 11, "ten for one person, and one for the other"
    assert read_outcome(desk) == (Delivery.WAITING, "PersonDayLimited", "ready")
    assert desk.read("hanako@example.com").delivery == Delivery.WITHDRAWN

    desk.let_pass(hours=13)
    desk.work()
    assert desk.read().delivery == Delivery.WITHDRAWN
    assert desk.list_at_zoom()[TARO] == "denied"


@pytest.mark.parametrize(
    ("fault", "counted", "effects"),
    [
        ({"method": "PUT", "path": "status", "status": 503, "when": "after"}, 1, ["cancel"]),
        ({"method": "PUT", "path": "status", "status": 503, "when": "before"}, 1, []),
        ({"method": "PUT", "path": "status", "status": 429, "when": "before"}, 0, []),
        ({"method": "GET", "path": "registrants/", "status": 503, "when": "before"}, 1, ["cancel"]),
    ],
)
def test_change_counts_unless_zoom_certainly_did_nothing(desk, fault, counted, effects):
    go_to_noon(desk)
    desk.register()
    desk.work()
    desk.zoom.fault(**fault)

    desk.cancel()
    desk.work()

    assert desk.read().delivery == Delivery.WAITING
    assert desk.list_effects() == ["add", *effects]
    assert desk.read().changes_that_day == counted


def test_change_that_zoom_takes_no_more_today_is_asked_for_once(desk):
    go_to_noon(desk)
    desk.register()
    desk.work()
    desk.zoom.use_up(f"status:{desk.read().registrant_id}", 10)

    desk.cancel()
    desk.work()
    desk.cancel()
    desk.let_pass(hours=2)
    desk.work()

    assert desk.count_calls("set_status") == 1, "others have used it up, and it is known since"
    assert read_outcome(desk) == (Delivery.WAITING, "PersonDayLimited", "ready")
    desk.let_pass(hours=11)
    desk.work()
    assert desk.list_effects() == ["add", "cancel"]


def test_everything_goes_on_by_itself_once_the_setting_is_right(desk):
    people = [f"person{number}@example.com" for number in range(5)]
    for email in people:
        desk.register(email)
    desk.zoom.revoke_secret()
    desk.work()
    assert desk.read(people[0]).delivery == Delivery.NEEDS_SETTING
    assert {desk.read(email).delivery for email in people[1:]} == {Delivery.WAITING}
    assert {desk.read_job(email).attempts for email in people} == {0}

    desk.zoom.restore_secret()
    desk.let_pass(minutes=1)
    desk.work()

    assert {desk.read(email).delivery for email in people} == {Delivery.REGISTERED}
    assert {desk.read(email).problem for email in people} == {""}


def test_person_who_was_refused_hears_when_it_works_after_all(desk):
    be_told_of_refusal(desk)
    retry(desk)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_mails() == ["confirmation", "refused", "approved"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"does": "answer", "status": 429, "code": 429, "message": "Per-second limit."},
        {"does": "answer", "status": 400, "code": 200, "message": "No plan."},
        {"does": "close", "when": "before"},
        {"does": "close", "when": "after"},
    ],
    ids=["limit", "setting", "lost before", "lost after"],
)
def test_person_who_was_refused_hears_whatever_came_in_between(desk, trouble):
    be_told_of_refusal(desk)
    desk.zoom.fault("add_registrant", **trouble)
    retry(desk)
    desk.work()
    assert desk.read().delivery in (Delivery.WAITING, Delivery.NEEDS_SETTING)
    for _ in range(3):
        desk.let_pass(minutes=11)
        desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_mails() == ["confirmation", "refused", "approved"]


def test_refusal_that_was_never_told_asks_for_no_second_acceptance(desk):
    desk.register()
    refuse(desk, code=3034, message="Use your work address.")
    desk.work()
    leave_mail(desk, "confirmation", "sent")

    desk.zoom.clear_faults()
    retry(desk)
    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_mails() == ["confirmation", "refused"]


def test_person_who_was_refused_hears_at_once_though_their_confirmation_was_put_off(desk):
    for number in range(PER_ADDRESS_A_DAY):
        desk.register(f"taro+{number}@example.com")
    desk.work()
    desk.register()
    refuse(desk, code=3034, message="Use your work address.")
    desk.work()
    leave_mail(desk, "refused", "sent")

    desk.zoom.clear_faults()
    retry(desk)
    desk.work()

    with desk.database.read() as session:
        written = mails.list_mails(session, desk.read().registration_id)
    assert [(mail.name, mail.state, bool(mail.due_at)) for mail in written] == [
        ("confirmation", "dropped", True),
        ("refused", "sent", False),
        ("approved", "queued", False),
    ]


def be_told_of_refusal(desk):
    """Have Zoom refuse somebody for a while, of which alone they are told."""
    desk.register()
    refuse(desk, code=3034, message="Use your work address.")
    desk.work()
    desk.zoom.clear_faults()
    desk.clock.move(minutes=10)
    leave_mail(desk, "confirmation", "dropped")
    leave_mail(desk, "refused", "sent")


def leave_mail(desk, name, state):
    """Leave a mail in a state as the mail lane does, which drops one that is not true any more."""
    with desk.database.write() as session:
        for mail in session.query(Mail).filter_by(name=name):
            mail.state = state
            mail.sent_at = desk.clock() if state == "sent" else None


ORGANIZATION = replace(factories.COMPANY, zoom_field="org")


def refuse_organization(desk, count=1):
    fields = [{"field": "org", "message": "Invalid."}]
    body = {"code": 300, "message": "Validation Failed.", "errors": fields}
    desk.zoom.fault("add_registrant", does="answer", status=400, body=body, count=count)


def test_answers_that_zoom_refuses_are_left_out(make_desk):
    desk = make_desk(questions=(ORGANIZATION, factories.PRIVACY))
    desk.register()
    refuse_organization(desk)

    desk.work()

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.list_effects() == ["add"]
    [person] = desk.zoom.state()["registrants"]
    assert "org" not in person["profile"]


def test_answers_once_refused_are_not_sent_again(make_desk):
    desk = make_desk(questions=(ORGANIZATION, factories.PRIVACY))
    desk.register()
    refuse_organization(desk)
    desk.zoom.fault("add_registrant", does="close", when="before")

    for _ in range(10):
        desk.work()
        desk.let_pass(seconds=10)

    assert desk.read().delivery == Delivery.REGISTERED
    assert desk.count_calls("add_registrant") == 3, "with answers, without, and after two looks"
    assert "org" not in desk.zoom.state()["registrants"][0]["profile"]


def test_answers_refused_though_none_were_sent_are_a_refusal(make_desk):
    desk = make_desk(questions=(ORGANIZATION, factories.PRIVACY))
    desk.register()
    refuse_organization(desk, count=None)

    desk.work()

    assert read_outcome(desk) == (Delivery.REFUSED, "ValidationFailed", "parked")
    assert desk.count_calls("add_registrant") == 2


UNNAMED = [
    {"code": 300, "message": "Validation Failed."},
    {"code": 300, "message": "Invalid custom question: Company."},
    {"code": 3000, "message": "The custom question Company does not exist."},
]


@pytest.mark.parametrize("words", UNNAMED, ids=["nothing", "in the message", "unknown code"])
def test_who_is_refused_for_what_zoom_does_not_name_is_tried_without_answers(make_desk, words):
    desk = make_desk(questions=(ORGANIZATION, factories.PRIVACY))
    desk.register()
    # As long as the answer is sent, which is once.
    desk.zoom.fault("add_registrant", does="answer", status=400, **words)
    for _ in range(3):
        desk.work()
        desk.let_pass(seconds=65)

    assert read_outcome(desk) == (Delivery.REGISTERED, "", "done")
    assert "org" not in desk.zoom.state()["registrants"][0]["profile"]
    assert desk.list_mails() == ["confirmation"]


@pytest.mark.parametrize("words", UNNAMED[1:], ids=["values", "unknown code"])
def test_answers_of_whom_zoom_refuses_without_them_too_are_sent_once_it_takes_them(
    make_desk, words
):
    desk = make_desk(questions=(ORGANIZATION, factories.PRIVACY))
    desk.register()
    refuse(desk, **words)
    for _ in range(3):
        desk.work()
        desk.let_pass(seconds=65)
    assert read_outcome(desk)[0] == Delivery.REFUSED
    assert desk.count_calls("add_registrant") == 2

    desk.zoom.clear_faults()
    retry(desk)
    desk.work()

    assert read_outcome(desk)[0] == Delivery.REGISTERED
    assert "org" in desk.zoom.state()["registrants"][0]["profile"]


def test_texts_of_errors_hold_no_address_and_no_link(desk):
    desk.register()
    link = f"{desk.sandbox.url}/w/1?tk=secret"
    refuse(desk, code=9999, message=f"{TARO} has {link} and TARO@EXAMPLE.COM too")

    desk.work()

    job = desk.read_job()
    assert "(address) has (link) and (address) too" in job.reason
    stored = f"{job.reason} {job.payload} {job.key} {desk.read().problem}"
    assert "@" not in stored and "://" not in stored
