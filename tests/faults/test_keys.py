"""F37: the installation's secret is lost, another one stands in its place, or it is rotated."""

import pyotp
import pytest
from sqlalchemy import select

from app import create_app
from config import Settings
from services import passwords
from services.known_secrets import list_new_secrets
from services.second_factors import make_recovery_codes
from services.webhooks import OFFERED, Payload, Wish, add_endpoint, read_secrets, rotate_secret
from services.zoom_connections import connect, open_secret
from storage import registrations, zoom_registrants
from storage.models import WebhookEndpoint, ZoomConnection
from storage.secret_keys import FILE_NAME
from tests import factories
from tests.cli.conftest import make_run
from tests.dashboard import Dashboard, make_membership
from tests.fixtures.databases import only_sqlite
from tests.installation import Installation
from tests.people import TARO
from zoom_client import Credentials, Plan

OLD = "an old secret that is about to be replaced"
NEW = "a new secret that nobody has used before"
EMAIL, PASSWORD = "owner@example.com", "seventeen green umbrellas"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WISH = Wish("CRM", "https://crm.example.com/in", Payload.THIN, tuple(OFFERED), None)
REFUSING = ("web", "worker", "migrate", "event list")


class Place:
    """An installation whose commands run in this process, each on an app of its own."""

    def __init__(self, folder, url):
        self.file = folder / FILE_NAME
        self._settings = {"instance": folder, "database_url": url}

    def run(self, command, *arguments, **settings):
        app = create_app(Settings(**self._settings | settings))
        done = app.test_cli_runner().invoke(args=[command, *arguments])
        app.extensions["site"].database.dispose()
        return done

    def hear_refusals(self, **settings):
        """Run every command that must refuse, and return what each of them said."""
        for command in REFUSING:
            done = self.run(*command.split(), **settings)
            assert (done.exit_code, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1, done.stderr
            yield done.stderr


@pytest.fixture
def place(tmp_path, databases):
    url = databases.make_empty()
    made = Place(tmp_path, url)
    assert made.run("migrate").exit_code == 0
    yield made
    databases.drop(url)


def test_lost_key_file_is_told_and_none_is_made(place):
    place.file.unlink()

    with pytest.raises(SystemExit) as refused:
        place.run("web")

    assert str(refused.value).startswith(f"Error: {place.file} is missing, and the database was")
    assert not place.file.exists()


def test_lost_key_file_ends_every_process_with_one_line(tmp_path):
    installation = Installation(tmp_path)
    assert installation.run("migrate").returncode == 0
    (tmp_path / "instance" / FILE_NAME).unlink()

    done = installation.run("serve")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "put it back, or set UKETSUKE_SECRET_KEY" in done.stderr


def test_foreign_key_file_is_told_and_left_as_it_is(place):
    place.file.write_text(NEW)

    for line in place.hear_refusals():
        assert f"The secret in {place.file} does not belong to this database" in line
        assert "put the file of this database back" in line
    check = place.run("check")
    assert (check.exit_code, "no  secret\n" in check.output) == (1, True)
    assert place.file.read_text() == NEW


def test_foreign_key_in_the_settings_is_told_by_its_name(place):
    for line in place.hear_refusals(secret_key=NEW):
        assert "The secret in UKETSUKE_SECRET_KEY does not belong to this database" in line


def test_new_key_is_known_once_it_stood_before_the_old_one(place):
    key = place.file.read_text().strip()
    assert place.run("event", "list", secret_key=NEW).exit_code == 1

    assert place.run("event", "list", secret_key=f"{NEW},{key}").exit_code == 0
    assert place.run("event", "list", secret_key=NEW).exit_code == 0


def test_former_key_alone_is_told_of_the_newer_one(place):
    key = place.file.read_text().strip()
    assert "ok  secret" in place.run("check").output
    assert place.run("migrate", secret_key=f"{NEW},{key}").exit_code == 0

    assert "no  secret\n    others use a newer one" in place.run("check").output


def test_no_key_is_made_while_the_database_does_not_answer(tmp_path):
    place = Place(tmp_path / "instance", "postgresql://127.0.0.1:1/none")

    with pytest.raises(SystemExit, match="no secret yet, and the database does not answer"):
        place.run("migrate")

    assert not place.file.parent.exists()


@only_sqlite
def test_key_that_is_in_use_cannot_be_given_up(place):
    done = place.run("accept-secret", "--yes")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: The secret is one of this database already.\n",
    )


def test_people_get_their_links_anew_after_the_key_is_lost_for_good(start_site):
    old = start_site()
    old.add_event(slug="spring")
    old.visitor().open("/e/spring").form().fill(**TARO).submit()
    old.drain()
    assert old.app.test_cli_runner().invoke(args=["event", "list"]).exit_code == 0
    site = start_site(
        secret_key=NEW,
        zoom_api_url=old.settings.zoom_api_url,
        zoom_oauth_url=old.settings.zoom_oauth_url,
    )
    runner = site.app.test_cli_runner()
    assert runner.invoke(args=["event", "list"]).exit_code == 1

    done = runner.invoke(args=["accept-secret", "--yes"])
    site.drain()

    assert "1 join links are asked of Zoom again" in done.output
    with site.database.read() as session:
        assert list_new_secrets(session, site.parts.keys) == []
        [person] = registrations.list_registrations_by_email_key(session, TARO["email"])
        join_link = site.parts.links.join_from_mail(person)
    room = site.visitor().open(join_link).form().leave()
    assert TARO["email"] in old.read_room(room)
    assert len(old.list_effects(TARO["email"])) == 1


