"""Whoever runs the site shuts a program out."""

from storage.models import AuditEntry
from tests.fixtures.databases import only_sqlite
from tests.organizer import Organizer
from tests.program import Program, make_key

pytestmark = only_sqlite


def test_operator_finds_and_revokes_keys(site):
    event = site.add_event(slug="spring")
    command = Organizer(site, event)
    keys = [make_key(site) for _ in range(3)]
    listed = command.run("keys", "list")
    [_, newest, *_] = listed.splitlines()
    unknown = site.app.test_cli_runner().invoke(args=["keys", "revoke", "-an-id-with-hyphens"])
    assert "There is no such key" in unknown.output

    assert keys[2][:12] in newest and keys[2] not in listed
    assert "never" in newest and "works" in newest
    command.run("keys", "revoke", newest.split()[0])
    command.run("keys", "revoke", keys[0])
    assert [Program(site, key).get("/events").status_code for key in keys] == [401, 200, 401]
    with site.database.read() as session:
        entries = session.query(AuditEntry).filter_by(action="api_key_revoked").all()
    assert [entry.actor for entry in entries] == ["command", "command"]
