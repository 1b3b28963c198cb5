"""Call a sandbox's API the way an app of its account does."""

from typing import Any

import requests

PERSON = {"email": "taro@example.com", "first_name": "太郎", "last_name": "山田"}
START = "2030-04-01T10:00:00Z"


class Api:
    """Hold a token and send it along; answers come back as they are, refusals too."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.sign_in()

    def sign_in(self) -> None:
        self.token = self.ask_for_token().json()["access_token"]

    def ask_for_token(
        self,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",
        **form: str,
    ) -> requests.Response:
        form = {"grant_type": "account_credentials", "account_id": "sandbox-account", **form}
        return self.session.post(
            f"{self.url}/oauth/token", auth=(client_id, client_secret), data=form, timeout=10
        )

    def call(
        self, method: str, path: str, body: object = None, *, timeout: float = 10, **query: object
    ) -> requests.Response:
        return self.session.request(
            method,
            f"{self.url}/v2{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=timeout,
        )

    def create(self, kind: str = "meeting", **body: Any) -> dict[str, Any]:
        """Create a meeting or webinar which takes registrations by approval, unless told else."""
        settings = {"approval_type": 1, **body.pop("settings", {})}
        body = {"topic": "Spring briefing", "start_time": START, **body, "settings": settings}
        response = self.call("POST", f"/users/host@example.com/{kind}s", body)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def add(self, meeting: dict[str, Any], **body: Any) -> requests.Response:
        """Add Taro, or whoever the body says; webinars take no `auto_approve`."""
        return self.call("POST", f"{self.path(meeting)}/registrants", {**PERSON, **body})

    def set_status(
        self, meeting: dict[str, Any], action: str, *people: dict[str, str]
    ) -> requests.Response:
        body = {"action": action, "registrants": list(people)}
        return self.call("PUT", f"{self.path(meeting)}/registrants/status", body)

    def emails(self, meeting: dict[str, Any], status: str = "approved") -> list[str]:
        response = self.call("GET", f"{self.path(meeting)}/registrants", status=status)
        return sorted(person["email"] for person in response.json()["registrants"])

    @staticmethod
    def path(meeting: dict[str, Any]) -> str:
        kind = "webinar" if meeting["type"] in (5, 6, 9) else "meeting"
        return f"/{kind}s/{meeting['id']}"


def refusal(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]
