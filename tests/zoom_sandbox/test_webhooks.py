import hashlib
import hmac
import json

import pytest
from werkzeug import Request, Response

from tests.zoom_sandbox.api import PERSON
from zoom_sandbox.webhooks import sign

SECRET = "test-secret-token"


class Receiver:
    """Collect what arrives and whether its signature is right; news of new meetings apart."""

    def __init__(self, httpserver):
        self.messages = []
        self.created = []
        self.url = httpserver.url_for("/zoom")
        httpserver.expect_request("/zoom").respond_with_handler(self._receive)

    def _receive(self, request: Request) -> Response:
        body = request.get_data()
        signed = b"v0:" + request.headers["x-zm-request-timestamp"].encode() + b":" + body
        expected = "v0=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert request.headers["x-zm-signature"] == expected
        message = json.loads(body)
        is_creation = message["event"] in ("meeting.created", "webinar.created")
        (self.created if is_creation else self.messages).append(message)
        if message["event"] == "endpoint.url_validation":
            return Response(message["payload"]["plainToken"])
        return Response(status=204)

    def events(self):
        return [message["event"] for message in self.messages]


@pytest.fixture
def receiver(sandbox, httpserver):
    receiver = Receiver(httpserver)
    sandbox.control.send_webhooks_to(receiver.url, SECRET)
    return receiver


def test_signature_is_the_known_one():
    body = (
        b'{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},'
        b'"event_ts":1626230691572,"event":"endpoint.url_validation"}'
    )
    assert sign(SECRET, "1626230691", body) == (
        "v0=6113a8ee4896cccf81be3c5c769660fadd6562c8f9a480d3bad04c397d6ec78d"
    )


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_each_step_of_a_registration_is_told(sandbox, api, receiver, kind):
    meeting = api.create(kind)
    added = api.add(meeting).json()
    person = {"email": PERSON["email"]}
    for action in ("approve", "cancel", "approve", "deny"):
        api.set_status(meeting, action, person)
    statuses = [delivery["status"] for delivery in sandbox.control.webhooks()]
    assert statuses == [204] * 6
    verbs = ["created", "approved", "cancelled", "approved", "denied"]
    assert receiver.events() == [f"{kind}.registration_{verb}" for verb in verbs]
    created, approved = (m["payload"]["object"]["registrant"] for m in receiver.messages[:2])
    assert (created["status"], created["join_url"]) == ("pending", "")
    assert approved["id"] == added["registrant_id"]
    assert approved["join_url"].startswith(f"{api.url}/w/{meeting['id']}?tk=")


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_new_meeting_is_told(sandbox, api, receiver, kind):
    meeting = api.create(kind)
    sandbox.control.webhooks()
    told = [(m["event"], m["payload"]["object"]["id"]) for m in receiver.created]
    assert told == [(f"{kind}.created", meeting["id"])]
    assert receiver.created[0]["payload"]["object"]["join_url"] == meeting["join_url"]


def test_message_names_account_meeting_and_operator(sandbox, api, receiver):
    meeting = api.create()
    api.add(meeting)
    api.set_status(meeting, "approve", {"email": PERSON["email"]})
    sandbox.control.webhooks()
    payload = receiver.messages[1]["payload"]
    assert (payload["account_id"], payload["operator"]) == ("sandbox-account", "host@example.com")
    assert (payload["object"]["id"], payload["object"]["uuid"]) == (meeting["id"], meeting["uuid"])


def test_status_without_change_is_not_told(sandbox, api, receiver):
    meeting = api.create(settings={"approval_type": 0})
    api.add(meeting)
    api.set_status(meeting, "approve", {"email": PERSON["email"]})
    sandbox.control.webhooks()
    assert receiver.events() == ["meeting.registration_created"]


def test_update_tells_only_what_changed_with_former_values(sandbox, api, receiver):
    meeting = api.create()
    api.call("PATCH", api.path(meeting), {"topic": "New", "settings": {"waiting_room": True}})
    sandbox.control.webhooks()
    payload = receiver.messages[0]["payload"]
    assert receiver.events() == ["meeting.updated"]
    assert payload["object"] == {
        "id": meeting["id"],
        "topic": "New",
        "settings": {"waiting_room": True},
    }
    assert payload["old_object"] == {"id": meeting["id"], "topic": "Spring briefing"}
    assert payload["scope"] == "all"


def test_deletion_is_told(sandbox, api, receiver):
    meeting = api.create("webinar")
    api.call("DELETE", api.path(meeting))
    sandbox.control.webhooks()
    assert receiver.events() == ["webinar.deleted"]
    assert receiver.messages[0]["payload"]["operation"] == "all"


def test_challenge_shows_the_receivers_answer(sandbox, receiver):
    answer = sandbox.control.challenge_webhook("plain")
    assert (answer["status"], answer["answer"]) == (200, "plain")
    assert answer["message"]["event"] == "endpoint.url_validation"


def test_webhook_address_that_is_no_text_is_refused(sandbox):
    with pytest.raises(ValueError, match="texts"):
        sandbox.control.send_webhooks_to(5, SECRET)


def test_dropped_messages_never_arrive(sandbox, api, receiver):
    sandbox.control.deliver_webhooks("drop")
    api.add(api.create())
    assert sandbox.control.webhooks() == []


def test_messages_can_arrive_twice(sandbox, api, receiver):
    sandbox.control.deliver_webhooks("twice")
    api.add(api.create())
    sandbox.control.webhooks()
    assert receiver.events() == ["meeting.registration_created"] * 2
    assert receiver.messages[0] == receiver.messages[1]


def test_held_messages_arrive_newest_first(sandbox, api, receiver):
    meeting = api.create()
    assert len(sandbox.control.webhooks()) == 1
    sandbox.control.deliver_webhooks("hold")
    api.add(meeting)
    api.set_status(meeting, "approve", {"email": PERSON["email"]})
    assert len(sandbox.control.webhooks()) == 1
    sandbox.control.release_webhooks()
    sandbox.control.webhooks()
    assert receiver.events() == ["meeting.registration_approved", "meeting.registration_created"]


def test_unreachable_receiver_does_not_stop_zoom(sandbox, api):
    sandbox.control.send_webhooks_to("http://127.0.0.1:1/", SECRET)
    assert api.add(api.create()).status_code == 201
    assert [delivery["status"] for delivery in sandbox.control.webhooks()] == [None] * 2
