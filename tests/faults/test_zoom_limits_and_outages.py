"""Zoom is away, at its limits, or needs somebody to mend it; in the end all journals agree."""

import shutil
import subprocess
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from cli.publishing import publish_event
from outbound import HttpPool
from services.overview import name_problem
from services.zoom_tokens import SharedTokenStore
from storage import zoom_pauses
from storage.models import Job
from tests.fixtures.databases import only_sqlite
from tests.people import ANN, HANAKO, TARO
from zoom_client import Credentials, Kind, ZoomClient

from .crowd import Crowd
from .journals import settle

ACCOUNT = "sandbox-account"
PEOPLE = [TARO | {"email": f"person{number}@example.com"} for number in range(8)]
TWENTY = 20


def register(site, *people, **members):
    site.add_event(slug="spring", **members)
    crowd = Crowd(site.url)
    for person in people:
        crowd.register(person)
    return crowd


def work(site, *, times, seconds):
    for _ in range(times):
        site.drain()
        site.let_pass(seconds=seconds)


def read_account(site):
    with site.database.read() as session:
        return zoom_pauses.get_account(session, ACCOUNT)


def count_adds(site):
    return len(site.zoom.journal(action="add_registrant"))


def test_f06_nobody_reaches_zoom_for_ten_minutes(site):
    crowd = register(site, *PEOPLE)
    site.stop_zoom()
    work(site, times=20, seconds=31)
    assert read_account(site).pause_problem == "ZoomUnreachable"

    site.start_zoom()
    work(site, times=3, seconds=31)

    settle(site, crowd.answers)


WITHOUT_NETWORK = ["unshare", "--net"]


def has_own_networks():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True).returncode == 0


@pytest.mark.real_time
@pytest.mark.skipif(not has_own_networks(), reason="networks cannot be taken away here")
def test_f06_worker_on_a_machine_without_network_loses_nothing(site):
    crowd = register(site, TARO)
    worker = site.start_process("worker", under=WITHOUT_NETWORK)
    site.wait_until(lambda: list_reasons(site) == ["ZoomUnreachable"])
    worker.terminate()
    assert worker.wait(20) == 0
    assert site.zoom.journal() == []

    work(site, times=3, seconds=31)

    settle(site, crowd.answers)


def list_reasons(site):
    with site.database.read() as session:
        reasons = session.scalars(select(Job.reason).where(Job.kind == "zoom.sync"))
        return [name_problem(reason) for reason in reasons]


def test_f07_zoom_answers_503_for_ten_minutes(site):
    crowd = register(site, *PEOPLE)
    site.zoom.fault(path="/v2/", status=503, count=None)
    work(site, times=20, seconds=31)
    assert count_adds(site) == 5, "then everybody waits for a walk to succeed"

    site.zoom.clear_faults()
    work(site, times=8, seconds=31)

    settle(site, crowd.answers)


@only_sqlite
def test_f08_limit_of_a_second_uses_up_no_try(site):
    crowd = register(site, TARO, HANAKO)
    message = "You have reached the maximum per-second rate limit for this API."
    site.zoom.fault("add_registrant", status=429, message=message, count=3)

    work(site, times=8, seconds=3)

    settle(site, crowd.answers)
    assert count_adds(site) == 5


@only_sqlite
def test_f09_day_of_one_person_is_used_up_and_others_go_on(site):
    crowd = register(site, TARO, HANAKO)
    [event] = site.zoom.state()["meetings"]
    site.zoom.use_up(f"add:{event['id']}:{TARO['email']}", 3)
    work(site, times=4, seconds=65)
    assert site.list_effects(HANAKO["email"]) == ["add"]
    assert site.list_effects(TARO["email"]) == []
    assert (
        Counter(e["email"] for e in site.zoom.journal(action="add_registrant"))[TARO["email"]] == 1
    )

    site.let_pass(hours=25)

    settle(site, crowd.answers)


@only_sqlite
def test_f10_day_of_the_account_is_used_up_and_other_calls_go_on(site):
    crowd = register(site)
    receipt = crowd.register(TARO).receipt
    site.drain()
    crowd.register(HANAKO)
    until = (site.clock() + timedelta(hours=5)).replace(microsecond=0)
    site.zoom.fault(
        "add_registrant",
        status=429,
        message="You have reached the maximum daily rate limit for this API.",
        headers={"Retry-After": f"{until:%Y-%m-%dT%H:%M:%SZ}"},
    )
    site.drain()
    crowd.register(ANN)
    personal = site.visitor().open(receipt).follow("登録内容の変更・キャンセル")
    personal.follow("参加をキャンセルする").form("キャンセルする").submit()
    work(site, times=3, seconds=60)
    assert count_adds(site) == 2, "nobody else asks before the time that Zoom has named"
    assert site.list_effects(TARO["email"]) == ["add", "cancel"]

    site.let_pass(hours=5)

    settle(site, crowd.answers)


