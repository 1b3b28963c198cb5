"""Setting a meeting up at Zoom, against the sandbox."""

from datetime import UTC, datetime, timedelta

import pytest

from services.questions import Question, QuestionKind
from services.zoom_setup import (
    Change,
    SetupRefused,
    Wishes,
    plan_changes,
    prepare_zoom,
    read_from_zoom,
)
from zoom_client import (
    ApprovalType,
    Credentials,
    CustomQuestion,
    Kind,
    MemoryTokenStore,
    Questions,
    ScopeMissing,
    StandardQuestion,
    ZoomClient,
    ZoomError,
)
from zoom_sandbox.server import SandboxServer

STARTS_AT = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
BUDGET = Question("budget", QuestionKind.TEXT, {"en": "Budget"}, zoom_title="Your “budget”?")
COMPANY = Question("company", QuestionKind.TEXT, {"en": "Company"}, zoom_field="org")
AGE = Question("age", QuestionKind.TEXT, {"en": "Age"})


@pytest.fixture
def sandbox():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def client(sandbox):
    return ZoomClient(
        Credentials("sandbox-account", "sandbox-client", "sandbox-secret"),
        token_store=MemoryTokenStore(),
        api_url=f"{sandbox.url}/v2",
        oauth_url=sandbox.url,
    )


def make_meeting(sandbox, kind=Kind.WEBINAR, **body):
    plain = {
        "topic": "Autumn course",
        "type": 5 if kind is Kind.WEBINAR else 2,
        "start_time": f"{STARTS_AT:%Y-%m-%dT%H:%M:%SZ}",
        "timezone": "Asia/Tokyo",
    }
    return sandbox.control.add_meeting(kind, **{**plain, **body})["id"]


def read(client, kind, zoom_id):
    return read_from_zoom(client, kind, zoom_id, now=datetime.now(UTC))


def plan(client, zoom_id, *questions, kind=Kind.WEBINAR):
    return plan_changes(client, kind, zoom_id, questions, wishes=Wishes(), now=datetime.now(UTC))


def prepare(client, zoom_id, *questions, kind=Kind.WEBINAR, **options):
    return prepare_zoom(
        client,
        kind,
        zoom_id,
        questions,
        starts_at=options.pop("starts_at", STARTS_AT),
        wishes=Wishes(),
        now=datetime.now(UTC),
        **options,
    )


def list_effects(sandbox):
    return [entry["effect"] for entry in sandbox.control.journal() if entry["effect"]]


@pytest.mark.parametrize("kind", Kind)
def test_meeting_is_read_with_its_time(sandbox, client, kind):
    meeting = read(client, kind, make_meeting(sandbox, kind))
    assert (meeting.topic, meeting.start_time, meeting.timezone) == (
        "Autumn course",
        STARTS_AT,
        "Asia/Tokyo",
    )


def test_series_starts_with_its_next_date(sandbox, client):
    began = STARTS_AT - timedelta(days=14)
    recurrence = {"type": 2, "repeat_interval": 1, "end_times": 4}
    zoom_id = make_meeting(sandbox, Kind.MEETING, type=8, recurrence=recurrence)
    later = STARTS_AT + timedelta(days=3)
    meeting = read_from_zoom(client, Kind.MEETING, zoom_id, now=later)
    assert began < STARTS_AT < later < meeting.start_time


@pytest.mark.parametrize(
    ("kind", "body", "refusal", "words"),
    [
        (Kind.MEETING, {"type": 3}, SetupRefused, "no fixed time"),
        (Kind.WEBINAR, {"type": 6}, SetupRefused, "no fixed time"),
        (Kind.MEETING, {"settings": {"use_pmi": True}}, SetupRefused, "personal meeting id"),
    ],
)
def test_meeting_without_time_or_id_of_its_own_is_refused(
    sandbox, client, kind, body, refusal, words
):
    zoom_id = make_meeting(sandbox, kind, **body)
    with pytest.raises(refusal, match=words):
        read(client, kind, zoom_id)


def test_meeting_that_has_begun_is_refused(sandbox, client):
    zoom_id = make_meeting(sandbox)
    with pytest.raises(SetupRefused, match="in the past"):
        read_from_zoom(client, Kind.WEBINAR, zoom_id, now=STARTS_AT)


def test_unknown_id_is_named(client):
    with pytest.raises(SetupRefused, match="no webinar 81234567890"):
        read(client, Kind.WEBINAR, 81234567890)


def test_webinar_asked_for_as_a_meeting_is_named(sandbox, client):
    zoom_id = make_meeting(sandbox, Kind.WEBINAR)
    with pytest.raises(SetupRefused, match="try the other kind"):
        read(client, Kind.MEETING, zoom_id)


def test_missing_scope_is_not_hidden(sandbox, client):
    zoom_id = make_meeting(sandbox)
    granted = sandbox.control.state()["scopes"]
    sandbox.control.grant_scopes(scope for scope in granted if "webinar" not in scope)
    with pytest.raises(ScopeMissing):
        read(client, Kind.WEBINAR, zoom_id)


