"""What `/healthz` and `/readyz` say to whoever watches over a site."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app import create_app
from config import Settings
from storage import heartbeats
from tests.fixtures.databases import only_postgresql, only_sqlite

OF_AN_ACCOUNT = ["UKETSUKE_BASE_URL", "UKETSUKE_MAIL_URL"]


def ask(site):
    answer = site.visitor().look("GET", "/readyz")
    return answer.status_code, answer.json()


def beat(site):
    with site.database.write() as session:
        heartbeats.beat(session, "worker", started_at=site.clock(), now=site.clock())


def test_site_is_ready_while_a_worker_lives(site):
    assert ask(site) == (503, {"status": "waiting", "missing": ["worker"]})

    beat(site)
    assert ask(site) == (200, {"status": "ready", "missing": []})

    site.clock.move(seconds=61)
    assert ask(site) == (503, {"status": "waiting", "missing": ["worker"]})
    assert site.visitor().look("GET", "/healthz").status_code == 200


@only_sqlite
def test_site_with_an_account_needs_an_address_and_a_mail_server(start_site):
    site = start_site(is_demo=False, base_url="")
    beat(site)

    assert ask(site) == (503, {"status": "waiting", "missing": OF_AN_ACCOUNT})


def test_database_that_was_not_migrated_is_named(databases, tmp_path):
    url = databases.make_empty()
    app = create_app(Settings(instance=tmp_path, database_url=url))

    answer = app.test_client().get("/readyz")

    app.extensions["site"].database.dispose()
    databases.drop(url)
    assert (answer.status_code, answer.json["missing"]) == (503, ["migration"])


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "sqlite:////dev"])
def test_database_that_does_not_answer_is_named(url, tmp_path):
    settings = Settings(instance=tmp_path, database_url=url, secret_key="k" * 32)
    app = create_app(settings)

    answer = app.test_client().get("/readyz")

    app.extensions["site"].database.dispose()
    assert (answer.status_code, answer.json["missing"]) == (503, ["database"])


def test_database_that_takes_no_write_is_not_ready(site):
    beat(site)
    with site.database.engine.connect() as connection:
        if site.database.is_sqlite:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            assert ask(site) == (503, {"status": "waiting", "missing": ["database"]})
            return
    with site.database.write() as session:
        name = session.scalar(text("SELECT current_database()"))
        session.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    site.database.dispose()
    assert ask(site) == (503, {"status": "waiting", "missing": ["writable database"]})


@only_sqlite
def test_security_contact_is_told_as_the_rfc_has_it(start_site):
    contact = "mailto:security@example.com"
    site = start_site(security_contact=contact)

    answer = site.visitor().look("GET", "/.well-known/security.txt")

    assert answer.headers["Content-Type"].startswith("text/plain")
    told = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert told["Contact"] == contact
    assert told["Canonical"] == f"{site.url}/.well-known/security.txt"
    ahead = datetime.fromisoformat(told["Expires"]) - site.clock()
    assert timedelta(days=30) < ahead < timedelta(days=365)


@only_sqlite
def test_without_a_security_contact_there_is_no_such_page(site):
    assert site.visitor().look("GET", "/.well-known/security.txt").status_code == 404


@only_postgresql
def test_disk_of_the_server_that_is_full_is_named_instead_of_the_worker(site):
    with site.database.write() as session:
        session.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql "
                "AS 'BEGIN RAISE disk_full; END'"
            )
        )
        session.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON rate_bucket "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )

    assert ask(site)[1]["missing"] == ["disk space of the database"]