def test_f11_twenty_threads_whose_token_is_refused_fetch_one(site):
    meeting = site.zoom.add_meeting()
    site.zoom.enforce_limits(False)
    register(site, TARO)
    site.drain()
    site.zoom.expire_tokens()
    before = len(site.zoom.journal(action="token"))
    barrier = threading.Barrier(TWENTY)
    topics = []

    def read(client):
        barrier.wait()
        topics.append(client.get_meeting(Kind.MEETING, meeting["id"]).id)

    with HttpPool() as pool:
        # One store for each client, as each process has: they share the database alone.
        threads = [
            threading.Thread(target=read, args=(make_client(site, pool),)) for _ in range(TWENTY)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert topics == [meeting["id"]] * TWENTY
    assert len(site.zoom.journal(action="token")) == before + 1


def make_client(site, pool):
    return ZoomClient(
        Credentials(ACCOUNT, "sandbox-client", "sandbox-secret"),
        token_store=SharedTokenStore(
            site.database, 1, owner="sandbox-account/sandbox-client", read_clock=site.clock
        ),
        api_url=f"{site.sandbox.url}/v2",
        oauth_url=site.sandbox.url,
        pool=pool,
        now=site.clock,
    )


def revoke_secret(site):
    site.zoom.revoke_secret()
    return site.zoom.restore_secret


def remove_scope(site):
    before = site.zoom.state()["scopes"]
    site.zoom.remove_scopes("meeting:write:registrant:admin")
    return lambda: site.zoom.grant_scopes(before)


def switch_registration_off(site):
    [meeting] = site.zoom.state()["meetings"]
    site.zoom.change_meeting(meeting["id"], settings={"approval_type": 2})
    return lambda: site.zoom.change_meeting(meeting["id"], settings={"approval_type": 1})


def lose_meeting(site):
    words = {"status": 404, "code": 3001, "message": "Meeting does not exist."}
    site.zoom.fault(path="/v2/meetings/", count=None, **words)
    return site.zoom.clear_faults


@pytest.mark.parametrize(
    "break_it", [revoke_secret, remove_scope, switch_registration_off, lose_meeting]
)
def test_f12_f13_setting_that_somebody_mends_lets_everything_go_on(site, break_it):
    crowd = register(site, *PEOPLE)
    mend = break_it(site)
    work(site, times=20, seconds=31)
    assert count_adds(site) <= 10

    mend()
    site.let_pass(minutes=10)

    settle(site, crowd.answers)


def fill_at_zoom(site):
    [meeting] = site.zoom.state()["meetings"]
    site.zoom.change_meeting(meeting["id"], capacity=1)
    return lambda: site.zoom.change_meeting(meeting["id"], capacity=100)


def end_at_zoom(site):
    site.zoom.move_clock(days=30)
    return lambda: site.zoom.set_clock(site.clock())


@pytest.mark.parametrize(
    ("happen", "words"),
    [(fill_at_zoom, "満席になりました"), (end_at_zoom, "受付を終了しました")],
    ids=["full", "over"],
)
def test_f13_form_closes_while_zoom_takes_nobody(site, happen, words):
    starts_at = (site.clock() + timedelta(days=7)).replace(microsecond=0)
    crowd = register(site, TARO, starts_at=starts_at)
    site.drain()
    mend = happen(site)
    crowd.register(HANAKO)
    late = site.visitor().open("/e/spring").form().fill(**ANN)
    site.drain()

    refused = late.submit(status=409)

    assert words in refused.text
    assert words in site.visitor().open("/e/spring").text
    assert site.count_rows("registration") == 2
    assert any("Zoom" in str(mail["Subject"]) for mail in site.mailbox.list_mails(HANAKO["email"]))

    mend()
    publish_event(site.parts, "spring")
    site.drain()
    crowd.register(ANN)

    settle(site, crowd.answers)


@pytest.mark.parametrize(
    "fault",
    [
        {"does": "no_join_url"},
        {"does": "html"},
        {"does": "cut"},
        {"does": "huge"},
        {"does": "drip", "drip_seconds": 1.0},
    ],
    ids=lambda fault: fault["does"],
)
@only_sqlite
def test_f14_answer_that_makes_no_sense_is_found_out_by_looking(site, fault):
    crowd = register(site, TARO)
    site.zoom.fault("add_registrant", **fault)

    work(site, times=2, seconds=10)

    settle(site, crowd.answers)
    assert site.list_effects(TARO["email"]) == ["add"]


@pytest.mark.parametrize("code", [3027, 3034])
@only_sqlite
def test_f15_person_whom_zoom_does_not_take_is_told_what_to_do(site, code):
    register(site, TARO)
    site.zoom.fault("add_registrant", status=400, code=code, message="Refused.", count=None)

    work(site, times=3, seconds=120)

    assert count_adds(site) == 1
    mails = site.mailbox.list_mails()
    assert len([mail for mail in mails if mail["To"] == TARO["email"]]) == len(mails) == 1