class Rotation:
    """A site whose secret is replaced, with an owner, a webhook and somebody who is registered."""

    def __init__(self, start_site):
        self._start_site = start_site
        self._tries = 0
        self.site = start_site(secret_key=OLD)
        now = self.site.clock()
        with self.site.database.write() as session:
            organization = factories.make_organization(session, now=now)
            owner = make_membership(
                session,
                organization=organization,
                email=EMAIL,
                password_hash=passwords.hash_password(PASSWORD),
                totp_secret=session.info["cipher"].encrypt(TOTP),
                locale="en",
                now=now,
            )
            keys = self.site.parts.keys
            self._codes = make_recovery_codes(session, keys, owner.organizer_id, now=now)
            endpoint, self.signing = add_endpoint(session, organization.id, WISH, now=now)
            self.endpoint_id = endpoint.id
            connect(
                session,
                organization,
                Credentials("sandbox-account", "sandbox-client", "sandbox-secret"),
                plan=Plan("pro"),
                oauth_url=self.site.sandbox.url,
                now=now,
            )
        self.site.add_event(slug="spring")
        self.site.visitor().open("/e/spring").form().fill(**TARO).submit()
        self.site.drain()
        self.run("event", "list")

    def start_anew(self, *secrets):
        """Have all processes started anew with other secrets, at the same Zoom."""
        self.site = self._start_site(
            secret_key=",".join(secrets),
            zoom_api_url=self.site.settings.zoom_api_url,
            zoom_oauth_url=self.site.settings.zoom_oauth_url,
        )
        self.run("event", "list")

    def run(self, *arguments, exit_code=0):
        return make_run(self.site)(*arguments, exit_code=exit_code)

    def check(self):
        """Return what is told of secrets, and whether nothing of it is wrong."""
        output = self.site.app.test_cli_runner().invoke(args=["check"]).output
        return output[output.index("ok  secret") : output.index("no  worker")]

    def try_everything(self):
        """Sign in, open Zoom's secret and link, and sign for the webhook; return what works."""
        site, parts = self.site, self.site.parts
        with site.database.read() as session:
            connection = session.scalar(select(ZoomConnection))
            endpoint = session.get(WebhookEndpoint, self.endpoint_id)
            [person] = registrations.list_registrations_by_email_key(session, TARO["email"])
            registrant = zoom_registrants.get_zoom_registrant(session, person.id)
            works = {
                "link": bool(zoom_registrants.read_join_url(session, registrant)),
                "Zoom": bool(open_secret(parts.cipher, connection, parts.zoom.settings.oauth_url)),
                "webhook": read_secrets(parts.cipher, endpoint, now=site.clock()) == [self.signing],
            }
        # A code of a later time: each is good for one use.
        self._tries += 1
        site.clock.move(hours=self._tries)
        return works | {
            "app": self._sign_in(pyotp.TOTP(TOTP).at(site.clock())),
            "recovery code": self._sign_in(self._codes.pop()),
        }

    def _sign_in(self, code):
        browser = Dashboard(self.site.url, locale="en")
        self.site.close_later(browser.close)
        form = browser.open("/organizer/sign-in").form("Sign in")
        page = form.fill(email=EMAIL, password=PASSWORD).submit()
        page.form("Sign in").fill(code=code).submit()
        return browser.look("GET", "/organizer").status_code == 200


def test_secret_that_is_replaced_as_described_locks_nobody_out(start_site):
    rotation = Rotation(start_site)
    everything = dict.fromkeys(("link", "Zoom", "webhook", "app", "recovery code"), True)
    rotation.start_anew(OLD, NEW)
    assert rotation.try_everything() == everything
    assert "ok  what is sealed\n" in rotation.check()
    rotation.start_anew(NEW, OLD)
    assert rotation.try_everything() == everything
    seen = rotation.check()
    assert "no  what is sealed\n    only an older secret opens" in seen
    assert "1 keys of recovery codes" in seen and "1 authenticator apps of organizers" in seen

    done = rotation.run("reseal")

    assert done.output == "4 values are sealed anew with the newest secret.\n"
    assert "ok  what is sealed\n" in rotation.check()
    rotation.start_anew(NEW)
    assert rotation.try_everything() == everything
    assert "ok  what is sealed\n" in rotation.check()


def test_secret_that_is_left_out_too_early_is_told_of_and_can_be_put_back(start_site):
    rotation = Rotation(start_site)
    rotation.start_anew(NEW, OLD)
    rotation.start_anew(NEW)
    seen = rotation.check()
    assert "no  what is sealed\n    no secret that is set opens" in seen
    assert "put theirs behind the others" in rotation.run("reseal", exit_code=1).stderr

    rotation.start_anew(NEW, OLD)
    rotation.run("reseal")
    assert "ok  what is sealed\n" in rotation.check()


def test_what_is_given_anew_after_the_key_is_lost_is_counted_no_more(start_site):
    rotation = Rotation(start_site)

    def make_signing_secret():
        with rotation.site.database.write() as session:
            endpoint = session.get(WebhookEndpoint, rotation.endpoint_id)
            rotate_secret(session, endpoint, now=rotation.site.clock())

    make_signing_secret()
    rotation.site = start_site(secret_key=NEW)
    rotation.run("accept-secret", "--yes")
    told = rotation.check()
    assert (
        "no secret that is set opens 1 authenticator apps of organizers, 1 secrets of web" in told
    )
    assert "tokens" not in told and "former" not in told, "nobody has to give these anew"

    make_signing_secret()

    assert "1 authenticator apps of organizers, 1 client secrets of Zoom: put" in rotation.check()
