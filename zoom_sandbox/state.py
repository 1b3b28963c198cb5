"""Everything the sandbox knows, in memory and written through to its file."""

from dataclasses import asdict
from typing import Any

from zoom_sandbox.records import (
    Instance,
    Meeting,
    Registrant,
    User,
    email_key,
    read_meeting_id,
)
from zoom_sandbox.statefile import StateFile

Entry = dict[str, Any]


class State:
    """Hold the records and the journal. The caller holds the sandbox's lock.

    The journal has one entry per call and person: `effect` names what changed, or is None where
    nothing did; `status` is what the caller was told, or None where the connection was closed.
    """

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self.users = {record["id"]: User(**record) for record in file.load("user")}
        self.meetings = {record["id"]: Meeting(**record) for record in file.load("meeting")}
        self.instances = {record["uuid"]: Instance(**record) for record in file.load("instance")}
        self.journal: list[Entry] = list(file.load("entry"))
        self._registrants: dict[str, Registrant] = {}
        self._by_meeting: dict[int, dict[str, Registrant]] = {}
        for record in file.load("registrant"):
            self._index(Registrant(**record))

    def save_user(self, user: User) -> None:
        self.users[user.id] = user
        self._file.put("user", user.id, asdict(user))

    def get_user(self, id_or_email: str) -> User | None:
        wanted = email_key(id_or_email)
        return self.users.get(id_or_email) or next(
            (user for user in self.users.values() if email_key(user.email) == wanted), None
        )

    def save_meeting(self, meeting: Meeting) -> None:
        self.meetings[meeting.id] = meeting
        self._file.put("meeting", meeting.id, asdict(meeting))

    def get_meeting(self, id_or_uuid: str) -> Meeting | None:
        number = read_meeting_id(id_or_uuid)
        if number is not None:
            return self.meetings.get(number)
        return next((m for m in self.meetings.values() if m.uuid == id_or_uuid), None)

    def delete_meeting(self, meeting: Meeting) -> None:
        for registrant in self.list_registrants(meeting):
            self.delete_registrant(registrant)
        for instance in self.list_instances(meeting.id):
            del self.instances[instance.uuid]
            self._file.drop("instance", instance.uuid)
        del self.meetings[meeting.id]
        self._file.drop("meeting", meeting.id)

    def save_registrant(self, registrant: Registrant) -> None:
        self._index(registrant)
        self._file.put("registrant", registrant.id, asdict(registrant))

    def _index(self, registrant: Registrant) -> None:
        self._registrants[registrant.id] = registrant
        people = self._by_meeting.setdefault(registrant.meeting_id, {})
        people[email_key(registrant.email)] = registrant

    def get_registrant(self, meeting: Meeting, registrant_id: str) -> Registrant | None:
        registrant = self._registrants.get(registrant_id)
        return registrant if registrant and registrant.meeting_id == meeting.id else None

    def find_registrant(self, meeting: Meeting, email: str) -> Registrant | None:
        return self._by_meeting.get(meeting.id, {}).get(email_key(email))

    def list_registrants(self, meeting: Meeting) -> list[Registrant]:
        """List everybody by id: an order that has nothing to do with the order of sign-up."""
        people = self._by_meeting.get(meeting.id, {}).values()
        return sorted(people, key=lambda registrant: registrant.id)

    def count_approved(self, meeting: Meeting, date: str = "") -> int:
        """Count who comes to one date, or without one who comes at all."""
        people = self._by_meeting.get(meeting.id, {}).values()
        coming = [registrant for registrant in people if not date or registrant.comes_to(date)]
        return sum(person.statuses.get(date, person.status) == "approved" for person in coming)

    def delete_registrant(self, registrant: Registrant) -> None:
        del self._registrants[registrant.id]
        del self._by_meeting[registrant.meeting_id][email_key(registrant.email)]
        self._file.drop("registrant", registrant.id)

    def save_instance(self, instance: Instance) -> None:
        self.instances[instance.uuid] = instance
        self._file.put("instance", instance.uuid, asdict(instance))

    def list_instances(self, meeting_id: int) -> list[Instance]:
        """List how often a meeting was held, the oldest first."""
        held = (one for one in self.instances.values() if one.meeting_id == meeting_id)
        return sorted(held, key=lambda instance: instance.started_at)

    def write_entry(self, entry: Entry) -> None:
        self.journal.append(entry)
        self._file.put("entry", len(self.journal), entry)

    def as_json(self) -> dict[str, Any]:
        return {
            "users": [asdict(user) for user in self.users.values()],
            "meetings": [asdict(meeting) for meeting in self.meetings.values()],
            "registrants": [asdict(registrant) for registrant in self._registrants.values()],
            "instances": [asdict(instance) for instance in self.instances.values()],
        }
