"""People who register while things break; whatever each of them is answered is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests

from tests.page import SECONDS, Form, Visitor

from .journals import Answer

Person = Mapping[str, str | list[str]]

PATIENCE_SECONDS = 180.0
"""For so long a person sends again what was not taken: a busy machine starts a site slowly."""

BETWEEN_SECONDS = 0.2


class NotTaken(AssertionError):
    """A person has sent the form as often as anybody would, and was promised nothing."""


@dataclass(frozen=True)
class FilledIn:
    """A form as somebody is about to send it, as often as it takes."""

    email: str
    action: str
    fields: list[tuple[str, str]]


class Crowd:
    """Visitors of one event. Nobody fills in a form twice: what fails is sent again as it was."""

    def __init__(self, url: str, slug: str = "spring") -> None:
        self.answers: list[Answer] = []
        self._url = url
        self._form = f"/e/{slug}"
        self._lock = threading.Lock()

    def register(self, person: Person) -> Answer:
        """Fill in the form and send it until it is taken."""
        return self.send_until_taken(self.fill_in(person))

    def register_all(self, people: list[Person]) -> None:
        """Have everybody register at the same time."""
        with ThreadPoolExecutor(len(people)) as hands:
            list(hands.map(self.register, people))

    def fill_in(self, person: Person) -> FilledIn:
        """Open the form, as often as it takes, and fill it in."""
        form = self._open_form().fill(**person)
        return FilledIn(str(person["email"]).lower(), form.action, form.fields)

    def send(self, form: FilledIn) -> Answer:
        """Send a form once; an answer without a receipt promises nothing."""
        try:
            with closing(Visitor(self._url)) as visitor:
                response = visitor.try_post(form.action, form.fields)
        except requests.RequestException as error:
            # Perhaps it was taken, perhaps not: nothing is promised to who cannot know.
            return self._keep(Answer(form.email, None, type(error).__name__))
        text = f"{response.status_code} {dict(response.headers)} {response.text}"
        location = response.headers.get("Location", "")
        receipt = urlsplit(location).path if response.status_code == 303 else None
        return self._keep(Answer(form.email, receipt, text))

    def send_until_taken(self, form: FilledIn) -> Answer:
        """Send a form until it is taken, as somebody does who reloads a page.

        Raises:
            NotTaken: it was not taken in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self.send(form)).receipt is None:
            if time.monotonic() > deadline:
                raise NotTaken(f"{answer.email}: {answer.text[:300]}")
            time.sleep(BETWEEN_SECONDS)
        return answer

    def look_again(self) -> None:
        """Have everybody who has a receipt open it once more."""
        for answer in [answer for answer in self.answers if answer.receipt is not None]:
            page = requests.get(urljoin(self._url, answer.receipt), timeout=SECONDS)
            self._keep(Answer(answer.email, answer.receipt, page.text))

    def _open_form(self) -> Form:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with closing(Visitor(self._url)) as visitor:
                    return visitor.open(self._form).form()
            except (requests.RequestException, AssertionError) as error:
                if time.monotonic() > deadline:
                    raise NotTaken(f"the form does not open: {error}") from error
                time.sleep(BETWEEN_SECONDS)

    def _keep(self, answer: Answer) -> Answer:
        with self._lock:
            self.answers.append(answer)
        return answer
