"""Registrants of meetings and webinars: add, list, read, change status, delete."""

from typing import Any

from zoom_sandbox.answers import (
    Answer,
    batch_wrong_type,
    invalid_occurrence,
    registrant_missing,
    registration_off,
)
from zoom_sandbox.calls import Call
from zoom_sandbox.meetings import find_occurrence
from zoom_sandbox.paging import page_of
from zoom_sandbox.records import Meeting, Registrant, email_key
from zoom_sandbox.registration import (
    change_status,
    check_answers,
    check_registration_open,
    join_url_of,
    register,
)

_NOT_PROFILE = ("email", "auto_approve", "source_id")


def add_registrant(call: Call) -> Answer:
    meeting = call.find_meeting()
    check_registration_open(call.sandbox, meeting, call.action)
    email = call.body["email"]
    profile = {k: v for k, v in call.body.items() if k not in _NOT_PROFILE}
    check_answers(meeting, profile)
    asked = call.query.get("occurrence_ids", "").split(",")
    dates = [find_occurrence(meeting, occurrence_id) for occurrence_id in asked if occurrence_id]
    call.sandbox.limits.count_add(meeting.kind, meeting.id, email)
    registrant, effect = register(
        call.sandbox,
        meeting,
        email,
        profile,
        auto_approve=call.body.get("auto_approve", False),
        occurrence_ids=[date["occurrence_id"] for date in dates],
        source_id=call.body.get("source_id", ""),
    )
    call.note(effect, meeting, registrant)
    if call.fault.does == "other_email":
        registrant = _add_stranger(call, meeting)
    return Answer(201, _describe_added(call, meeting, registrant))


def _add_stranger(call: Call, meeting: Meeting) -> Registrant:
    """Make the person whose id and link a fault answers with, in place of the one asked for."""
    name = {"first_name": "Someone", "last_name": "Else"}
    stranger, _ = register(
        call.sandbox, meeting, "someone.else@example.com", name, auto_approve=True
    )
    return stranger


def _describe_added(call: Call, meeting: Meeting, registrant: Registrant) -> dict[str, Any]:
    described: dict[str, Any] = {
        "registrant_id": registrant.id,
        "id": meeting.id,
        "topic": meeting.details["topic"],
        "start_time": meeting.details["start_time"],
        "occurrences": [
            occurrence
            for occurrence in meeting.occurrences
            if registrant.comes_to(occurrence["occurrence_id"])
        ],
        **_link(call, meeting, registrant),
    }
    if meeting.kind == "webinar":
        described["status"] = registrant.status
        described["share_url"] = _share_url(call, meeting, registrant)
    return described


def _link(call: Call, meeting: Meeting, registrant: Registrant) -> dict[str, Any]:
    """Give the personal link of an approved person; the key is absent for anybody else."""
    join_url = join_url_of(call.sandbox, meeting, registrant)
    link: dict[str, Any] = {"join_url": join_url} if join_url else {}
    if join_url and meeting.kind == "meeting":
        link["participant_pin_code"] = registrant.pin_code
    return link


def _share_url(call: Call, meeting: Meeting, registrant: Registrant) -> str:
    return f"{call.sandbox.base_url}/webinar/register/{meeting.id}?share={registrant.id}"


def add_batch(call: Call) -> Answer:
    meeting = call.find_meeting()
    if meeting.type not in (2, 5):
        raise batch_wrong_type(meeting.kind)
    check_registration_open(call.sandbox, meeting, call.action)
    people = call.body["registrants"]
    if call.sandbox.settings.batch_counts_as_add:
        for person in people:
            call.sandbox.limits.count_add(meeting.kind, meeting.id, person["email"])
    added = []
    for person in call.people_taken(people):
        profile = {k: v for k, v in person.items() if k != "email"}
        auto_approve = call.body.get("auto_approve", False)
        registrant, effect = register(
            call.sandbox, meeting, person["email"], profile, auto_approve=auto_approve
        )
        call.note(effect, meeting, registrant)
        added.append(
            {
                "email": registrant.email,
                "registrant_id": registrant.id,
                **_link(call, meeting, registrant),
            }
        )
    return Answer(201, {"registrants": added})


