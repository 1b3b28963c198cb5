"""What is of use yet, of what was put aside, and what each account at Zoom has left."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from services.event_dates import EventDate, write_dates
from services.events import LinkPolicy
from services.mails import MailName
from services.overview import Parked, read_overview
from services.registrations import register
from storage import organizations
from storage.models import Job, Mail, ZoomBudget
from tests import factories
from tests.factories import NOW
from zoom_client import Plan

HOUR = timedelta(hours=1)
CANCELLED = {"status": "cancelled"}
WITHOUT_DATES = {
    "starts_at": NOW - 2 * HOUR,
    "dates": write_dates([EventDate("gone", NOW + 2 * HOUR, 60, is_gone=True)]),
}


def refuse_mail(session, name, **changes):
    """Have the mail server refuse a mail about an event, which is changed then."""
    event = factories.make_event(session)
    register(
        session, event, factories.make_submission(event), policy=LinkPolicy.SHOW, now=NOW - 3 * HOUR
    )
    for member, value in changes.items():
        setattr(event, member, value)
    session.execute(update(Mail).values(name=name, state="failed"))
    parked = {"state": "parked", "reason": "MailRefused: nobody of that name"}
    session.execute(update(Job).where(Job.kind == "mail").values(**parked))
    session.execute(update(Job).where(Job.kind != "mail").values(state="done"))
    assert session.scalars(select(Job.event_id).where(Job.state == "parked")).all() == [event.id]


@pytest.mark.parametrize(
    ("name", "changes", "is_owed"),
    [
        (MailName.CONFIRMATION, {}, True),
        (MailName.CONFIRMATION, CANCELLED, False),
        (MailName.EVENT_CANCELLED, CANCELLED, True),
        (MailName.DATES, CANCELLED, False),
        (MailName.EVENT_CANCELLED, {**CANCELLED, "starts_at": NOW - HOUR}, False),
        (MailName.DATES, WITHOUT_DATES, True),
        (MailName.CONFIRMATION, WITHOUT_DATES, False),
        (MailName.EVENT_CANCELLED, {**CANCELLED, **WITHOUT_DATES}, True),
    ],
)
def test_mails_of_an_event_are_owed_while_they_hold_and_it_lies_ahead(
    session, name, changes, is_owed
):
    refuse_mail(session, name, **changes)

    overview = read_overview(session, plan=Plan.PRO, now=NOW)

    assert overview.refusals == (1,) * is_owed
    assert overview.parked == (Parked("mail", "MailRefused", 1),) * is_owed


def test_each_account_has_what_its_own_plan_leaves(session):
    accounts = (("alpha", ""), ("beta", "business"), ("beta", "pro"), ("gamma", "business"))
    for account_id, plan in accounts:
        organization = factories.make_organization(session)
        connection = organizations.get_first_connection(session, organization.id)
        connection.account_id, connection.plan, connection.client_id = account_id, plan, plan
    for account_id in ("alpha", "gamma", "former"):
        used = {"day": NOW.date(), "used_that_day": 16_000, "full_at": 0.0}
        session.add(ZoomBudget(account_id=account_id, name="HEAVY", **used))

    budgets = read_overview(session, plan=Plan.PRO, now=NOW).budgets

    heavy = [(b.account_id, b.per_second, b.left) for b in budgets if b.label == "HEAVY"]
    assert heavy == [("alpha", 10, 14_000), ("beta", 10, 30_000), ("gamma", 40, 44_000)]
