"""F37: the installation's secret is lost, another one stands in its place, or it is rotated."""

import pytest

from app import create_app
from config import Settings
from services.known_secrets import list_new_secrets
from storage import registrations
from storage.secret_keys import FILE_NAME
from tests.fixtures.databases import only_sqlite
from tests.installation import Installation
from tests.people import TARO

NEW = "a new secret that nobody has used before"
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
