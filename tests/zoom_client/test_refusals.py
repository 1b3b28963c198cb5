"""Every documented refusal, answered over HTTP and raised by the call it belongs to."""

from datetime import UTC, datetime, timedelta

import pytest

from zoom_client import (
    AlreadyPanelist,
    AtCapacity,
    AuthenticationFailed,
    BatchNotSupported,
    ConfigurationError,
    FieldError,
    HostCannotRegister,
    HostNotAllowed,
    HostNotFound,
    Kind,
    MeetingClosed,
    MeetingNotFound,
    MeetingOver,
    MeetingPatch,
    NewRegistrant,
    PageTokenExpired,
    PersonRefused,
    RecordExpired,
    RecordNotFound,
    RegistrantAction,
    RegistrantNotFound,
    RegistrantRef,
    RegistrationDisabled,
    ScopeMissing,
    ValidationFailed,
    WorkEmailRequired,
    WrongKind,
    ZoomAccountRequired,
    ZoomError,
    ZoomOutcomeUnknown,
    ZoomRefused,
)

TARO = NewRegistrant("taro@example.com", "太郎", "山田")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def add(client, kind=Kind.MEETING):
    return client.add_registrant(kind, 85746065123, TARO)


def add_to_webinar(client):
    return add(client, Kind.WEBINAR)


def add_batch(client):
    return client.add_registrants(Kind.MEETING, 85746065123, [TARO])


def read_meeting(client):
    return client.get_meeting(Kind.MEETING, 85746065123)


def read_webinar(client):
    return client.get_meeting(Kind.WEBINAR, 85746065123)


def update(client):
    return client.update_meeting(Kind.MEETING, 85746065123, MeetingPatch(topic="x"))


def list_people(client):
    return list(client.list_registrants(Kind.MEETING, 85746065123))


def list_meetings(client):
    return list(client.list_meetings(Kind.MEETING, "host@example.com"))


def read_person(client):
    return client.get_registrant(Kind.MEETING, 85746065123, "abc")


def read_webinar_person(client):
    return client.get_registrant(Kind.WEBINAR, 85746065123, "abc")


def delete_person(client):
    return client.delete_registrant(Kind.WEBINAR, 85746065123, "abc")


def approve_in_webinar(client):
    people = [RegistrantRef("abc", "taro@example.com")]
    client.set_registrant_status(Kind.WEBINAR, 85746065123, RegistrantAction.APPROVE, people)


def list_instances(client):
    return client.list_instances(Kind.WEBINAR, 85746065123)


def list_participants(client):
    return list(client.list_participants(Kind.MEETING, "ab=="))


def read_user(client):
    return client.get_user("host@example.com")