def test_plan_names_each_change_and_makes_none(sandbox, client):
    zoom_id = make_meeting(sandbox)
    changes = plan(client, zoom_id, BUDGET, COMPANY, AGE).changes
    assert changes == (
        Change("approval of registrants", "registration is off", "by hand"),
        Change("Zoom's confirmation mail", "on", "off"),
        Change("Zoom's mails to registrants", "on", "off"),
        Change("question “org”", "not asked", "optional"),
        Change("question “Your “budget”?”", "not asked", "optional"),
    )
    assert list_effects(sandbox) == ["token"]


@pytest.mark.parametrize("kind", Kind)
def test_registration_is_set_by_hand_without_mails_of_zoom(sandbox, client, kind):
    zoom_id = make_meeting(sandbox, kind, settings={"approval_type": 0})
    ready = prepare(client, zoom_id, kind=kind)
    assert ready.meeting == client.get_meeting(kind, zoom_id)
    assert ready.meeting.approval_type == ApprovalType.MANUAL
    assert ready.meeting.registrants_confirmation_email is False
    assert ready.meeting.registrants_email_notification is False
    assert plan(client, zoom_id, kind=kind).changes == ()


def test_preparing_again_changes_nothing(sandbox, client):
    zoom_id = make_meeting(sandbox)
    prepare(client, zoom_id, BUDGET)
    before = list_effects(sandbox)
    prepare(client, zoom_id, BUDGET)
    assert list_effects(sandbox) == before


def test_recurring_webinar_whose_approval_does_not_stick_is_refused(sandbox, client):
    recurrence = {"type": 1, "repeat_interval": 1, "end_times": 3}
    zoom_id = make_meeting(sandbox, type=9, recurrence=recurrence)
    with pytest.raises(SetupRefused, match="schedule one webinar for each date") as refusal:
        prepare(client, zoom_id)
    assert "approval of registrants is still: registration is off" in str(refusal.value)


def test_setting_that_zoom_drops_silently_is_noticed(sandbox, client):
    zoom_id = make_meeting(sandbox)
    sandbox.control.fault("update_meeting", does="answer", status=204, body={})
    with pytest.raises(SetupRefused, match="Set it in Zoom by hand"):
        prepare(client, zoom_id)


def test_meeting_at_another_time_is_refused_before_anything_is_set(sandbox, client):
    zoom_id = make_meeting(sandbox)
    with pytest.raises(SetupRefused, match="change one of them"):
        prepare(client, zoom_id, starts_at=STARTS_AT + timedelta(hours=1))
    assert list_effects(sandbox) == ["token"]


def test_questions_join_those_of_zoom_and_none_is_required(sandbox, client):
    zoom_id = make_meeting(sandbox, settings={"approval_type": 1})
    hobby = CustomQuestion("Hobby?", required=True)
    own = Questions((StandardQuestion("city", required=True),), (hobby,))
    client.update_questions(Kind.WEBINAR, zoom_id, own)
    ready = prepare(client, zoom_id, BUDGET, COMPANY, AGE)
    kept = client.get_questions(Kind.WEBINAR, zoom_id)
    assert ready.titles == ("Your “budget”?",)
    assert [(q.field_name, q.required) for q in kept.standard] == [("city", False), ("org", False)]
    assert kept.custom == (CustomQuestion("Hobby?"), CustomQuestion("Your “budget”?"))


def test_question_that_zoom_does_not_keep_is_reported(sandbox, client):
    zoom_id = make_meeting(sandbox)
    sandbox.control.fault("set_questions", does="answer", status=204, body={})
    ready = prepare(client, zoom_id, BUDGET)
    assert (ready.titles, ready.lost_titles) == ((), ("Your “budget”?",))


def test_everybody_whom_zoom_has_is_read_whatever_their_status(sandbox, client):
    zoom_id = make_meeting(sandbox, settings={"approval_type": 1})
    for status in ("approved", "pending", "denied"):
        sandbox.control.add_registrant(
            zoom_id, f"{status}@Example.com", first_name="A", status=status
        )
    ready = prepare(client, zoom_id)
    assert {person.email for person in ready.people} == {
        "approved@Example.com",
        "pending@Example.com",
        "denied@Example.com",
    }


def test_all_calls_together_have_one_deadline(sandbox, client):
    zoom_id = make_meeting(sandbox)
    client.scopes()  # takes the token, for which there may be no time
    sandbox.control.fault("get_meeting", delay_before=0.3)
    with pytest.raises(SetupRefused, match="more than 0.2 seconds"):
        prepare(client, zoom_id, total_seconds=0.2)
    assert list_effects(sandbox) == ["token"]


@pytest.mark.parametrize("broken", range(8))
def test_setup_that_broke_off_anywhere_can_be_done_again(sandbox, client, broken):
    zoom_id = make_meeting(sandbox)
    client.scopes()
    sandbox.control.fault(skip=broken, does="close", when="after")
    with pytest.raises((ZoomError, SetupRefused)):
        prepare(client, zoom_id, BUDGET)
    ready = prepare(client, zoom_id, BUDGET)
    assert ready.titles == ("Your “budget”?",)
    assert ready.meeting.approval_type == ApprovalType.MANUAL
