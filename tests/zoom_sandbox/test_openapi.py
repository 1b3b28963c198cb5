"""Hold a whole walk through the sandbox against Zoom's published API description."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from jsonschema import Draft202012Validator, validate
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from tests.zoom_client.description import (
    find_operation,
    find_unknown_keys,
    get_answer_schema,
    get_properties,
)
from tests.zoom_sandbox.api import PERSON, Api
from zoom_sandbox.operations import OPERATIONS
from zoom_sandbox.schemas import STANDARD_FIELDS

DESCRIPTIONS = Path(__file__).resolve().parents[2].parent / "shared" / "zoom"
ZOOM = "https://api.zoom.us/v2"

pytestmark = pytest.mark.skipif(
    not DESCRIPTIONS.is_dir(),
    reason="Zoom's API description (shared/zoom) does not stand beside this checkout",
)


def _words(text: str) -> set[str]:
    return set(text.split())


# What Zoom's answers have and the sandbox does not play, by operationId. The description calls no
# key required, so without this list an empty answer would agree with it.
_NOT_PLAYED_OF_MEETINGS = _words(
    "assistant_id chat_join_url dynamic_host_key encrypted_password h323_password pmi pre_schedule "
    "pstn_password sensitivity_label_id template_id tracking_fields"
)
_NOT_PLAYED_OF_WEBINARS = _words(
    "encrypted_passcode h323_passcode is_simulive record_file_id simulive_delay_start template_id "
    "tracking_fields transition_to_live"
)
_NOT_PLAYED = {
    "meetingCreate": _NOT_PLAYED_OF_MEETINGS,
    "meeting": _NOT_PLAYED_OF_MEETINGS,
    "webinarCreate": _NOT_PLAYED_OF_WEBINARS,
    "webinar": _NOT_PLAYED_OF_WEBINARS,
    "user": _words(
        "account_number cluster cms_user_id company cost_center created_at custom_attributes dept "
        "division_ids employee_unique_id group_ids im_group_ids jid job_title language "
        "last_client_version last_login_time license_info_list location login_types manager "
        "personal_meeting_url phone_country phone_number phone_numbers pic_url plan_united_type "
        "pmi pronouns pronouns_option role_id role_name use_pmi user_created_at vanity_url "
        "verified zoom_one_type"
    ),
}
# Some keys are there for some only: what recurs, who is approved, who answered a question.
_NOT_ALWAYS = {"occurrences", "recurrence", "registration_url", "join_url", "participant_pin_code"}


def check_keys(method: str, path: str, response: requests.Response) -> None:
    """Compare the keys of an answer with the description's: none more, none fewer."""
    operation = find_operation(method.lower(), path)
    schema = get_answer_schema(operation)
    if schema is None:
        assert response.content == b""
        return
    answer = response.json()
    assert find_unknown_keys(schema, answer) == []
    missing = get_properties(schema).keys() - answer.keys() - _NOT_ALWAYS
    if operation["operationId"] in ("meetingRegistrantGet", "webinarRegistrantGet"):
        missing -= STANDARD_FIELDS.keys() | {"custom_questions"}
    assert missing == _NOT_PLAYED.get(operation["operationId"], set())


class DescribedApi(Api):
    """Check every answer, and every request that should be right, against the description."""

    def __init__(self, url: str, description: OpenAPI) -> None:
        super().__init__(url)
        self._description = description
        self.seen: set[tuple[str, int]] = set()

    def call(
        self, method: str, path: str, body: object = None, *, timeout: float = 10, **query: object
    ) -> requests.Response:
        response = super().call(method, path, body, timeout=timeout, **query)
        sent = response.request
        asked = RequestsOpenAPIRequest(
            requests.Request(
                method,
                ZOOM + sent.url.removeprefix(f"{self.url}/v2"),
                data=sent.body,
                headers=dict(sent.headers),
            )
        )
        answered = RequestsOpenAPIResponse(response)
        self._description.validate_response(asked, answered)
        if response.ok:
            self._description.validate_request(asked)
            check_keys(method, sent.path_url.removeprefix("/v2").partition("?")[0], response)
        self.seen.add((method, response.status_code))
        return response


