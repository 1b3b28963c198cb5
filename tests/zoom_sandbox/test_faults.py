import threading
import time

import pytest
import requests

from tests.zoom_sandbox.api import PERSON, refusal


def added(sandbox):
    return [entry["email"] for entry in sandbox.control.journal(effect="add")]


def wait_for_added(sandbox):
    give_up_at = time.monotonic() + 10
    while not added(sandbox) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    assert added(sandbox) == [PERSON["email"]]


@pytest.mark.parametrize(("when", "effects"), [("before", []), ("after", [PERSON["email"]])])
def test_connection_closes_before_or_after_the_effect(sandbox, api, when, effects):
    meeting = api.create()
    sandbox.control.fault("add_registrant", does="close", when=when)
    with pytest.raises(requests.ConnectionError):
        api.add(meeting)
    assert added(sandbox) == effects
    last = sandbox.control.journal(action="add_registrant")[-1]
    assert (last["email"], last["status"]) == (PERSON["email"], None)


@pytest.mark.parametrize(("when", "effects"), [("before", []), ("after", [PERSON["email"]])])
def test_error_is_answered_before_or_after_the_effect(sandbox, api, when, effects):
    meeting = api.create()
    sandbox.control.fault("add_registrant", does="answer", status=503, when=when)
    assert refusal(api.add(meeting)) == (503, 503)
    assert added(sandbox) == effects


def test_answer_takes_code_message_and_headers(sandbox, api):
    sandbox.control.fault(
        "add_registrant",
        does="answer",
        status=429,
        message="Too many concurrent requests.",
        headers={"Retry-After": "2030-01-01T00:00:00Z"},
    )
    response = api.add(api.create())
    assert response.json() == {"code": 429, "message": "Too many concurrent requests."}
    assert response.headers["Retry-After"] == "2030-01-01T00:00:00Z"


def test_answer_takes_a_whole_body(sandbox, api):
    sandbox.control.fault("add_registrant", does="answer", status=201, body=["odd"])
    assert api.add(api.create()).json() == ["odd"]


def test_delayed_answer_outlasts_the_caller_but_takes_effect(sandbox, api):
    meeting = api.create()
    sandbox.control.fault("add_registrant", delay_after=0.5)
    with pytest.raises(requests.ReadTimeout):
        api.call("POST", f"{api.path(meeting)}/registrants", PERSON, timeout=0.2)
    wait_for_added(sandbox)


def test_delay_before_lets_the_effect_come_late(sandbox, api):
    meeting = api.create()
    sandbox.control.fault("add_registrant", delay_before=1)
    with pytest.raises(requests.ReadTimeout):
        api.call("POST", f"{api.path(meeting)}/registrants", PERSON, timeout=0.1)
    assert added(sandbox) == []
    wait_for_added(sandbox)


def test_delayed_call_does_not_hold_up_others(sandbox, api):
    meeting = api.create()
    sandbox.control.fault("add_registrant", delay_before=1, email=PERSON["email"])
    slow = threading.Thread(target=api.add, args=(meeting,))
    slow.start()
    sandbox.control.state()
    assert slow.is_alive()
    slow.join()


def test_drip_sends_a_byte_at_a_time(sandbox, api):
    meeting = api.create()
    sandbox.control.fault("add_registrant", does="drip", drip_seconds=0.05)
    token, started = api.token, time.monotonic()
    response = api.session.post(
        f"{api.url}/v2{api.path(meeting)}/registrants",
        json=PERSON,
        headers={"Authorization": f"Bearer {token}"},
        stream=True,
        timeout=1,
    )
    first = [next(response.iter_content(1)) for _ in range(5)]
    response.close()
    assert b"".join(first) == b'{"id"'
    assert time.monotonic() - started > 0.15


def test_cut_json_cannot_be_read(sandbox, api):
    sandbox.control.fault("add_registrant", does="cut")
    response = api.add(api.create())
    assert response.status_code == 201
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_html_comes_in_place_of_json(sandbox, api):
    meeting = api.create()
    sandbox.control.fault("add_registrant", does="html")
    after = api.add(meeting)
    sandbox.control.fault("add_registrant", does="html", when="before")
    before = api.add(meeting)
    assert [r.headers["Content-Type"] for r in (after, before)] == ["text/html; charset=utf-8"] * 2
    assert [r.status_code for r in (after, before)] == [201, 502]


def test_huge_body_is_ten_megabytes(sandbox, api):
    sandbox.control.fault("add_registrant", does="huge")
    assert len(api.add(api.create()).content) > 10_000_000


def test_join_url_can_be_missing_though_approved(sandbox, api):
    meeting = api.create(settings={"approval_type": 0})
    sandbox.control.fault("add_registrant", does="no_join_url")
    assert "join_url" not in api.add(meeting).json()
    assert api.emails(meeting) == [PERSON["email"]]


def test_add_can_answer_with_another_person(sandbox, api):
    meeting = api.create(settings={"approval_type": 0})
    sandbox.control.fault("add_registrant", does="other_email")
    rid = api.add(meeting).json()["registrant_id"]
    read = api.call("GET", f"{api.path(meeting)}/registrants/{rid}").json()
    assert read["email"] == "someone.else@example.com"


