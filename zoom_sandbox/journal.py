"""Write down what each call and page asked, what it changed and what was answered."""

from zoom_sandbox.answers import Answer
from zoom_sandbox.calls import Call, Note
from zoom_sandbox.records import Meeting, Registrant, read_meeting_id
from zoom_sandbox.sandbox import Sandbox


def record_call(call: Call, answer: Answer, *, was_heard: bool) -> None:
    """Write an entry per person the call touched, or one if it touched nobody."""
    emails = list(call.emails())
    meeting_id = call.path.get("meeting_id", "")
    untouched = Note(
        None,
        read_meeting_id(meeting_id),
        emails[0] if len(emails) == 1 else "",
        call.path.get("registrant_id", ""),
    )
    for note in call.notes or [untouched]:
        _write(
            call.sandbox,
            call.operation.name,
            call.action,
            note,
            status=answer.status if was_heard else None,
            code=answer.code if was_heard else None,
        )


def record_visit(
    sandbox: Sandbox, page: str, meeting: Meeting, person: Registrant, effect: str | None
) -> None:
    """Write that a person's browser did something on one of Zoom's public pages."""
    note = Note(effect, meeting.id, person.email, person.id)
    _write(sandbox, page, page, note, status=200, code=None)


def _write(
    sandbox: Sandbox,
    operation: str,
    action: str,
    note: Note,
    *,
    status: int | None,
    code: int | None,
) -> None:
    sandbox.state.write_entry(
        {
            "at": sandbox.clock.now().isoformat(),
            "operation": operation,
            "action": action,
            "meeting_id": note.meeting_id,
            "email": note.email,
            "registrant_id": note.registrant_id,
            "effect": note.effect,
            "status": status,
            "code": code,
        }
    )