REFUSALS = [
    # What was held.
    (list_participants, 404, 3001, "Meeting ab== not found or has expired.", RecordNotFound),
    (list_participants, 400, 300, "Cannot access meeting information.", RecordNotFound),
    (list_participants, 400, 12702, "Can not access a meeting a year ago.", RecordExpired),
    (list_participants, 400, 200, "Only available for paid account: abc", HostNotAllowed),
    (list_participants, 400, 1010, "User does not belong to this account: abc", HostNotFound),
    (list_participants, 400, 300, "The next page token is invalid or expired.", PageTokenExpired),
    (list_instances, 400, 300, "Invalid webinar ID.", RecordNotFound),
    (list_instances, 404, 3001, "Webinar does not exist.", RecordNotFound),
    # The codes on registering.
    (add, 400, 300, "Validation Failed.", ValidationFailed),
    (add, 400, 200, "Only available for paid users: abc.", HostNotAllowed),
    (add_to_webinar, 400, 200, "No permission.", HostNotAllowed),
    (add_to_webinar, 400, 200, "Webinar plan is missing. You must subscribe", HostNotAllowed),
    (add, 400, 3000, "Cannot access meeting info.", MeetingNotFound),
    (add, 400, 3000, "Cannot access webinar info.", WrongKind),
    (
        add_to_webinar,
        400,
        3000,
        "This webinar does not have registration as required: 85746065123.",
        RegistrationDisabled,
    ),
    (
        add_to_webinar,
        400,
        3000,
        "The Zoom REST API does not support paid registration.",
        RegistrationDisabled,
    ),
    (
        add_to_webinar,
        400,
        3000,
        "You have reached the limit for the number of attendees you can add.",
        AtCapacity,
    ),
    (
        add_to_webinar,
        400,
        3000,
        "You have been invited as a panelist for the webinar, please check your email",
        AlreadyPanelist,
    ),
    (
        add,
        404,
        404,
        "Registration has not been enabled for this meeting: 85746065123.",
        RegistrationDisabled,
    ),
    (
        add,
        400,
        404,
        "Registration has not been enabled for this meeting: 85746065123.",
        RegistrationDisabled,
    ),
    (add, 404, 3001, "Meeting does not exist: 85746065123.", MeetingNotFound),
    (add, 404, 1001, "Meeting does not exist: 85746065123.", MeetingNotFound),
    (add, 404, 1001, "User does not exist: abc.", HostNotFound),
    (
        add,
        400,
        1001,
        "The email has not been used as a Zoom account.",
        ZoomAccountRequired,
    ),
    (add, 400, 3027, "Host can not register.", HostCannotRegister),
    (add_to_webinar, 400, 3027, "Host cannot register.", HostCannotRegister),
    (
        add_to_webinar,
        400,
        3034,
        "If you have been invited, please input your work email address.",
        WorkEmailRequired,
    ),
    (add, 400, 3038, "Meeting is over, you can not register now.", MeetingOver),
    (add, 400, 3043, "Meeting has reached maximum attendee capacity.", AtCapacity),
    (
        approve_in_webinar,
        400,
        3035,
        "Webinar has reached maximum attendee capacity.",
        AtCapacity,
    ),
    (
        add,
        400,
        3161,
        "Meeting hosting and scheduling capabilities are not allowed",
        HostNotAllowed,
    ),
    (add, 400, 4711, "Invalid access token, does not contain scopes:[a:b]", ScopeMissing),
    (add, 400, 4700, "Invalid access token, does not contain scope", ScopeMissing),
    # The other calls.
    (read_meeting, 400, 3000, "Cannot access webinar info.", WrongKind),
    (update, 400, 3000, "Cannot access webinar information.", WrongKind),
    (list_people, 400, 300, "Cannot access webinar info.", WrongKind),
    (read_webinar, 400, 300, "Invalid webinar ID.", MeetingNotFound),
    (read_webinar, 404, 3001, "Webinar does not exist: 85746065123.", MeetingNotFound),
    (
        update,
        400,
        300,
        "The value that you entered in the `schedule_for` field is invalid.",
        ValidationFailed,
    ),
    (update, 401, 1010, "User does not belong to this account: abc.", HostNotFound),
    (list_meetings, 404, 1001, "User does not exist: abc.", HostNotFound),
    (list_meetings, 404, 1001, "User does not exist: webinar@example.com.", HostNotFound),
    (read_user, 404, 1001, "User does not exist: meeting-room@example.com.", HostNotFound),
    (read_user, 404, 1001, "User meeting-room@example.com does not exist.", HostNotFound),
    (read_meeting, 404, 1001, "Webinar does not exist: 85746065123.", MeetingNotFound),
    (
        list_meetings,
        403,
        2306,
        "Not allowed to view meetings scheduled for others.",
        HostNotAllowed,
    ),
    (read_user, 404, 1001, "User does not exist: abc.", HostNotFound),
    (read_user, 400, 1120, "A valid invitation was not found for this user.", HostNotFound),
    (
        list_people,
        400,
        300,
        "The next page token is invalid or expired.",
        PageTokenExpired,
    ),
    (
        add_batch,
        400,
        303,
        "This API can only be used for scheduled meeting(meeting type: 2).",
        BatchNotSupported,
    ),
    (
        add_batch,
        400,
        300,
        "This API can only be used for scheduled webinars (type 5). Batch registration is "
        "not supported for other webinar types.",
        BatchNotSupported,
    ),
    (
        approve_in_webinar,
        400,
        300,
        "Registration has not been enabled for this meeting: 85746065123.",
        RegistrationDisabled,
    ),
    (
        read_webinar_person,
        400,
        3079,
        "This registrant does not exist: abc.",
        RegistrantNotFound,
    ),
    (read_person, 404, 404, "Not found.", RegistrantNotFound),
    (read_person, 404, 3001, "Meeting does not exist: 85746065123.", MeetingNotFound),
    (delete_person, 400, 3000, "Registrant abc was not found.", RegistrantNotFound),
    (
        delete_person,
        400,
        300,
        "The value that you entered for the Registrant ID field is invalid.",
        RegistrantNotFound,
    ),
    (add, 409, 5555, "Something new.", ZoomRefused),
    (add, 400, 3000, "Something new.", ZoomRefused),
]


