"""What an organizer does about one event, most of it on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from services.questions import Question, question_to_dict
from storage import events, registrations, submissions
from storage.models import Event, Registration
from tests.live_site import LiveSite


class Organizer:
    """Acts on an event; people are known by their addresses."""

    def __init__(self, site: LiveSite, event: Event) -> None:
        self._site = site
        self._event_id = event.id

    def find(self, email: str) -> Registration:
        """Return somebody's registration as it is now."""
        with self._site.database.read() as session:
            person = registrations.get_registration_by_email_key(session, self._event_id, email)
            assert person is not None, f"{email} is not registered"
            return person

    def approve(self, email: str) -> None:
        self.run("registrations", "approve", email)

    def deny(self, email: str) -> None:
        self.run("registrations", "deny", email)

    def cancel(self, email: str) -> None:
        self.run("registrations", "cancel", email)

    def release_held(self) -> None:
        """Register everybody who was held back."""
        for number in self._list_held():
            self.run("registrations", "release", number)

    def drop_held(self) -> None:
        for number in self._list_held():
            self.run("registrations", "drop", number)

    def change_form(self, questions: Sequence[Question]) -> None:
        with self._site.database.write() as session:
            event = events.need_event(session, self._event_id)
            rows = [question_to_dict(question) for question in questions]
            events.add_form_version(session, event, rows, now=self._site.clock())

    def change_event(self, **members: object) -> None:
        with self._site.database.write() as session:
            event = events.need_event(session, self._event_id)
            for name, value in members.items():
                setattr(event, name, value)
            event.version += 1

    def run(self, *arguments: str) -> str:
        """Run a command of `flask` and return what it says."""
        done = self._site.app.test_cli_runner().invoke(args=arguments)
        assert done.exit_code == 0, done.output
        return str(done.output)

    def _list_held(self) -> list[str]:
        with self._site.database.read() as session:
            return [row.number for row in submissions.list_held(session, self._event_id)]
