"""Looking at an account of Zoom: scopes in both styles, hosts, licences, the webinar add-on."""

from datetime import UTC, datetime

import pytest

from services import zoom_preflight
from services.zoom_preflight import Host, Task, Webinars, look_at_account
from zoom_client import AuthenticationFailed, Credentials, Kind, MemoryTokenStore, ZoomClient
from zoom_sandbox import SandboxSettings
from zoom_sandbox.server import SandboxServer


@pytest.fixture
def zoom():
    with SandboxServer(SandboxSettings()) as server:
        yield server


def look(server, secret="sandbox-secret"):
    client = ZoomClient(
        Credentials("sandbox-account", "sandbox-client", secret),
        token_store=MemoryTokenStore(),
        api_url=f"{server.url}/v2",
        oauth_url=server.url,
        now=lambda: datetime.now(UTC),
    )
    return look_at_account(client)


def list_missing(found, kind=Kind.MEETING):
    return {finding.task: finding.missing for finding in found.list_missing(kind)}


def test_whole_account_lacks_nothing(zoom):
    found = look(zoom)

    assert list_missing(found) == list_missing(found, Kind.WEBINAR) == {}
    assert found.hosts == (Host("host@example.com", found.hosts[0].name, is_licensed=True),)
    assert (found.has_licensed_host, found.webinars) == (True, Webinars.HAD)


def test_missing_scope_is_told_by_what_stops_without_it(zoom):
    zoom.control.remove_scopes("meeting:write:registrant:admin")

    found = look(zoom)

    assert list_missing(found) == {Task.REGISTER: ("meeting:write:registrant:admin",)}
    [finding] = found.list_missing(Kind.MEETING)
    assert [scope.classic for scope in finding.scopes] == ["meeting:write:admin"] * 2
    assert list_missing(found, Kind.WEBINAR) == {}


def test_classic_scopes_are_as_good(zoom):
    zoom.control.grant_scopes(["meeting:read:admin", "meeting:write:admin", "user:read:admin"])

    found = look(zoom)

    assert list_missing(found) == {}
    assert len(list_missing(found, Kind.WEBINAR)) == 8


def test_optional_scope_is_shown_but_not_missed(zoom):
    scopes = zoom.control.state()["scopes"]
    zoom.control.grant_scopes(scope for scope in scopes if "_participants" not in scope)

    found = look(zoom)

    assert list_missing(found) == {}
    [finding] = [f for f in found.findings if f.missing and f.kind is Kind.MEETING]
    assert (finding.task, finding.is_optional) == (Task.ATTENDANCE, True)
    assert finding.missing == ("report:read:list_meeting_participants:admin",)


def test_hosts_without_their_scope_are_unknown_not_none(zoom):
    zoom.control.remove_scopes("user:read:list_users:admin")

    found = look(zoom)

    assert (found.hosts, found.webinars) == (None, Webinars.UNKNOWN)


def test_missing_add_on_and_licence_are_told():
    with SandboxServer(SandboxSettings(plan="free", enforce_rate_limits=False)) as server:
        found = look(server)
        assert (found.has_licensed_host, found.webinars) == (False, Webinars.UNKNOWN)

        server.control.add_user("u2", "second@example.com", type=2, has_webinars=False)
        found = look(server)
        assert (found.has_licensed_host, found.webinars) == (True, Webinars.MISSING)


def test_licensed_host_is_found_behind_many_without(monkeypatch):
    monkeypatch.setattr(zoom_preflight, "MOST_HOSTS", 1)
    with SandboxServer(SandboxSettings(plan="free", enforce_rate_limits=False)) as server:
        server.control.add_user("u2", "second@example.com", type=1)
        server.control.add_user("u3", "third@example.com", type=2)
        found = look(server)
        assert [host.is_licensed for host in found.hosts] == [False, True]
        assert not found.has_more_users

        monkeypatch.setattr(zoom_preflight, "MOST_USERS", 2)
        found = look(server)
        assert (found.has_licensed_host, found.has_more_users) == (False, True)


def test_wrong_secret_is_an_error_of_its_own(zoom):
    with pytest.raises(AuthenticationFailed):
        look(zoom, "wrong")
