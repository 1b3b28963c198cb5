"""People who come to some dates of a recurring meeting."""

import pytest

from tests.zoom_sandbox.api import PERSON, refusal


@pytest.fixture
def series(api):
    """Three dates to choose from."""
    return api.create(
        type=8, recurrence={"type": 1, "end_times": 3}, settings={"registration_type": 3}
    )


@pytest.fixture
def dates(series):
    return [occurrence["occurrence_id"] for occurrence in series["occurrences"]]


@pytest.fixture
def person(api, series, dates):
    """The path of Taro, who comes to the first two dates."""
    people = f"{api.path(series)}/registrants"
    chosen = ",".join(dates[:2])
    body = {**PERSON, "auto_approve": True}
    added = api.call("POST", people, body, occurrence_ids=chosen).json()
    return f"{people}/{added['registrant_id']}"


def count_approved(api, series, dates):
    path = f"{api.path(series)}/registrants"
    answers = [api.call("GET", path, occurrence_id=date).json() for date in dates]
    return [len(answer["registrants"]) for answer in answers]


def test_person_comes_to_the_dates_chosen(api, series, dates, person):
    assert count_approved(api, series, dates) == [1, 1, 0]


def test_deleting_a_person_needs_the_date(api, person):
    assert refusal(api.call("DELETE", person)) == (400, 300)


def test_deleting_from_one_date_leaves_the_others(api, series, dates, person):
    assert api.call("DELETE", person, occurrence_id=dates[0]).status_code == 204
    assert count_approved(api, series, dates) == [0, 1, 0]
    assert api.call("DELETE", person, occurrence_id=dates[1]).status_code == 204
    assert api.call("GET", person).status_code == 400


def test_each_date_is_full_by_itself(sandbox, api, series, dates, person):
    sandbox.control.change_meeting(series["id"], capacity=1)
    path, body = f"{api.path(series)}/registrants", {**PERSON, "email": "hanako@example.com"}
    assert refusal(api.call("POST", path, body, occurrence_ids=dates[0])) == (400, 3043)
    assert api.call("POST", path, body, occurrence_ids=dates[2]).status_code == 201


def test_cancelling_one_date_leaves_the_others(api, series, dates, person):
    body = {"action": "cancel", "registrants": [{"email": PERSON["email"]}]}
    path = f"{api.path(series)}/registrants/status"
    assert api.call("PUT", path, body, occurrence_id=dates[0]).status_code == 204
    assert count_approved(api, series, dates) == [0, 1, 0]
    assert api.call("GET", person).json()["status"] == "approved"


def test_approving_all_dates_lifts_what_was_cancelled_on_one(api, series, dates, person):
    someone = [{"email": PERSON["email"]}]
    path = f"{api.path(series)}/registrants/status"
    cancel = {"action": "cancel", "registrants": someone}
    api.call("PUT", path, cancel, occurrence_id=dates[0])
    api.call("PUT", path, cancel)
    api.call("PUT", path, {"action": "approve", "registrants": someone})
    assert count_approved(api, series, dates) == [1, 1, 0]


def test_date_that_does_not_exist_is_refused(api, series, person):
    someone = {"action": "cancel", "registrants": [{"email": PERSON["email"]}]}
    status = f"{api.path(series)}/registrants/status"
    answers = [
        api.call("PUT", status, someone, occurrence_id="123"),
        api.call("DELETE", person, occurrence_id="123"),
        api.call("POST", f"{api.path(series)}/registrants", PERSON, occurrence_ids="123"),
    ]
    assert [refusal(answer) for answer in answers] == [(400, 300)] * 3
    assert api.emails(series) == [PERSON["email"]]