def test_reading_and_batch_can_name_another_address(sandbox, api):
    meeting = api.create(settings={"approval_type": 0})
    rid = api.add(meeting).json()["registrant_id"]
    sandbox.control.fault(does="other_email", count=2)
    read = api.call("GET", f"{api.path(meeting)}/registrants/{rid}").json()
    path = f"{api.path(meeting)}/batch_registrants"
    batch = api.call("POST", path, {"registrants": [PERSON]}).json()["registrants"]
    assert [read["email"], batch[0]["email"]] == ["someone.else@example.com"] * 2


def test_add_can_answer_with_another_meeting(sandbox, api):
    meeting = api.create()
    sandbox.control.fault("add_registrant", does="other_meeting")
    assert api.add(meeting).json()["id"] != meeting["id"]


def test_fault_hits_as_often_as_asked_after_skipping(sandbox, api):
    sandbox.control.fault("get_user", does="answer", status=500, skip=1, count=2)
    statuses = [api.call("GET", "/users/host@example.com").status_code for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]


def test_fault_without_count_lasts_until_cleared(sandbox, api):
    sandbox.control.fault("get_user", does="answer", status=500, count=None)
    statuses = [api.call("GET", "/users/host@example.com").status_code for _ in range(3)]
    sandbox.control.clear_faults()
    assert statuses == [500] * 3
    assert api.call("GET", "/users/host@example.com").status_code == 200


@pytest.mark.parametrize(
    "match",
    [
        {"operation": "meetingRegistrantCreate"},
        {"method": "POST", "path": r"/v2/meetings/\d+/registrants$"},
        {"email": "Taro@Example.com"},
    ],
)
def test_fault_matches_by_name_path_or_address(sandbox, api, match):
    meeting = api.create()
    sandbox.control.fault(does="answer", status=500, **match)
    assert api.call("GET", api.path(meeting)).status_code == 200
    assert api.add(meeting, email="hanako@example.com").status_code == (
        500 if "email" not in match else 201
    )
    sandbox.control.clear_faults()
    assert api.add(meeting).status_code == 201


def test_fault_by_address_finds_people_in_batches_and_paths(sandbox, api):
    meeting = api.create()
    rid = api.add(meeting).json()["registrant_id"]
    sandbox.control.fault(does="answer", status=500, email=PERSON["email"], count=3)
    path = api.path(meeting)
    statuses = [
        api.call("POST", f"{path}/batch_registrants", {"registrants": [PERSON]}).status_code,
        api.set_status(meeting, "approve", {"email": PERSON["email"]}).status_code,
        api.call("GET", f"{path}/registrants/{rid}").status_code,
    ]
    assert statuses == [500, 500, 500]


def test_token_calls_can_fail_too(sandbox, api):
    sandbox.control.fault("token", does="answer", status=503)
    assert api.ask_for_token().status_code == 503


def test_approval_can_stop_half_way(sandbox, api):
    meeting = api.create()
    people = [{"email": f"p{number}@example.com"} for number in range(5)]
    for person in people:
        api.add(meeting, **person)
    sandbox.control.fault("set_status", does="close", take=3)
    with pytest.raises(requests.ConnectionError):
        api.set_status(meeting, "approve", *people)
    assert api.emails(meeting) == ["p0@example.com", "p1@example.com", "p2@example.com"]


def test_batch_can_answer_with_part_of_the_people(sandbox, api):
    meeting = api.create()
    people = [{**PERSON, "email": f"p{number}@example.com"} for number in range(3)]
    sandbox.control.fault("add_batch", take=2)
    path = f"{api.path(meeting)}/batch_registrants"
    answer = api.call("POST", path, {"registrants": people})
    assert len(answer.json()["registrants"]) == 2
    assert added(sandbox) == ["p0@example.com", "p1@example.com"]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"does": "explode"}, "unknown does"),
        ({"when": "never"}, "unknown when"),
        ({"colour": "red"}, "colour"),
        ({"operation": "register"}, "no call"),
        ({"path": "("}, "no pattern"),
        ({"count": "x"}, "count"),
        ({"skip": None}, "skip"),
        ({"delay_before": "1"}, "delay_before"),
        ({"headers": []}, "headers"),
        ({"refusal": "host"}, "panelist"),
    ],
)
def test_fault_that_would_do_nothing_is_refused(sandbox, fault, problem):
    with pytest.raises(ValueError, match=problem):
        sandbox.control.fault(**fault)
    assert sandbox.control.state()["faults"] == []


@pytest.mark.parametrize("said", [{"status": 503}, {"code": 3000}, {"message": "No."}])
def test_saying_what_to_answer_is_enough(sandbox, api, said):
    sandbox.control.fault("add_registrant", **said)
    answer = api.add(api.create()).json()
    assert said.items() <= {"status": answer["code"], **answer}.items()
    assert added(sandbox) == []


@pytest.mark.parametrize(
    ("name", "answered"),
    [("panelist", (400, 3000)), ("work_email", (400, 3034)), ("concurrent", (429, 429))],
)
def test_refusal_is_played_by_its_name(sandbox, api, name, answered):
    sandbox.control.fault("add_registrant", refusal=name)
    assert refusal(api.add(api.create())) == answered