@pytest.mark.parametrize(("call", "status", "code", "message", "expected"), REFUSALS)
def test_refusal_is_told_by_code_and_message(zoom, call, status, code, message, expected):
    zoom.will_answer({"code": code, "message": message}, status, {"x-zm-trackingid": "v=2.0;1"})

    with pytest.raises(ZoomError) as raised:
        call(zoom.client())

    error = raised.value
    assert type(error) is expected
    assert (error.status, error.code, error.tracking_id) == (status, code, "v=2.0;1")


@pytest.mark.parametrize("code", [124, 401, 9999])
def test_refused_token_twice_is_failed_authentication(zoom, code):
    for _ in range(2):
        zoom.will_answer({"code": code, "message": "Invalid access token."}, 401)

    with pytest.raises(AuthenticationFailed):
        read_meeting(zoom.client())

    assert len(zoom.token_requests) == 2


def test_missing_scopes_are_named(zoom):
    message = (
        "Invalid access token, does not contain scopes:"
        "[meeting:write:registrant:admin, meeting:write:registrant]."
    )
    zoom.will_answer({"code": 4711, "message": message}, 400)

    with pytest.raises(ScopeMissing) as raised:
        add(zoom.client())

    assert raised.value.scopes == ("meeting:write:registrant:admin", "meeting:write:registrant")


def test_invalid_fields_are_named(zoom):
    row = {"field": "first_name", "message": "Invalid field."}
    zoom.will_answer({"code": 300, "message": "Validation Failed.", "errors": [row, None]}, 400)

    with pytest.raises(ValidationFailed) as raised:
        add(zoom.client())

    assert raised.value.fields == (FieldError("first_name", "Invalid field."),)


@pytest.mark.parametrize(
    ("error", "group"),
    [
        (WorkEmailRequired, PersonRefused),
        (HostCannotRegister, PersonRefused),
        (ZoomAccountRequired, PersonRefused),
        (AtCapacity, MeetingClosed),
        (MeetingOver, MeetingClosed),
        (ScopeMissing, ConfigurationError),
        (AuthenticationFailed, ConfigurationError),
        (RegistrationDisabled, ConfigurationError),
        (MeetingNotFound, ConfigurationError),
        (WrongKind, ConfigurationError),
    ],
)
def test_groups_let_a_caller_catch_few_classes(error, group):
    assert issubclass(error, group)
    assert error.retryable is False


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 302])
def test_server_failure_leaves_the_outcome_of_an_add_open(zoom, status):
    zoom.will_answer({"code": 1, "message": "Internal error"}, status, {"Location": "/elsewhere"})

    with pytest.raises(ZoomOutcomeUnknown) as raised:
        add(zoom.client())

    assert raised.value.may_have_happened is True
    assert raised.value.retryable is True
    assert len(zoom.requests) == 1


@pytest.mark.parametrize("body", [b"<html>blocked</html>", b'{"error": "x"}', b"", b"[]", b"{"])
def test_refusal_in_other_words_than_zooms_is_not_believed(zoom, body):
    zoom.will_answer(body, 403)

    with pytest.raises(ZoomOutcomeUnknown):
        add(zoom.client())


def test_server_failure_of_a_read_is_merely_retryable(zoom):
    zoom.will_answer({"code": 1, "message": "x"}, 503, {"Retry-After": "30"})
    zoom.now = NOON

    with pytest.raises(ZoomOutcomeUnknown) as raised:
        read_meeting(zoom.client())

    assert raised.value.may_have_happened is False
    assert raised.value.retry_after == NOON + timedelta(seconds=30)
