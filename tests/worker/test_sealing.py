"""Sealing anew after the installation's secret was replaced: by itself, by several, half-way."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from oidc_client import Credentials as OidcCredentials
from services.events import LinkPolicy
from services.identity_providers import Policy, save_provider
from services.keys import KeyRing
from services.registrations import register
from services.webhooks import OFFERED, Payload, Wish, add_endpoint, rotate_secret
from services.zoom_connections import connect
from storage import known_secrets, organizations, registrations, sealed, zoom_registrants
from storage.ciphers import Cipher
from storage.session import Database
from tests import factories
from tests.clock import Clock
from tests.dashboard import make_organizer
from tests.factories import NOW
from worker.sealing import Resealing, count_sealed, reseal
from zoom_client import Credentials, Plan

OLD, NEW = b"o" * 32, b"n" * 32
KEYS = KeyRing([NEW, OLD])
WISH = Wish("CRM", "https://crm.example.com/in", Payload.THIN, tuple(OFFERED), None)
ZOOM = "https://zoom.us/oauth"


@pytest.fixture
def open_with(database_url):
    """Open the database as a process does that has these secrets, the newest first."""
    opened = []

    def open_with(*secrets):
        opened.append(Database(database_url, cipher=Cipher(secrets)))
        return opened[-1]

    yield open_with
    for database in opened:
        database.dispose()


def seal_one_of_each(database):
    """Store what is sealed, of every kind, with the secret of the database."""
    with database.write() as session:
        event = factories.make_event(session)
        organization = organizations.need_organization(session, event.organization_id)
        connection = connect(
            session,
            organization,
            Credentials("sandbox-account", "b", "c"),
            plan=Plan("pro"),
            oauth_url=ZOOM,
            now=NOW,
        )
        organizations.write_token(session, connection.id, "{}")
        save_provider(session, organization, ZOOM, OidcCredentials("a", "b"), Policy(), now=NOW)
        endpoint, _ = add_endpoint(session, organization.id, WISH, now=NOW)
        rotate_secret(session, endpoint, now=NOW)
        make_organizer(session, totp_secret=session.info["cipher"].encrypt("JBSWY3DP"))
        add_people(session, event, 3)
        [fingerprint] = KeyRing([OLD]).list_fingerprints()
        known_secrets.add_known_secrets(session, [fingerprint], now=NOW)
        hash_keys = session.info["cipher"].encrypt(json.dumps(KeyRing([OLD]).list_hash_keys()[0]))
        known_secrets.write_hash_keys(session, fingerprint, hash_keys)


def add_people(session, event, count):
    """Register people whom Zoom has, each with a link."""
    for number in range(count):
        submission = factories.make_submission(event, email=f"{number}@{event.slug}.example.com")
        register(session, event, submission, policy=LinkPolicy.SHOW, now=NOW)
        [person] = registrations.list_registrations_by_email_key(session, submission.email_key)
        zoom_registrants.ensure_zoom_registrant(session, person.id, event.id, now=NOW)
        registrant = zoom_registrants.get_zoom_registrant(session, person.id)
        zoom_registrants.write_join_url(session, registrant, "https://zoom.us/w/1")


def list_columns(database, secret):
    """List the columns of which this secret alone opens every value."""
    cipher = Cipher([secret])
    found = []
    with database.read() as session:
        for column in sealed.list_sealed_columns():
            values = sealed.list_values(session, column, after=None, limit=1000)
            assert values, f"store something in {column} here, too"
            if all(cipher.is_newest(value) for _, value in values):
                found.append(column)
    return found


def know(database, secret, at):
    with database.write() as session:
        known_secrets.add_known_secrets(session, KeyRing([secret]).list_fingerprints(), now=at)


def test_all_that_an_older_secret_sealed_is_sealed_anew(open_with):
    seal_one_of_each(open_with(OLD))
    database = open_with(NEW, OLD)
    assert sum(seen.older for seen in count_sealed(database, KEYS)) == 10

    assert sum(seen.resealed for seen in reseal(database, KEYS)) == 10

    assert list_columns(database, NEW) == sealed.list_sealed_columns()
    assert sum(seen.older for seen in count_sealed(database, KEYS)) == 0
    assert sum(seen.lost for seen in count_sealed(open_with(NEW), KeyRing([NEW]))) == 0


def test_what_no_secret_opens_is_counted_and_left_as_it_is(open_with):
    old = open_with(OLD)
    seal_one_of_each(old)
    assert sum(seen.lost for seen in reseal(open_with(NEW), KeyRing([NEW]))) == 10
    assert list_columns(old, OLD) == sealed.list_sealed_columns()


def test_sealing_that_was_broken_off_goes_on(open_with):
    old = open_with(OLD)
    seal_one_of_each(old)
    first = next(reseal(open_with(NEW, OLD), KEYS))
    assert (len(list_columns(old, OLD)), len(list_columns(old, NEW))) == (7, 1)

    assert sum(seen.resealed for seen in reseal(open_with(NEW, OLD), KEYS)) == 10 - first.resealed
    assert list_columns(old, NEW) == sealed.list_sealed_columns()


def test_several_seal_each_value_once(open_with):
    old = open_with(OLD)
    seal_one_of_each(old)
    with old.write() as session:
        add_people(session, factories.make_event(session), 60)
    databases = [open_with(NEW, OLD) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        sums = list(
            pool.map(lambda one: sum(seen.resealed for seen in reseal(one, KEYS)), databases)
        )

    assert sum(sums) == 70
    assert list_columns(old, NEW) == sealed.list_sealed_columns()


class Workers:
    """A site whose secret is being replaced, and workers of it, with a clock."""

    def __init__(self, open_with):
        self.clock = Clock()
        self._open_with = open_with
        self.old = open_with(OLD)
        know(self.old, OLD, self.clock() - timedelta(days=100))
        seal_one_of_each(self.old)

    def start(self, *secrets):
        return Resealing(self._open_with(*secrets), KeyRing(secrets), read_clock=self.clock)

    def count_new(self):
        return len(list_columns(self.old, NEW))


@pytest.fixture
def workers(open_with):
    return Workers(open_with)


def test_worker_waits_until_others_had_time_to_learn_of_the_secret(workers):
    know(workers.old, NEW, workers.clock())
    worker = workers.start(NEW, OLD)
    worker.look()
    assert workers.count_new() == 0
    workers.clock.move(hours=1)
    worker.look()
    assert workers.count_new() == len(sealed.list_sealed_columns())


def test_worker_that_still_writes_with_the_former_secret_undoes_nothing(workers):
    know(workers.old, NEW, workers.clock() - timedelta(days=1))
    workers.start(NEW, OLD).look()
    for secrets in ((OLD, NEW), (OLD,), (NEW,)):
        workers.start(*secrets).look()
    assert workers.count_new() == len(sealed.list_sealed_columns())


def test_worker_does_a_part_at_each_look(workers):
    know(workers.old, NEW, workers.clock() - timedelta(days=1))
    worker = workers.start(NEW, OLD)
    counts = []
    for _ in range(len(sealed.list_sealed_columns())):
        worker.look(most_batches=1)
        counts.append(workers.count_new())
    assert counts == sorted(set(counts)), "each part is another one"
    assert counts[-1] == len(sealed.list_sealed_columns())


def test_worker_looks_again_for_what_others_wrote_meanwhile(workers):
    know(workers.old, NEW, workers.clock() - timedelta(days=1))
    worker = workers.start(NEW, OLD)
    worker.look()
    with workers.old.write() as session:
        add_people(session, factories.make_event(session), 1)
    worker.look()
    assert workers.count_new() == len(sealed.list_sealed_columns()) - 1
    workers.clock.move(hours=1)
    worker.look()
    assert workers.count_new() == len(sealed.list_sealed_columns())
