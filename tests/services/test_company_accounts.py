"""Two tabs of somebody who comes with their company's account for the first time."""

import threading

import pytest
from sqlalchemy.exc import IntegrityError

from oidc_client import Claims, Credentials
from services.company_accounts import admit
from services.identity_providers import Policy, save_provider
from services.members import Role
from storage import identity_providers, organizations
from storage.models import CompanyIdentity, Membership, Organizer
from tests import factories
from tests.factories import NOW
from tests.fixtures.databases import only_postgresql
from tests.races import race

ISSUER = "https://login.example.com"
HANAKO = Claims(ISSUER, "h-1", "hanako@example.com", True, "佐藤 花子", None)


def make_company(database):
    with database.write() as session:
        organization = factories.make_organization(session, name="見本商事")
        policy = Policy(domains=("example.com",), joins_as=Role.VIEWER)
        credentials = Credentials("client", "secret of the client")
        save_provider(session, organization, ISSUER, credentials, policy, now=NOW)
        return organization.id


def come(database_url, organization_id):
    """Sign in with two browsers at once; return who came in, or what refused them."""

    def sign_in(database):
        try:
            with database.write() as session:
                provider = identity_providers.get_provider(session, organization_id)
                return admit(session, provider, HANAKO, locale="ja", now=NOW).id
        except IntegrityError:
            return "refused"

    return race(database_url, sign_in, workers=2)


def test_two_first_sign_ins_at_once_make_one_account(database, database_url):
    came = come(database_url, make_company(database))

    assert came[0] == came[1] != "refused"
    with database.read() as session:
        counts = [session.query(row).count() for row in (Organizer, Membership, CompanyIdentity)]
    assert counts == [1, 1, 1]


@only_postgresql
@pytest.mark.usefixtures("database")
def test_without_the_lock_the_second_would_fail(database, database_url, monkeypatch):
    company = make_company(database)
    both_have_looked = threading.Barrier(2)
    monkeypatch.setattr(
        organizations, "lock_organization", lambda *_: both_have_looked.wait(timeout=10)
    )

    assert "refused" in come(database_url, company)
