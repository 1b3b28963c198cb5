"""The questions of Zoom's own registration form."""

from zoom_sandbox.answers import Answer, registration_off
from zoom_sandbox.calls import Call
from zoom_sandbox.records import Meeting


def get_questions(call: Call) -> Answer:
    meeting = _find(call)
    return Answer(200, {"questions": [], "custom_questions": [], **meeting.questions})


def set_questions(call: Call) -> Answer:
    """Replace the whole set, as far as given."""
    meeting = _find(call)
    meeting.questions = call.body
    call.sandbox.state.save_meeting(meeting)
    call.note("questions", meeting)
    return Answer(204)


def _find(call: Call) -> Meeting:
    meeting = call.find_meeting()
    if not meeting.has_registration:
        raise registration_off(call.kind, meeting.id, call.action)
    return meeting
