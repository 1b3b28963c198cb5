"""The budget is asked before every request, with the label that Zoom counts it under."""

import time
from datetime import UTC, datetime

import pytest

from outbound import HttpPool
from tests.zoom_client.fake_zoom import FakeZoom
from zoom_client import (
    Credentials,
    Deadline,
    Kind,
    MeetingDraft,
    MeetingPatch,
    MemoryTokenStore,
    NewRegistrant,
    Questions,
    RegistrantAction,
    RegistrantRef,
    ZoomClient,
    ZoomUnreachable,
)
from zoom_client.pacing import PER_DAY, PER_SECOND
from zoom_sandbox import limits
from zoom_sandbox.operations import OPERATIONS
from zoom_sandbox.server import SandboxServer

HOST = "host@example.com"


class Notes:
    """A budget without end that writes down what it was asked."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.closed: list[tuple[str, datetime]] = []

    def take(self, name: str, *, is_walk: bool = False) -> None:
        self.taken.append(f"{name} walk" if is_walk else name)

    def close(self, name: str, until: datetime) -> None:
        self.closed.append((name, until))


def test_client_and_sandbox_know_the_same_limits():
    assert PER_SECOND == limits.PER_SECOND
    assert PER_DAY == limits.PER_DAY


@pytest.mark.parametrize("kind", list(Kind))
def test_every_request_is_taken_from_the_budget_of_its_label(kind):
    notes = Notes()
    with SandboxServer() as sandbox, HttpPool() as pool:
        client = ZoomClient(
            Credentials("sandbox-account", "sandbox-client", "sandbox-secret"),
            token_store=MemoryTokenStore(),
            api_url=f"{sandbox.url}/v2",
            oauth_url=sandbox.url,
            pool=pool,
            budget=notes,
        )
        call_everything(client, sandbox, kind)
        called = [entry["operation"] for entry in sandbox.control.journal()]
    label_of = {operation.name: operation.label for operation in OPERATIONS}
    labels = [label_of[name] for name in called if name in label_of]

    taken = [name.removesuffix(" walk") for name in notes.taken if not name.startswith("host:")]
    assert taken == labels
    assert set(labels) == {"LIGHT", "MEDIUM", "HEAVY"}
    assert {name for name in notes.taken if "walk" in name} == {"MEDIUM walk"}
    assert [name for name in notes.taken if "host" in name] == [f"host:{HOST}"] * 2


def call_everything(client, sandbox, kind):
    client.get_user(HOST)
    draft = MeetingDraft(topic="One", start_time=datetime(2036, 1, 1, tzinfo=UTC))
    made = client.create_meeting(kind, HOST, draft)
    sandbox.control.change_meeting(made.id, settings={"approval_type": 1})
    client.update_meeting(kind, made.id, MeetingPatch(topic="Two"), host=HOST)
    client.get_meeting(kind, made.id)
    list(client.list_meetings(kind, HOST))
    client.update_questions(kind, made.id, Questions())
    client.get_questions(kind, made.id)
    added = client.add_registrant(kind, made.id, NewRegistrant("a@example.com", "A", "B"))
    client.add_registrants(kind, made.id, [NewRegistrant("b@example.com", "A", "B")])
    ref = RegistrantRef(added.registrant_id, "a@example.com")
    client.set_registrant_status(kind, made.id, RegistrantAction.APPROVE, [ref])
    client.get_registrant(kind, made.id, ref.id)
    list(client.list_registrants(kind, made.id))
    client.delete_registrant(kind, made.id, ref.id)


def test_request_made_again_with_a_new_token_is_taken_twice(zoom: FakeZoom):
    notes = Notes()
    client = zoom.client(budget=notes)
    zoom.refused_tokens.add("token-1")
    zoom.will_answer({"id": 1, "type": 2})

    client.get_meeting(Kind.MEETING, 1)

    assert (notes.taken, len(zoom.requests)) == (["LIGHT", "LIGHT"], 2)


@pytest.mark.parametrize(
    ("message", "closed"),
    [
        ("You have reached the maximum per-second rate limit.", ["LIGHT"]),
        ("You have reached the maximum daily rate limit.", ["LIGHT"]),
        ("You have exceeded the daily rate limit (100) of Meeting Create/Update", ["host:h"]),
        ("You have exceeded the daily rate limit of (3) for Add meeting registrant", []),
        ("Too many concurrent requests.", []),
    ],
)
def test_limit_that_concerns_others_is_told_to_the_budget(zoom: FakeZoom, message, closed):
    notes = Notes()
    zoom.will_answer({"code": 429, "message": message}, status=429)

    with pytest.raises(Exception, match=message[:20]):
        zoom.client(budget=notes).update_meeting(Kind.MEETING, 1, MeetingPatch(topic="T"), host="h")

    assert [name for name, _ in notes.closed] == closed


def test_calls_bound_as_a_whole_count_their_waits(zoom: FakeZoom):
    deadline = Deadline(2)

    class Slow(Notes):
        def take(self, name: str, *, is_walk: bool = False) -> None:
            is_first = not self.taken
            super().take(name, is_walk=is_walk)
            time.sleep(0 if is_first else max(0, deadline.remaining_seconds()))

    client = zoom.client(budget=Slow())
    zoom.will_answer({"id": 1, "type": 2})
    bound = client.within(deadline)

    assert bound.get_meeting(Kind.MEETING, 1).id == 1
    with pytest.raises(ZoomUnreachable, match="time"):
        bound.get_meeting(Kind.MEETING, 1)
    with pytest.raises(ZoomUnreachable):
        list(bound.list_users())
    zoom.will_answer({"id": 1, "type": 2})
    assert client.get_meeting(Kind.MEETING, 1).id == 1
    assert len(zoom.requests) == 2
