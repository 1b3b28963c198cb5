"""A program that uses the API of a running site with a key."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import requests

from services.api_keys import Scope, issue_key
from storage.models import Event, Organization
from tests.live_site import LiveSite

TARO: dict[str, Any] = {
    "form_version": 1,
    "email": "taro@example.com",
    "family_name": "山田",
    "given_name": "太郎",
    "language": "ja",
    "answers": {"company": "例株式会社"},
    "consents": {"privacy": True},
}
"""What registers 山田 太郎 with the small form."""


def make_key(
    site: LiveSite,
    scopes: Iterable[Scope] = tuple(Scope),
    *,
    organization: Organization | Event | None = None,
    days: int = 90,
) -> str:
    """Make a key of an organization, or of an event's; by default of the first one."""
    organization_id = getattr(organization, "organization_id", getattr(organization, "id", 1))
    maker = SimpleNamespace(organization_id=organization_id, public_id="m" * 22)
    with site.database.write() as session:
        return issue_key(
            session,
            maker,
            name="test",
            scopes=scopes,
            days=days,
            now=site.clock(),  # type: ignore[arg-type]
        )


class Program:
    """Asks below `/api/v1` and returns whatever is answered; every answer is checked."""

    def __init__(self, site: LiveSite, key: str | None) -> None:
        self._url = f"{site.url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        if key is not None:
            self._session.headers["Authorization"] = f"Bearer {key}"
        site.close_later(self._session.close)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self._session.request(
            method, self._url + path, timeout=30, allow_redirects=False, **options
        )
        assert "Set-Cookie" not in response.headers
        if response.status_code >= 400 and method != "HEAD":
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.json()["status"] == response.status_code
            assert response.headers["Cache-Control"] == "no-store"
        return response

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def register(
        self, slug: str = "spring", *, headers: dict[str, str] | None = None, **members: Any
    ) -> requests.Response:
        body = TARO | members
        return self.ask("POST", f"/events/{slug}/registrations", json=body, headers=headers)


def name_faults(response: requests.Response) -> dict[str, str]:
    """Return the code of each fault by its place."""
    assert response.status_code == 422, response.text
    return {error["pointer"]: error["code"] for error in response.json()["errors"]}
