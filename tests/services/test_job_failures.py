"""What a job's reason tells of failures that nobody foresaw."""

from datetime import timedelta

import pytest

from services.job_failures import JobFailure, note_failure
from tests.factories import NOW

LATER = NOW + timedelta(hours=1)


def fail(before="", *, attempts=9, is_outage=False, now=LATER):
    return note_failure(
        OSError("disk"), is_outage=is_outage, before=before, attempts=attempts, now=now
    )


@pytest.mark.parametrize("is_outage", [True, False])
@pytest.mark.parametrize("times", [1, 7])
@pytest.mark.parametrize("since", [NOW, None])
def test_reason_is_read_as_it_was_written(is_outage, times, since):
    since = since and since.replace(microsecond=0)
    failure = JobFailure("KeyError", is_outage, times, since)
    assert JobFailure.read(failure.write()) == failure


def test_failures_in_a_row_are_counted_whatever_their_class():
    before = JobFailure("KeyError", False, 3, NOW).write()
    assert fail(before) == JobFailure("OSError", False, 4, JobFailure.read(before).since)


def test_failing_database_and_other_failures_are_no_row():
    before = JobFailure("OperationalError", True, 19, NOW).write()
    assert fail(before) == JobFailure("OSError", False, 1, LATER)


@pytest.mark.parametrize("reason", ["", "ZoomUnreachable: since yesterday", "GivenUp: unexpected"])
def test_other_reasons_are_none_of_them(reason):
    assert JobFailure.read(reason) is None
    assert fail(reason) == JobFailure("OSError", False, 1, LATER)


def test_row_that_an_older_version_began_goes_on_from_now():
    assert fail("unexpected KeyError, 3 times") == JobFailure("OSError", False, 4, LATER)


def test_time_of_a_clock_that_was_set_back_is_forgotten():
    before = JobFailure("OSError", False, 2, LATER + timedelta(days=1)).write()
    assert fail(before).since == LATER
