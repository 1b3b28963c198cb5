from datetime import UTC, datetime

import pytest

from tests.zoom_sandbox.api import PERSON, refusal
from zoom_sandbox.answers import Refused
from zoom_sandbox.clock import Clock
from zoom_sandbox.limits import Limits


def message(response):
    return response.json()["message"]


def test_fourth_add_of_an_address_waits_for_the_next_day(sandbox, api):
    meeting = api.create()
    statuses = [api.add(meeting).status_code for _ in range(3)]
    fourth = api.add(meeting, email="TARO@example.com")
    assert (statuses, refusal(fourth)) == ([201, 201, 201], (429, 429))
    assert message(fourth).startswith(
        "You have exceeded the daily rate limit of (3) for Add meeting registrant"
    )
    assert "(TARO@example.com)" in message(fourth)
    sandbox.control.move_clock(days=1)
    api.sign_in()
    assert api.add(meeting).status_code == 201


def test_cap_of_three_is_per_meeting_and_address(api):
    meeting, other = api.create(), api.create()
    for _ in range(3):
        api.add(meeting)
    assert api.add(meeting, email="hanako@example.com").status_code == 201
    assert api.add(other).status_code == 201


def test_caps_send_neither_type_nor_retry_after(api):
    meeting = api.create()
    headers = [api.add(meeting).headers for _ in range(4)][-1]
    assert "Retry-After" not in headers
    assert "X-RateLimit-Type" not in headers
    assert int(headers["X-RateLimit-Remaining"]) > 0


@pytest.mark.parametrize(("counts", "status"), [(False, 201), (True, 429)])
def test_batch_counts_as_add_only_when_set(start_sandbox, connect, counts, status):
    api = connect(start_sandbox(batch_counts_as_add=counts))
    meeting = api.create()
    for _ in range(3):
        api.add(meeting)
    path = f"{api.path(meeting)}/batch_registrants"
    assert api.call("POST", path, {"registrants": [PERSON]}).status_code == status


def test_eleventh_status_change_of_a_day_is_refused(api):
    meeting = api.create()
    api.add(meeting)
    person = {"email": PERSON["email"]}
    answers = [
        api.set_status(meeting, action, person)
        for action in ["approve", "cancel"] * 5 + ["approve"]
    ]
    assert [a.status_code for a in answers[:10]] == [204] * 10
    assert refusal(answers[10]) == (429, 429)
    assert message(answers[10]).startswith("You have exceeded the daily rate limit of (10)")
    assert api.emails(meeting, "denied") == ["taro@example.com"]


def test_hundred_changes_of_a_host_are_the_limit(sandbox, api):
    meeting = api.create()
    sandbox.control.use_up(f"host:{meeting['host_id']}", 99)
    assert api.call("PATCH", api.path(meeting), {"topic": "One"}).status_code == 204
    refused = api.call("PATCH", api.path(meeting), {"topic": "Two"})
    assert message(refused).startswith(
        "You have exceeded the daily rate limit (100) of Meeting Create/Update"
    )
    assert api.call("GET", api.path(meeting)).json()["topic"] == "One"


@pytest.mark.parametrize(("plan", "allowed"), [("free", 2), ("pro", 20), ("business", 60)])
def test_calls_per_second_depend_on_the_plan(plan, allowed):
    clock = Clock()
    limits = Limits(plan, clock, enforced=True)
    left = [limits.count_call("MEDIUM")["X-RateLimit-Remaining"] for _ in range(allowed)]
    assert left == [str(remaining) for remaining in reversed(range(allowed))]
    with pytest.raises(Refused) as refused:
        limits.count_call("MEDIUM")
    answer = refused.value.answer
    assert answer.body["message"].startswith("You have reached the maximum per-second rate limit")
    assert (answer.status, answer.headers["X-RateLimit-Type"]) == (429, "QPS")
    for seconds in (1, -3600):
        clock.move(seconds)
        assert limits.count_call("MEDIUM")["X-RateLimit-Remaining"] == str(allowed - 1)


def test_labels_are_limited_apart(start_sandbox, connect):
    api = connect(start_sandbox(plan="free"))
    path = f"{api.path(api.create(settings={'approval_type': 2}))}"
    for _ in range(5):
        api.call("GET", "/users/host@example.com/meetings")
    assert api.call("GET", "/users/host@example.com/meetings").status_code == 429
    assert api.call("GET", path).status_code == 200


@pytest.mark.parametrize(("plan", "limit"), [("pro", 30_000), ("business", 60_000)])
def test_heavy_calls_of_a_day_end_with_a_date(start_sandbox, connect, plan, limit):
    sandbox = start_sandbox(plan=plan)
    sandbox.control.set_clock(datetime(2027, 1, 31, 12, tzinfo=UTC))
    api = connect(sandbox)
    meeting = api.create()
    sandbox.control.use_up("HEAVY", limit)
    path = f"{api.path(meeting)}/batch_registrants"
    refused = api.call("POST", path, {"registrants": [PERSON]})
    assert message(refused).startswith("You have reached the maximum daily rate limit")
    assert refused.headers["Retry-After"] == "2027-02-01T00:00:00Z"
    assert refused.headers["X-RateLimit-Type"] == "Daily-limit"
    assert api.emails(meeting, "pending") == []


def test_limits_can_be_turned_off(start_sandbox, connect):
    api = connect(start_sandbox(plan="free", enforce_rate_limits=False))
    assert {api.call("GET", "/users/host@example.com").status_code for _ in range(9)} == {200}


def test_answers_say_what_is_left(api):
    headers = api.call("GET", "/users/host@example.com").headers
    assert (headers["X-RateLimit-Category"], headers["X-RateLimit-Limit"]) == ("Light", "30")
    assert headers["X-RateLimit-Remaining"] == "29"
    assert headers["x-zm-trackingid"].startswith("v=2.0;")


@pytest.mark.parametrize(("over_all", "status"), [(False, 201), (True, 429)])
def test_three_adds_count_by_meeting_or_over_all(start_sandbox, connect, over_all, status):
    api = connect(start_sandbox(adds_count_over_all=over_all))
    one, other = api.create(), api.create()
    for _ in range(3):
        api.add(one)
    assert api.add(one).status_code == 429
    assert api.add(other).status_code == status