@pytest.fixture(scope="module")
def description() -> OpenAPI:
    return OpenAPI.from_file_path(str(DESCRIPTIONS / "zoom-rest.openapi.json"))


@pytest.fixture
def described(sandbox, description):
    api = DescribedApi(sandbox.url, description)
    yield api
    api.session.close()


FULL_PERSON: dict[str, Any] = {
    **PERSON,
    "address": "千代田1-1",
    "city": "千代田区",
    "state": "東京都",
    "zip": "1000001",
    "country": "JP",
    "phone": "0312345678",
    "comments": "よろしく",
    "industry": "製造",
    "job_title": "課長",
    "org": "例示商事",
    "no_of_employees": "101-500",
    "purchasing_time_frame": "1-3 months",
    "role_in_purchase_process": "Influencer",
    "language": "jp-JP",
    "custom_questions": [{"title": "所属", "value": "総務"}],
}


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_whole_walk_agrees_with_the_description(described, kind):
    api = described
    api.call("GET", "/users/host@example.com")
    api.call("GET", "/users", status="active", page_size=30)
    meeting = api.create(kind, agenda="Why", duration=45, timezone="Asia/Tokyo", password="abc123")
    path = api.path(meeting)
    api.call("GET", path)
    api.call("GET", f"/users/host@example.com/{kind}s", type="upcoming", page_size=10)
    api.call("PATCH", path, {"topic": "説明会", "settings": {"show_share_button": False}})
    questions = {
        "questions": [{"field_name": "org", "required": False}],
        "custom_questions": [{"title": "所属", "type": "short", "required": False}],
    }
    api.call("PATCH", f"{path}/registrants/questions", questions)
    assert api.call("GET", f"{path}/registrants/questions").json() == questions
    added = api.call("POST", f"{path}/registrants", FULL_PERSON).json()
    api.set_status(meeting, "approve", {"email": PERSON["email"]})
    other = {**PERSON, "email": "hanako@example.com"}
    batch = {"auto_approve": True, "registrants": [other]}
    api.call("POST", f"{path}/batch_registrants", batch)
    for status in ("approved", "pending", "denied"):
        api.call("GET", f"{path}/registrants", status=status, page_size=1)
    read = api.call("GET", f"{path}/registrants/{added['registrant_id']}").json()
    assert read["custom_questions"] == FULL_PERSON["custom_questions"]
    api.set_status(meeting, "cancel", {"id": added["registrant_id"]})
    api.call("DELETE", f"{path}/registrants/{added['registrant_id']}")
    api.call("DELETE", path)
    assert api.seen == {
        ("GET", 200),
        ("POST", 201),
        ("PATCH", 204),
        ("PUT", 204),
        ("DELETE", 204),
    }


