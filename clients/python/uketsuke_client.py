"""A small client of Uketsuke's API: one module, which needs `requests` and nothing else.

    client = Client("https://events.example.com", key)
    form = client.read_form("spring")
    told = client.register("spring", {"form_version": form["form_version"], ...})
    for person in client.list_registrations("spring", status="pending"):
        client.approve("spring", person["id"])

What is asked for again after a lost answer has no second effect: registering goes with an
`Idempotency-Key`, a change with the version that was read, and acts may be done twice.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

import requests

Json = dict[str, Any]

SECONDS = (5.0, 30.0)
"""How long to wait for a connection, and for an answer."""

AGAIN = (429, 502, 503, 504)
TRIES = 5
LONGEST_WAIT = 60.0
MOST = "200"
"""As many as a page of a list may have."""


class ApiProblem(Exception):
    """The site has refused; `kind` is the problem's type, as its reference page explains it."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}")
        self.status = status
        self.kind = str(problem.get("type", "")).rpartition("#problem-")[2]
        self.errors: list[Json] = list(problem.get("errors", ()))
        self.problem = dict(problem)


class Client:
    """Asks one site with one key; for one thread at a time.

    Args:
        url: address of the site, without `/api/v1`.
        tries: how often to ask in all where no answer comes, or the site says to come back.
    """

    def __init__(self, url: str, key: str, *, tries: int = TRIES) -> None:
        self._url = f"{url.rstrip('/')}/api/v1"
        self._tries = tries
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"

    def list_events(self) -> Iterator[Json]:
        return self._walk("/events", {})

    def read_event(self, slug: str) -> Json:
        return self._read(_path(slug))

    def read_form(self, slug: str) -> Json:
        """Return what to ask somebody: show labels and notices as they are, tick nothing."""
        return self._read(f"{_path(slug)}/form")

    def register(
        self, slug: str, registration: Mapping[str, Any], *, idempotency_key: str = ""
    ) -> Json:
        """Register somebody and return what they may be told.

        Args:
            idempotency_key: of a request that another process has begun; else one is made up.

        Raises:
            ApiProblem: `kind` is `invalid` (see `errors`), `form-changed`, `not-open` …
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        path = f"{_path(slug)}/registrations"
        return cast(Json, self._ask("POST", path, json=registration, headers=headers).json())

    def list_registrations(self, slug: str, **filters: str) -> Iterator[Json]:
        """Yield everybody whom the filters find: status, delivery, email, updated_since."""
        return self._walk(f"{_path(slug)}/registrations", filters)

    def read_changes(self, slug: str, since: str = "") -> tuple[Iterator[Json], str]:
        """Return whoever is new or was changed since a moment, and the moment to ask with next.

        Keep that one once you are through with them all; some of them come twice.

        Args:
            since: what was returned the time before; everybody without it.
        """
        path = f"{_path(slug)}/registrations"
        query = {"limit": MOST, **({"updated_since": since} if since else {})}
        page = self._ask("GET", path, params=query).json()
        return self._go_on(path, query, page), page["read_at"]

    def read_registration(self, slug: str, registration: str) -> tuple[Json, str]:
        """Return a registration, and the version that `change` needs and acts may name."""
        answer = self._ask("GET", _path(slug, registration))
        return answer.json(), answer.headers["ETag"]

    def change(
        self, slug: str, registration: str, values: Mapping[str, Any], *, version: str
    ) -> Json:
        """Change names and answers.

        Raises:
            ApiProblem: 412 where somebody else has changed it since it was read.
        """
        path, headers = _path(slug, registration), {"If-Match": version}
        return cast(Json, self._ask("PATCH", path, json=values, headers=headers).json())

    def approve(self, slug: str, registration: str, *, version: str = "") -> Json:
        """Approve somebody; so too `deny`, `cancel` and `reinstate`.

        Args:
            version: what was read of them; without it whatever has changed since.

        Raises:
            ApiProblem: 412 where they have changed since, unless they stand so already.
        """
        return self._act(slug, registration, "approve", version)

    def deny(self, slug: str, registration: str, *, version: str = "") -> Json:
        return self._act(slug, registration, "deny", version)

    def cancel(self, slug: str, registration: str, *, version: str = "") -> Json:
        return self._act(slug, registration, "cancel", version)

    def reinstate(self, slug: str, registration: str, *, version: str = "") -> Json:
        return self._act(slug, registration, "reinstate", version)

    def erase(self, slug: str, registration: str) -> bool:
        """Erase somebody for good; False while Zoom still has to let the person go."""
        answer = self._ask("DELETE", _path(slug, registration)).json()
        return bool(answer["result"] == "done")

    def list_attendance(self, slug: str) -> Iterator[Json]:
        """Say of everybody whether they attended, or why that is unclear."""
        return self._walk(f"{_path(slug)}/attendance", {})

    def export(self, slug: str, *, lang: str = "ja") -> Iterator[bytes]:
        """Yield the pieces of a CSV file with everybody."""
        path = f"{_path(slug)}/export.csv"
        answer = self._ask("GET", path, params={"lang": lang}, stream=True)
        return cast(Iterator[bytes], answer.iter_content(65_536))

    def close(self) -> None:
        self._session.close()

    def _act(self, slug: str, registration: str, act: str, version: str) -> Json:
        path, headers = f"{_path(slug, registration)}/{act}", {"If-Match": version}
        return cast(Json, self._ask("POST", path, headers=headers if version else {}).json())

    def _read(self, path: str) -> Json:
        return cast(Json, self._ask("GET", path).json())

    def _walk(self, path: str, filters: Mapping[str, str]) -> Iterator[Json]:
        query = {"limit": MOST, **filters}
        yield from self._go_on(path, query, self._ask("GET", path, params=query).json())

    def _go_on(self, path: str, query: Mapping[str, str], page: Json) -> Iterator[Json]:
        while True:
            yield from page["items"]
            if page["next"] is None:
                return
            page = self._ask("GET", path, params={**query, "cursor": page["next"]}).json()

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask until there is an answer; each try is the same request."""
        for left in reversed(range(self._tries)):
            wait = min(2.0 ** (self._tries - left - 1), LONGEST_WAIT)
            try:
                answer = self._session.request(
                    method, self._url + path, timeout=SECONDS, allow_redirects=False, **options
                )
            except (requests.ConnectionError, requests.Timeout):
                if not left:
                    raise
            else:
                if answer.status_code not in AGAIN or not left:
                    return _check(answer)
                wait = _read_wait(answer, wait)
                answer.close()
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")


def _path(slug: str, registration: str = "") -> str:
    path = f"/events/{quote(slug, safe='')}"
    return f"{path}/registrations/{quote(registration, safe='')}" if registration else path


def _read_wait(answer: requests.Response, usual: float) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdigit() else usual


def _check(answer: requests.Response) -> requests.Response:
    if answer.status_code < 400:
        return answer
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    raise ApiProblem(answer.status_code, answer.json() if is_problem else {"title": answer.reason})
