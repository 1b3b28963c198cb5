"""Every call against Zoom's own API description: what is sent fits it, what it shows is read."""

import json
from datetime import UTC, datetime

import pytest
from openapi_core import OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from tests.zoom_client.description import (
    DESCRIPTION,
    find_unknown_keys,
    get_answer_schema,
    get_properties,
    read_description,
)
from tests.zoom_client.fake_zoom import TOKEN_ANSWER
from zoom_client import (
    ApprovalType,
    CustomQuestion,
    Kind,
    MeetingDraft,
    MeetingPatch,
    NewRegistrant,
    Questions,
    RegistrantAction,
    RegistrantRef,
    RegistrantStatus,
    StandardQuestion,
    find_missing_scopes,
)

pytestmark = pytest.mark.skipif(
    not DESCRIPTION.exists(), reason=f"Zoom's API description is not at {DESCRIPTION}"
)

ID = 85746065123
TARO = NewRegistrant("taro@example.com", "太郎", "山田")
EVERYTHING = NewRegistrant(
    "taro@example.com",
    "太郎",
    "山田",
    address="千代田1-1",
    city="千代田区",
    state="東京都",
    zip="100-0001",
    country="JP",
    phone="03-1234-5678",
    comments="よろしく",
    industry="教育",
    job_title="係長",
    org="受付株式会社",
    no_of_employees="101-500",
    purchasing_time_frame="1-3 months",
    role_in_purchase_process="Influencer",
    custom_questions={"参加理由": "興味"},
    language="jp-JP",
    source_id="4816766181770",
)
DRAFT = MeetingDraft(
    topic="説明会",
    agenda="はじめに",
    start_time=datetime(2026, 12, 1, tzinfo=UTC),
    duration_minutes=60,
    timezone="Asia/Tokyo",
    password="123456",
    approval_type=ApprovalType.MANUAL,
    registration_type=1,
    registrants_confirmation_email=False,
    registrants_email_notification=False,
    close_registration=True,
)
QUESTIONS = Questions((StandardQuestion("org"),), (CustomQuestion("一言"),))

# (method, path below the meeting or user, success, the call)
CALLS = [
    ("get", "{kind}", 200, lambda c, k: c.get_meeting(k, ID)),
    ("get", "user/{kind}s", 200, lambda c, k: list(c.list_meetings(k, "host@example.com"))),
    ("post", "user/{kind}s", 201, lambda c, k: c.create_meeting(k, "host@example.com", DRAFT)),
    ("patch", "{kind}", 204, lambda c, k: c.update_meeting(k, ID, MeetingPatch(topic="x"))),
    (
        "post",
        "{kind}/registrants",
        201,
        lambda c, k: c.add_registrant(
            k, ID, EVERYTHING, auto_approve=True, occurrence_ids=["1648194360000"]
        ),
    ),
    (
        "post",
        "{kind}/batch_registrants",
        201,
        lambda c, k: c.add_registrants(k, ID, [TARO], auto_approve=True),
    ),
    ("get", "{kind}/registrants/{rid}", 200, lambda c, k: c.get_registrant(k, ID, "r1")),
    (
        "get",
        "{kind}/registrants",
        200,
        lambda c, k: list(c.list_registrants(k, ID, statuses=[RegistrantStatus.DENIED])),
    ),
    (
        "put",
        "{kind}/registrants/status",
        204,
        lambda c, k: c.set_registrant_status(
            k,
            ID,
            RegistrantAction.APPROVE,
            [RegistrantRef("r1", "taro@example.com")],
        ),
    ),
    (
        "delete",
        "{kind}/registrants/{rid}",
        204,
        lambda c, k: c.delete_registrant(k, ID, "r1", occurrence_id="7"),
    ),
    ("get", "{kind}/registrants/questions", 200, lambda c, k: c.get_questions(k, ID)),
    (
        "patch",
        "{kind}/registrants/questions",
        204,
        lambda c, k: c.update_questions(k, ID, QUESTIONS),
    ),
    ("get", "user", 200, lambda c, k: c.get_user("host@example.com")),
    ("get", "users", 200, lambda c, k: list(c.list_users())),
    ("get", "past/instances", 200, lambda c, k: c.list_instances(k, ID)),
    ("get", "past/participants", 200, lambda c, k: list(c.list_participants(k, "ab=="))),
    ("get", "report/participants", 200, lambda c, k: list(c.list_participants(k, "ab=="))),
]
EVERY_CALL = pytest.mark.parametrize(("method", "path", "status", "call"), CALLS)
BOTH_KINDS = pytest.mark.parametrize("kind", list(Kind))


@pytest.fixture(scope="module")
def description():
    return read_description()


@pytest.fixture(scope="module")
def openapi():
    return OpenAPI.from_file_path(str(DESCRIPTION))


def get_operation(description, method, path, kind):
    first, _, rest = path.partition("/")
    starts = {
        "user": "/users/{userId}",
        "users": "/users",
        "past": f"/past_{kind}s/{{{kind}Id}}",
        "report": f"/report/{kind}s/{{{kind}Id}}",
    }
    start = starts.get(first, f"/{kind}s/{{{kind}Id}}")
    rest = rest.format(kind=kind, rid="{registrantId}")
    return description["paths"][f"{start}/{rest}".rstrip("/")][method]


def make_example(schema):
    """Build the answer whose every part is the example the description gives."""
    if properties := get_properties(schema):
        return {name: make_example(part) for name, part in properties.items()}
    if schema.get("type") == "array":
        return [make_example(schema["items"])]
    return schema.get("example")


def to_zoom(request):
    """Address the request to Zoom, where the description places the calls."""
    builder = EnvironBuilder(
        path=request.path,
        base_url="https://api.zoom.us",
        query_string=request.query_string.decode(),
        method=request.method,
        headers=dict(request.headers) | {"Host": "api.zoom.us"},
        data=request.get_data(),
    )
    return WerkzeugOpenAPIRequest(Request(builder.get_environ()))


@BOTH_KINDS
@EVERY_CALL
def test_call_fits_zooms_description(zoom, description, openapi, kind, method, path, status, call):
    operation = get_operation(description, method, path, kind)
    schema = get_answer_schema(operation)
    example = make_example(schema) if schema else b""
    if isinstance(example, dict):
        example.pop("next_page_token", None)
    if path.startswith("report"):
        zoom.will_answer_token(TOKEN_ANSWER | {"scope": "report:read:admin"})
    zoom.will_answer(example, status)

    call(zoom.client(), kind)

    assert len(zoom.requests) == 1
    request = zoom.requests[0]
    openapi.validate_request(to_zoom(request))
    known = {parameter["name"] for parameter in operation.get("parameters", ())}
    if path == "past/participants":
        known.add("include_fields")  # Said of the answer's `registrant_id` alone.
    assert set(request.args) <= known
    if "requestBody" in operation:
        body_schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert find_unknown_keys(body_schema, json.loads(request.get_data())) == []


@BOTH_KINDS
def test_scopes_are_those_of_the_calls(description, kind):
    needed = [
        set(get_operation(description, method, path, kind)["x-zoom-scopes"]["granular"])
        for method, path, _, _ in CALLS
        if path != "past/participants"  # One scope is enough for who came.
    ]
    held = find_missing_scopes([], kind)

    assert all(not scopes.isdisjoint(held) for scopes in needed)
    assert all(any(scope in scopes for scopes in needed) for scope in held)
