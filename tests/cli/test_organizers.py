"""`flask organizers` and `flask organizations`: owners of the first and of others."""

from app import create_app
from config import Settings
from storage import migrate, organizations
from storage.models import AccessLink, Organizer
from tests.dashboard import Dashboard
from tests.fixtures.databases import only_sqlite


def test_first_owner_finds_the_account_of_the_settings_connected(tmp_path):
    app = create_app(
        Settings(
            instance=tmp_path,
            zoom_account_id="an-account",
            zoom_client_id="a-client",
            zoom_client_secret="a secret that nobody is shown",
        )
    )
    database = app.extensions["site"].database
    migrate.upgrade(database)

    invited = app.test_cli_runner().invoke(args=["organizers", "invite"])

    assert invited.exit_code == 0, invited.output
    with database.read() as session:
        organization = organizations.get_first_organization(session)
        assert organization is not None
        connection = organizations.get_first_connection(session, organization.id)
        assert connection is not None and connection.account_id == "an-account"
    database.dispose()


def run(site, *arguments):
    done = site.app.test_cli_runner().invoke(args=list(arguments))
    return done.exit_code, done.output.strip()


def join(site, link, email):
    browser = Dashboard(site.url)
    site.close_later(browser.close)
    form = browser.open(link).form()
    if form.element.find_all(name="organization"):
        form.fill(organization="はじめの会")
    form.fill(name="山田 太郎", email=email, password="seventeen green umbrellas").submit()
    return browser


@only_sqlite
def test_another_organization_has_an_owner_of_its_own_who_adds_no_more(site):
    first = join(site, run(site, "organizers", "invite")[1], "first@example.com")
    code, link = run(site, "organizations", "create", " 二つ目の   会 ")
    assert code == 0

    second = join(site, link, "second@example.com")

    assert "二つ目の 会" in second.open("/organizer").root.text
    assert "はじめの会" in first.open("/organizer").root.text
    with site.database.read() as session:
        rights = {row.email: row.may_add_organizations for row in session.query(Organizer)}
        assert {row.organization_id for row in session.query(AccessLink)} == {1, 2}
    assert rights == {"first@example.com": True, "second@example.com": False}
    _, table = run(site, "organizations", "list")
    assert [line.split()[1:] for line in table.splitlines()] == [
        ["name", "members", "events"],
        ["はじめの会", "1", "0"],
        ["二つ目の", "会", "1", "0"],
    ]
    assert run(site, "organizations", "create", " ") == (
        1,
        "Error: A name has 1 to 200 characters.",
    )