def list_registrants(call: Call) -> Answer:
    meeting = _find_with_registration(call)
    status = call.query.get("status", "approved")
    occurrence_id = call.query.get("occurrence_id", "")
    people = [
        registrant.on_date(occurrence_id)
        for registrant in call.sandbox.state.list_registrants(meeting)
        if _is_asked_for(registrant, call.query)
    ]
    people = [registrant for registrant in people if registrant.status == status]
    page, frame = page_of(call, people, lambda registrant: registrant.id)
    return Answer(200, {**frame, "registrants": [_describe(call, meeting, p) for p in page]})


def _is_asked_for(registrant: Registrant, query: dict[str, str]) -> bool:
    source_id = query.get("tracking_source_id", registrant.source_id)
    occurrence_id = query.get("occurrence_id", "")
    return source_id == registrant.source_id and (
        not occurrence_id or registrant.comes_to(occurrence_id)
    )


def get_registrant(call: Call) -> Answer:
    meeting = _find_with_registration(call)
    registrant = _find(call, meeting).on_date(_read_occurrence(call, meeting))
    described = _describe(call, meeting, registrant)
    if meeting.kind == "webinar":
        described["language"] = registrant.profile.get("language", "")
        described["share_url"] = _share_url(call, meeting, registrant)
    return Answer(200, described)


def _describe(call: Call, meeting: Meeting, registrant: Registrant) -> dict[str, Any]:
    """Describe a person; their language alone is told nowhere but in a webinar's single person."""
    return {
        **{name: value for name, value in registrant.profile.items() if name != "language"},
        "id": registrant.id,
        "email": registrant.email,
        "status": registrant.status,
        "create_time": registrant.created_at,
        **_link(call, meeting, registrant),
    }


def delete_registrant(call: Call) -> Answer:
    meeting = _find_with_registration(call)
    registrant = _find(call, meeting)
    occurrence_id = _read_occurrence(call, meeting)
    is_by_date = meeting.occurrences and meeting.settings["registration_type"] in (2, 3)
    if is_by_date and not occurrence_id:
        raise invalid_occurrence("Required.")
    dates = registrant.occurrence_ids or [date["occurrence_id"] for date in meeting.occurrences]
    left = [date for date in dates if date != occurrence_id] if occurrence_id else []
    if left:
        registrant.occurrence_ids = left
        call.sandbox.state.save_registrant(registrant)
    else:
        call.sandbox.state.delete_registrant(registrant)
    call.note("delete", meeting, registrant)
    return Answer(204)


def _read_occurrence(call: Call, meeting: Meeting) -> str:
    """Return the date the query names, or refuse it; empty if it names none."""
    occurrence_id = call.query.get("occurrence_id", "")
    if occurrence_id:
        find_occurrence(meeting, occurrence_id)
    return occurrence_id


def set_status(call: Call) -> Answer:
    """Change up to thirty people; whoever is not found by id and address is passed over."""
    meeting = _find_with_registration(call)
    occurrence_id = _read_occurrence(call, meeting)
    named = call.body.get("registrants", [])
    people = [person for entry in named if (person := _match(call, meeting, entry))]
    people = [p for p in people if not occurrence_id or p.comes_to(occurrence_id)]
    for person in people:
        call.sandbox.limits.count_status_change(person.id, person.email)
    for person in call.people_taken(people):
        effect = change_status(
            call.sandbox, meeting, person, call.body["action"], occurrence_id=occurrence_id
        )
        call.note(effect, meeting, person)
    return Answer(204)


def _match(call: Call, meeting: Meeting, entry: dict[str, str]) -> Registrant | None:
    """Find by id, else by address; a wrong id beside a right address finds nobody."""
    email = entry.get("email", "")
    if not entry.get("id"):
        return call.sandbox.state.find_registrant(meeting, email)
    person = call.sandbox.state.get_registrant(meeting, entry["id"])
    if person is None or email_key(email or person.email) != email_key(person.email):
        return None
    return person


def _find_with_registration(call: Call) -> Meeting:
    meeting = call.find_meeting()
    if not meeting.has_registration:
        raise registration_off(call.kind, meeting.id, call.action)
    return meeting


def _find(call: Call, meeting: Meeting) -> Registrant:
    wanted = call.path["registrant_id"]
    registrant = call.sandbox.state.get_registrant(meeting, wanted)
    if registrant is None:
        raise registrant_missing(meeting.kind, wanted, call.action)
    return registrant