def test_recurring_meetings_agree_with_the_description(described):
    recurrence = {"type": 2, "weekly_days": "3", "end_times": 3}
    meeting = described.create(type=8, recurrence=recurrence, settings={"registration_type": 2})
    described.call("GET", described.path(meeting))
    occurrence_id = meeting["occurrences"][0]["occurrence_id"]
    path = f"{described.path(meeting)}/registrants"
    added = described.call("POST", path, PERSON, occurrence_ids=occurrence_id).json()
    assert [o["occurrence_id"] for o in added["occurrences"]] == [occurrence_id]
    described.call("GET", path, status="pending", occurrence_id=occurrence_id)


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_refusals_agree_with_the_description(sandbox, described, kind):
    api = described
    path = f"/{kind}s/123/registrants"
    assert api.call("POST", path, PERSON).status_code == 404
    meeting = api.create(kind)
    for _ in range(4):
        last = api.add(meeting)
    assert last.status_code == 429
    api.add(meeting, email="host@example.com")
    api.add(meeting, colour="red")
    api.call("GET", f"{api.path(meeting)}/registrants/nobody")
    sandbox.control.set_clock(datetime(2031, 1, 1, tzinfo=UTC))
    api.sign_in()
    api.add(meeting)
    assert api.seen == {("POST", 201), ("POST", 400), ("POST", 404), ("POST", 429), ("GET", 400)}


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_what_was_held_agrees_with_the_description(sandbox, described, kind):
    api = described
    meeting = api.create(kind)
    added = api.add(meeting).json()
    joins = [{"registrant_id": added["registrant_id"]}, {"name": "誰か", "is_waiting": True}]
    start = datetime.now(UTC) - timedelta(hours=1)
    held = sandbox.control.hold(meeting["id"], started_at=start, ended_at=start, joins=joins)
    uuid = quote(quote(held["uuid"], safe=""), safe="")
    api.call("GET", f"/past_{kind}s/{meeting['id']}/instances")
    if kind == "meeting":
        api.call("GET", f"/past_meetings/{uuid}")
    for path in (f"/report/{kind}s", f"/past_{kind}s"):
        asked = {"include_fields": "registrant_id", "page_size": 2}
        page = api.call("GET", f"{path}/{uuid}/participants", **asked).json()
        assert len(page["participants"]) == 2
        assert api.call("GET", f"{path}/{meeting['id'] + 1}/participants").status_code == 404
    sandbox.control.move_clock(days=500)
    api.sign_in()
    api.call("GET", f"/report/{kind}s/{uuid}/participants")
    assert api.seen == {("POST", 201), ("GET", 200), ("GET", 404), ("GET", 400)}


def test_every_operation_is_described_with_its_label_and_scope():
    described = json.loads((DESCRIPTIONS / "zoom-rest.openapi.json").read_text())
    known = {
        operation["operationId"]: (
            method.upper(),
            operation["x-rate-limit-label"],
            operation["x-zoom-scopes"]["granular"],
        )
        for path in described["paths"].values()
        for method, operation in path.items()
        if "operationId" in operation
    }
    for operation in OPERATIONS:
        method, label, scopes = known[operation.name]
        assert (operation.method, operation.label) == (method, label)
        # Some are there for administrators alone.
        assert not {operation.scope, f"{operation.scope}:admin"}.isdisjoint(scopes)


def test_token_answers_agree_with_the_description(api):
    described = json.loads((DESCRIPTIONS / "zoom-observed.schema.json").read_text())
    schema = {**described, "$ref": "#/$defs/TokenResponse"}
    validate(api.ask_for_token().json(), schema)
    refused = {**described, "$ref": "#/$defs/OAuthError"}
    validate(api.ask_for_token(client_secret="wrong").json(), refused)


@pytest.mark.parametrize("kind", ["meeting", "webinar"])
def test_webhooks_agree_with_the_description(sandbox, api, kind):
    described = json.loads((DESCRIPTIONS / "zoom-webhooks.openapi.json").read_text())
    sandbox.control.send_webhooks_to("http://127.0.0.1:1/", "secret")
    meeting = api.create(kind, settings={"approval_type": 0})
    api.add(meeting, org="例示商事")
    for action in ("cancel", "approve", "deny"):
        api.set_status(meeting, action, {"email": PERSON["email"]})
    api.call("PATCH", api.path(meeting), {"topic": "New"})
    start = datetime.now(UTC) - timedelta(hours=1)
    sandbox.control.hold(meeting["id"], started_at=start, ended_at=start)
    api.call("DELETE", api.path(meeting))
    sent = sandbox.control.webhooks()
    assert len(sent) == 9
    for message in (delivery["message"] for delivery in sent):
        content = described["webhooks"][message["event"]]["post"]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        Draft202012Validator({**schema, "components": described.get("components", {})}).validate(
            message
        )
