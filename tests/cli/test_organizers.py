"""`flask organizers`: the link of the first owner."""

from app import create_app
from config import Settings
from storage import migrate, organizations


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
