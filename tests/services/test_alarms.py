"""What of an overview the operator has to know, with several organizations."""

from datetime import timedelta

import pytest

from services import zoom_pauses
from services.alarms import AlarmName, find_problems
from services.events import LinkPolicy
from services.overview import read_overview
from services.registrations import register
from storage import organizations
from tests import factories
from tests.factories import NOW
from zoom_client import AuthenticationFailed, Plan

NOBODY_WAITS, SOMEBODY_WAITS = 0, 1


def add_event(session, organization, account_id):
    """Add an event that is held at an account of its organization's own."""
    connection = organizations.get_first_connection(session, organization.id)
    connection.account_id = account_id
    return factories.make_event(
        session, organization_id=organization.id, connection_id=connection.id
    )


@pytest.fixture
def find(database):
    """Find what is wrong once Alpha's account stands still and somebody has come to Beta."""

    def find(coming_to_alpha, *, after):
        with database.write() as session:
            both = [factories.make_organization(session) for _ in range(2)]
            alpha, beta = (
                add_event(session, organization, account_id)
                for organization, account_id in zip(both, ("alpha", "beta"), strict=True)
            )
            for event in [alpha] * coming_to_alpha + [beta]:
                submission = factories.make_submission(event)
                register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
            error = AuthenticationFailed("The app is deactivated.")
            zoom_pauses.record_failure(session, "alpha", alpha.id, error, now=NOW)
        with database.read() as session:
            overview = read_overview(session, plan=Plan.PRO, now=NOW + after)
        return {problem.name: problem.facts for problem in find_problems(overview)}

    return find


def test_who_waits_at_one_account_needs_no_setting_of_another(find):
    found = find(NOBODY_WAITS, after=timedelta(minutes=30))

    assert AlarmName.NEEDS_SETTING not in found
    assert found[AlarmName.ZOOM_WAITING] == {"registrations": 1, "events": 1}


def test_setting_of_an_account_is_told_with_its_own_people_alone(find):
    found = find(SOMEBODY_WAITS, after=timedelta(0))

    counted = {"registrations": 1, "events": 1, "reason": "AuthenticationFailed"}
    assert found[AlarmName.NEEDS_SETTING] == counted
