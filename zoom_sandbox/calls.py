"""One call to the sandbox: what was asked, and what it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from zoom_sandbox.answers import Answer, meeting_missing, wrong_kind
from zoom_sandbox.records import Meeting, Registrant, read_meeting_id

if TYPE_CHECKING:
    from zoom_sandbox.faults import Fault
    from zoom_sandbox.sandbox import Sandbox

T = TypeVar("T")

# Elsewhere Zoom's description asks for the number.
_TAKES_UUID = ("get_meeting", "add_batch")


@dataclass(frozen=True)
class Operation:
    """A row of Zoom's API: `name` is Zoom's operationId, `action` is the same for both kinds."""

    name: str
    kind: str
    method: str
    path: str
    handler: Callable[[Call], Answer]
    label: str = ""
    scope: str = ""

    @property
    def action(self) -> str:
        return self.handler.__name__

    @property
    def accepted_scopes(self) -> set[str]:
        """List what opens this call, each also with `:admin`.

        Beside its granular scope these are the classic one and, for webinars, the broad one that
        Zoom lists in place of those for registrants (indico).
        """
        family, verb, _ = self.scope.split(":")
        scopes = {self.scope, f"{family}:{'read' if self.method == 'GET' else 'write'}"}
        if family == "webinar":
            scopes.add(f"webinar:{verb}:webinar")
        return scopes | {f"{scope}:admin" for scope in scopes}


@dataclass(frozen=True)
class Note:
    """One thing that happened, or did not (effect None), to one person or meeting."""

    effect: str | None
    meeting_id: int | None = None
    email: str = ""
    registrant_id: str = ""


@dataclass
class Call:
    sandbox: Sandbox
    operation: Operation
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    fault: Fault
    notes: list[Note] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.operation.kind

    @property
    def action(self) -> str:
        return self.operation.action

    def note(
        self,
        effect: str | None,
        meeting: Meeting | None = None,
        registrant: Registrant | None = None,
    ) -> None:
        self.notes.append(
            Note(
                effect,
                meeting.id if meeting else None,
                registrant.email if registrant else "",
                registrant.id if registrant else "",
            )
        )

    def emails(self) -> Iterator[str]:
        """Yield the addresses this call is about, as far as its body and path tell."""
        if isinstance(self.body, dict):
            people = self.body.get("registrants")
            people = people if isinstance(people, list) else []
            for person in [self.body, *people]:
                if isinstance(person, dict) and isinstance(person.get("email"), str):
                    yield person["email"]
        meeting = self.sandbox.state.get_meeting(self.path.get("meeting_id", ""))
        registrant_id = self.path.get("registrant_id", "")
        registrant = meeting and self.sandbox.state.get_registrant(meeting, registrant_id)
        if registrant:
            yield registrant.email

    def find_meeting(self) -> Meeting:
        # The path has been decoded once; the slashes of a UUID are still encoded.
        wanted = unquote(self.path["meeting_id"])
        meeting = None
        if read_meeting_id(wanted) is not None or self.action in _TAKES_UUID:
            meeting = self.sandbox.state.get_meeting(wanted)
        if meeting is None:
            raise meeting_missing(self.kind, wanted)
        if meeting.kind != self.kind:
            raise wrong_kind(self.kind)
        return meeting

    def people_taken(self, people: Sequence[T]) -> Sequence[T]:
        """Cut a list of people where a fault stops Zoom half-way."""
        return people if self.fault.take is None else people[: self.fault.take]
