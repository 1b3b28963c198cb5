"""What client and sandbox have to agree on."""

import pytest

from tests.zoom_client.fake_zoom import make_sandbox_client
from zoom_client import (
    AlreadyPanelist,
    AtCapacity,
    ConcurrencyLimited,
    HostNotAllowed,
    Kind,
    MeetingNotFound,
    NewRegistrant,
    RegistrationDisabled,
    ScopeMissing,
    WorkEmailRequired,
    ZoomError,
    ZoomRefused,
)
from zoom_sandbox.answers import NAMED_REFUSALS
from zoom_sandbox.server import SandboxServer

HOST = "host@example.com"
SCOPE = "user:read:user:admin"


@pytest.fixture
def sandbox():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def client(sandbox, pool):
    return make_sandbox_client(sandbox.url, pool)


@pytest.mark.parametrize("uuid", ["abcd==", "ab/cd==", "/ab==", "a//b==", "a+b==", "ab/cd//=="])
@pytest.mark.parametrize("kind", list(Kind))
def test_meeting_is_found_by_its_uuid(sandbox, client, kind, uuid):
    made = sandbox.control.add_meeting(kind)
    sandbox.control.change_meeting(made["id"], uuid=uuid)

    read = client.get_meeting(kind, uuid)

    assert (read.id, read.uuid) == (made["id"], uuid)


def test_person_denied_before_is_refused_without_a_class_of_its_own(sandbox, client):
    # Zoom's wording is not known, so nothing tells this refusal from others: look, and approve.
    meeting = sandbox.control.add_meeting(settings={"approval_type": 1})
    sandbox.control.add_registrant(meeting["id"], "taro@example.com", status="denied")

    with pytest.raises(ZoomRefused) as raised:
        client.add_registrant(
            Kind.MEETING, meeting["id"], NewRegistrant("taro@example.com", "太郎", "山田")
        )

    assert raised.value.code == 3000


READ_AS = {
    "panelist": AlreadyPanelist,
    "attendee_limit": AtCapacity,
    "paid_registration": RegistrationDisabled,
    "no_access": MeetingNotFound,
    "work_email": WorkEmailRequired,
    "host_not_allowed": HostNotAllowed,
    "schedules_hidden": HostNotAllowed,
    "concurrent": ConcurrencyLimited,
}


@pytest.mark.parametrize("name", NAMED_REFUSALS)
def test_refusal_without_a_state_has_its_class(sandbox, client, name):
    sandbox.control.fault("get_meeting", refusal=name)

    with pytest.raises(ZoomError) as raised:
        client.get_meeting(Kind.MEETING, 1)

    assert type(raised.value) is READ_AS[name]


def test_scope_granted_later_serves_the_next_call(sandbox, client):
    granted = sandbox.control.state()["scopes"]
    sandbox.control.remove_scopes(SCOPE)
    with pytest.raises(ScopeMissing) as raised:
        client.get_user(HOST)

    sandbox.control.grant_scopes(granted)

    assert raised.value.scopes == ("user:read:user", SCOPE)
    assert client.get_user(HOST).email == HOST
    assert client.scopes() == set(granted)
