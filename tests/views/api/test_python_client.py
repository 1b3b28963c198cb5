"""The small client in Python, against a running site."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.models import Registration
from tests.fixtures.databases import only_sqlite
from tests.program import TARO, make_key

sys.path.append(str(Path(__file__).parents[3] / "clients/python"))
import uketsuke_client
from uketsuke_client import ApiProblem, Client

pytestmark = only_sqlite


@pytest.fixture
def client(site) -> Iterator[Client]:
    site.add_event(slug="spring", approval="manual")
    client = Client(site.url, make_key(site))
    yield client
    client.close()


def test_client_does_what_the_reference_says(site, client):
    [event] = client.list_events()
    assert client.read_event(event["slug"])["state"] == "open"
    form = client.read_form("spring")
    values = TARO | {"form_version": form["form_version"]}
    told = [client.register("spring", values | {"email": f"p{n}@example.com"}) for n in range(3)]

    assert {item["state"] for item in told} == {"pending"}
    [first, second, third] = [person["id"] for person in client.list_registrations("spring")]
    assert client.approve("spring", first)["status"] == "approved"
    assert client.deny("spring", second)["status"] == "denied"
    assert client.cancel("spring", third)["status"] == "cancelled"
    assert client.reinstate("spring", third)["status"] == "approved"
    with pytest.raises(ApiProblem) as decided:
        client.cancel("spring", third, version='"older"')
    assert (decided.value.status, decided.value.kind) == (412, "changed-meanwhile")
    assert [p["id"] for p in client.list_registrations("spring", status="denied")] == [second]
    person, version = client.read_registration("spring", first)
    site.clock.move(seconds=1)
    client.change("spring", first, {"given_name": "花子"}, version=version)
    with pytest.raises(ApiProblem) as stale:
        client.change("spring", first, {"given_name": "次郎"}, version=version)
    assert (stale.value.status, stale.value.kind) == (412, "changed-meanwhile")
    assert client.read_registration("spring", first)[0] == person | {
        "given_name": "花子",
        "updated_at": client.read_registration("spring", first)[0]["updated_at"],
    }
    assert [row["attendance"] for row in client.list_attendance("spring")] == ["unclear"] * 3
    assert "花子" in b"".join(client.export("spring")).decode()
    assert client.erase("spring", second)
    assert second not in [person["id"] for person in client.list_registrations("spring")]


def test_client_says_what_is_wrong(client):
    with pytest.raises(ApiProblem) as refused:
        client.register("spring", TARO | {"email": "taro@"})

    assert (refused.value.kind, refused.value.errors[0]["pointer"]) == ("invalid", "/email")


def test_client_walks_over_pages(client):
    for number in range(5):
        client.register("spring", TARO | {"email": f"p{number}@example.com"})
    asked = list(client.list_registrations("spring", limit="2"))

    assert [person["email"] for person in asked] == [f"p{n}@example.com" for n in range(5)]


def test_client_reads_what_has_changed_since(site, client, monkeypatch):
    monkeypatch.setattr(uketsuke_client, "MOST", "2")
    for number in range(3):
        client.register("spring", TARO | {"email": f"p{number}@example.com"})
    people, read_at = client.read_changes("spring")
    [first, *others] = [person["id"] for person in people]
    assert len(others) == 2
    site.clock.move(minutes=5)
    assert len(list(client.read_changes("spring", read_at)[0])) == 3, "it lies a minute back"
    _, read_at = client.read_changes("spring")
    client.approve("spring", first)

    people, _ = client.read_changes("spring", read_at)

    assert [(person["id"], person["status"]) for person in people] == [(first, "approved")]


def test_lost_answer_and_a_busy_site_make_no_second_registration(site, client, monkeypatch):
    """The first answer is lost after the effect, the second says to come back in 7 seconds."""
    waits, answers, ask = [], iter(["lost", 503]), client._session.request
    monkeypatch.setattr(uketsuke_client.time, "sleep", waits.append)

    def lose(method, url, **options):
        answer = ask(method, url, **options)
        match next(answers, None):
            case "lost":
                raise uketsuke_client.requests.ConnectionError
            case 503:
                answer.status_code, answer.headers["Retry-After"] = 503, "7"
        return answer

    monkeypatch.setattr(client._session, "request", lose)

    told = client.register("spring", TARO)

    assert (told["state"], waits) == ("pending", [1.0, 7.0])
    assert site.count_rows("submission") == 1
    with site.database.read() as session:
        assert session.query(Registration).count() == 1
