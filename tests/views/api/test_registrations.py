"""Programs read, change and decide registrations, and each act has its entry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from services import registration_changes
from services.api_keys import Scope
from services.attendance_notice import say_attendance
from services.questions import Choice, Condition, QuestionKind
from storage import events, registration_pages
from storage.models import AuditEntry, Registration
from tests import factories
from tests.dashboard import sign_in
from tests.factories import COMPANY, PRIVACY
from tests.fixtures.databases import only_sqlite
from tests.organizer import Organizer
from tests.program import Program, make_key, name_faults
from worker.attendance import request_due_records

pytestmark = only_sqlite

HEALTH = replace(COMPANY, id="health", label={"ja": "配慮が必要なこと"}, is_sensitive=True)


def list_all(program, path, **filters):
    """Walk along the pages of a list; return the pages."""
    pages, cursor = [], None
    while True:
        query = filters | ({"cursor": cursor} if cursor else {})
        found = program.get(path, params=query).json()
        pages.append(found["items"])
        cursor = found["next"]
        if cursor is None:
            return pages


def register_many(program, count):
    return [
        program.register(email=f"taro{n}@example.com").json()["registration"] for n in range(count)
    ]


def test_list_is_whole_while_people_come(site, program):
    first = register_many(program, 5)
    page = program.get("/events/spring/registrations", params={"limit": 2}).json()
    later = program.register(email="later@example.com").json()["registration"]
    rest = list_all(program, "/events/spring/registrations", limit="2", cursor=page["next"])

    found = [item["id"] for items in ([page["items"]], rest) for part in items for item in part]
    assert found[:2] == first[:2]
    whole = list_all(program, "/events/spring/registrations", limit="2")
    assert [item["id"] for items in whole for item in items] == [*first, later]


def test_list_is_narrowed(site, program):
    [one, two, three] = register_many(program, 3)
    site.drain()
    site.clock.move(minutes=5)
    since = site.clock().isoformat()
    site.clock.move(minutes=5)
    program.ask("POST", f"/events/spring/registrations/{two}/cancel")

    def find(**filters):
        [items] = list_all(program, "/events/spring/registrations", **filters)
        return [item["id"] for item in items]

    assert find(status="approved") == [one, three]
    assert find(status="denied") == []
    assert find(email="TARO0@EXAMPLE.com") == [one]
    assert find(email="nobody@example.com") == []
    assert find(updated_since=since) == [two]
    assert find(delivery="registered", status="approved") == [one, three]
    site.drain()
    assert find(delivery="withdrawn") == [two]


def test_program_that_asks_for_changes_misses_none_that_was_being_stored(site, program):
    person = register_many(program, 1)[0]
    path = "/events/spring/registrations"
    site.clock.move(minutes=10)
    began_at = site.clock()
    site.clock.move(seconds=30)
    read_at = program.get(path).json()["read_at"]
    with site.database.write() as session:
        event = events.get_event_by_slug(session, "spring")
        row = session.scalars(select(Registration)).one()
        registration_changes.cancel(session, event, row, actor="person", now=began_at)
    site.clock.move(minutes=10)

    def list_changed(since):
        found = program.get(path, params={"updated_since": since}).json()
        return [item["id"] for item in found["items"]], found["read_at"]

    changed, later = list_changed(read_at)
    assert changed == [person]
    assert list_changed(later)[0] == []


def test_page_whose_people_do_not_fit_leads_on(site, program, monkeypatch):
    """However few fit, a page costs a bounded number of rows."""
    monkeypatch.setattr(registration_pages, "MOST_LOOKED_AT", 2)
    ids = register_many(program, 5)
    program.ask("POST", f"/events/spring/registrations/{ids[4]}/cancel")
    site.drain()

    pages = list_all(program, "/events/spring/registrations", delivery="withdrawn")

    assert [[item["id"] for item in items] for items in pages] == [[], [], [ids[4]]]


def test_cursor_is_of_use_for_its_own_list_alone(site, program):
    register_many(program, 3)
    site.add_event(slug="autumn")
    path = "/events/spring/registrations"
    cursor = program.get(path, params={"limit": 1}).json()["next"]
    other = program.get("/events", params={"limit": 1}).json()["next"]

    for asked, given in (
        (path, {"cursor": cursor, "status": "approved"}),
        ("/events/autumn/registrations", {"cursor": cursor}),
        (path, {"cursor": cursor + "x"}),
        (path, {"cursor": other}),
        (path, {"cursor": ""}),
    ):
        answer = program.get(asked, params=given)
        assert (answer.status_code, answer.json()["parameter"]) == (400, "cursor")


REFUSED = (
    *("limit=0", "limit=201", "limit=x", "limit=٣", "limit=", "status=x", "status=", "x=1"),
    *("delivery=x", "email=x", f"email={'a' * 300}@b.example", "updated_since=2026-01-01"),
    *("updated_since=x", "updated_since=9999-12-31T23:59:59-14:00", "limit=1&limit=2"),
)


def test_parameter_that_cannot_be_used_is_named(program):
    for query in REFUSED:
        answer = program.get(f"/events/spring/registrations?{quote(query, safe='=&')}")
        assert answer.status_code == 400, query
        assert answer.json()["parameter"] == query.partition("=")[0]


def test_sensitive_answers_need_their_own_scope(site):
    site.add_event(slug="spring", questions=(COMPANY, HEALTH, PRIVACY))
    program = Program(site, make_key(site))
    answers = {"company": "例", "health": "車椅子"}
    path = (
        f"/events/spring/registrations/{program.register(answers=answers).json()['registration']}"
    )
    scopes = [scope for scope in Scope if scope is not Scope.SENSITIVE_READ]
    other = Program(site, make_key(site, scopes))

    assert program.get(path).json()["answers"] == answers
    read = other.get(path)
    assert (read.json()["answers"], read.json()["hidden_answers"]) == (
        {"company": "例"},
        ["health"],
    )
    assert "車椅子" not in other.get("/events/spring/registrations").text
    assert "車椅子" not in other.get("/events/spring/export.csv").text
    assert "車椅子" in program.get("/events/spring/export.csv").text
    version = {"If-Match": read.headers["ETag"]}
    refused = other.ask("PATCH", path, json={"answers": {"health": "x"}}, headers=version)
    assert name_faults(refused) == {"/answers/health": "hidden"}
    changed = other.ask("PATCH", path, json={"answers": {"company": "別"}}, headers=version)
    assert changed.status_code == 200
    assert program.get(path).json()["answers"] == {"company": "別", "health": "車椅子"}


def test_key_changes_no_answer_that_it_does_not_read(site):
    needs = replace(
        HEALTH,
        kind=QuestionKind.RADIO,
        choices=(Choice("chair", {"ja": "車椅子"}), Choice("other", {"ja": "その他"})),
        has_other=True,
        condition=Condition("stays", ("yes",)),
    )
    stays = replace(
        COMPANY,
        id="stays",
        kind=QuestionKind.RADIO,
        choices=(Choice("yes", {"ja": "はい"}), Choice("no", {"ja": "いいえ"})),
    )
    site.add_event(slug="spring", questions=(COMPANY, stays, needs, PRIVACY))
    program = Program(site, make_key(site))
    answers = {"company": "例", "stays": "yes", "health": "other", "health_other": "杖"}
    person = program.register(answers=answers).json()["registration"]
    path = f"/events/spring/registrations/{person}"
    version = {"If-Match": program.get(path).headers["ETag"]}
    other = Program(
        site, make_key(site, [scope for scope in Scope if scope is not Scope.SENSITIVE_READ])
    )

    def change(by, **answers):
        return by.ask("PATCH", path, json={"answers": answers}, headers=version)

    hides = {"/answers/health": "hidden"}
    assert name_faults(change(other, health_other="x")) == {"/answers/health_other": "hidden"}
    assert name_faults(change(other, stays="no")) == hides
    assert name_faults(change(other, stays=None)) == hides
    assert program.get(path).json()["answers"] == answers
    assert change(program, stays="no").status_code == 200
    assert program.get(path).json()["answers"] == {"company": "例", "stays": "no"}


def test_two_editors_do_not_overwrite_each_other(site, program):
    path = f"/events/spring/registrations/{register_many(program, 1)[0]}"
    version = program.get(path).headers["ETag"]
    site.clock.move(seconds=1)

    def change(number):
        body = {"given_name": f"太郎{number}"}
        return program.ask("PATCH", path, json=body, headers={"If-Match": version}).status_code

    with ThreadPoolExecutor(4) as hands:
        statuses = list(hands.map(change, range(4)))

    assert sorted(statuses) == [200, 412, 412, 412]
    assert program.ask("PATCH", path, json={}).status_code == 428
    for tag in ('"x"', "*", "x", f'{version}, "x"', f"W/{version}"):
        answer = program.ask("PATCH", path, json={}, headers={"If-Match": tag})
        assert answer.status_code == 412, tag


def test_change_keeps_what_is_not_named_and_the_forms_rules(site, program):
    path = f"/events/spring/registrations/{register_many(program, 1)[0]}"

    def change(**body):
        version = {"If-Match": program.get(path).headers["ETag"]}
        site.clock.move(seconds=1)
        return program.ask("PATCH", path, json=body, headers=version)

    assert change(given_name="花子").json()["result"] == "done"
    read = program.get(path).json()
    assert (read["family_name"], read["given_name"]) == ("山田", "花子")
    assert read["answers"] == {"company": "例株式会社"}
    assert change(answers={"company": None}).status_code == 200
    assert program.get(path).json()["answers"] == {}
    faults = change(given_name="", answers={"company": "x" * 300, "y": "z"}, email="a@example.com")
    assert name_faults(faults) == {
        "/email": "unknown",
        "/answers/y": "unknown",
        "/given_name": "required",
        "/answers/company": "invalid",
    }


def test_program_decides_and_the_person_is_told(site):
    site.add_event(slug="spring", approval="manual", capacity=1)
    program = Program(site, make_key(site))
    answer = program.register()
    assert answer.json()["state"] == "pending"
    path = f"/events/spring/registrations/{answer.json()['registration']}"

    def act(name):
        answer = program.ask("POST", f"{path}/{name}")
        told = answer.json()
        return answer.status_code, told.get("result") or told["type"]

    assert act("approve") == (200, "done")
    assert act("approve") == (200, "unchanged")
    site.drain()
    assert site.list_effects("taro@example.com") == ["add"]
    assert act("deny") == (200, "done")
    other = program.register(email="other@example.com").json()["registration"]
    assert act("approve") == (409, "/api/v1/docs#problem-event-full")
    assert program.ask("POST", f"/events/spring/registrations/{other}/cancel").status_code == 200
    assert act("approve") == (200, "done")
    assert act("cancel") == (200, "done")
    assert act("approve") == (409, "/api/v1/docs#problem-cancelled")
    assert act("reinstate") == (200, "done")
    assert act("reinstate") == (200, "unchanged")
    site.drain()
    assert site.mailbox.list_subjects("taro@example.com")[-1] == "参加確定"
    assert program.ask("DELETE", path).status_code == 202
    assert act("reinstate") == (409, "/api/v1/docs#problem-erased")
    erased = program.ask("POST", f"{path}/reinstate").json()["detail"]
    assert erased == "What the person had registered with is erased, or about to be."
    site.clock.move(days=30)
    over = program.ask("POST", f"/events/spring/registrations/{other}/reinstate")
    assert (over.status_code, over.json()["type"]) == (409, "/api/v1/docs#problem-event-over")
    assert over.json()["detail"].endswith("each date that was chosen, is over or cancelled.")


@pytest.mark.parametrize(
    ("before", "act", "other"),
    [
        *(((), "approve", "deny"), ((), "deny", "approve"), ((), "cancel", "approve")),
        (("cancel",), "reinstate", "cancel"),
    ],
)
def test_decision_about_a_state_that_is_gone_is_not_taken(site, before, act, other):
    site.add_event(slug="spring", approval="manual")
    program = Program(site, make_key(site))
    path = f"/events/spring/registrations/{program.register().json()['registration']}"

    def decide(name, *tags):
        site.clock.move(seconds=1)
        headers = {"If-Match": ", ".join(tags)} if tags else {}
        answer = program.ask("POST", f"{path}/{name}", headers=headers)
        return answer.status_code, answer.json().get("result", answer.json()["status"])

    for name in before:
        decide(name)
    seen = program.get(path).headers["ETag"]
    if before:
        decide("reinstate")
    decide(other)
    stands = program.get(path).json()

    for tags in ((seen,), ("x",), (f"W/{program.get(path).headers['ETag']}",)):
        assert decide(act, *tags) == (412, 412), tags
    assert program.get(path).json() == stands
    now = program.get(path).headers["ETag"]
    assert decide(act, seen, now) == (200, "done")
    assert decide(act, seen) == (200, "unchanged"), "as if its answer had been lost"
    assert decide(act, "*") == (200, "unchanged")


def test_each_act_has_an_entry_that_names_the_key_and_no_person(site, program):
    path = f"/events/spring/registrations/{register_many(program, 1)[0]}"
    program.get("/events/spring/registrations", params={"email": "taro0@example.com"})
    version = program.get(path).headers["ETag"]
    program.ask("PATCH", path, json={"given_name": "花子"}, headers={"If-Match": version})
    program.ask("POST", f"{path}/cancel")
    program.get("/events/spring/attendance")
    program.get("/events/spring/export.csv")

    with site.database.read() as session:
        entries = session.query(AuditEntry).order_by(AuditEntry.number).all()
    acts = [entry for entry in entries if entry.actor.startswith("key:")]
    assert [str(entry.action) for entry in acts] == [
        *("people_listed", "person_seen", "person_changed", "person_changed"),
        *("people_listed", "people_exported"),
    ]
    told = " ".join(f"{entry.object} {entry.facts}" for entry in entries)
    assert "example.com" not in told and "花子" not in told
    log = sign_in(site).open("/organizer/settings/audit").text
    assert log.count("APIキー「test」") == len(acts)


def test_attendance_says_no_more_than_is_known(site, program):
    told = program.register().json()
    site.drain()
    site.visitor().open(told["join_url"]).form().leave()

    [item] = program.get("/events/spring/attendance").json()["items"]

    assert item | {"last_clicked_at": ""} == {
        "registration": told["registration"],
        "status": "approved",
        "attendance": "unclear",
        "reason": "not_recorded",
        **dict.fromkeys(("unrecognised", "first_joined_at", "last_left_at", "seconds")),
        "dates": [],
        "join_clicks": 1,
        "last_clicked_at": "",
    }
    assert item["last_clicked_at"].endswith("Z")


def test_attendance_is_what_zoom_has_recorded(site):
    at = site.clock().replace(microsecond=0) + timedelta(days=7)
    form = say_attendance(factories.SMALL_FORM, is_recorded=True)
    event = site.add_event(slug="spring", records_attendance=True, questions=form, starts_at=at)
    program = Program(site, make_key(site))
    [privacy] = program.get("/events/spring/form").json()["consents"]
    assert privacy["notice"]["en"].endswith("and match that with your registration.")
    program.register()
    site.drain()
    [known] = site.zoom.state()["registrants"]
    end = at + timedelta(minutes=60)
    joins = [{"registrant_id": known["id"], "left_at": at + timedelta(minutes=52)}]
    site.zoom.hold(event.zoom_id, started_at=at, ended_at=end, joins=joins)
    site.let_pass(days=7, hours=1, minutes=16)
    request_due_records(site.database, now=site.clock())
    site.drain()

    [item] = program.get("/events/spring/attendance").json()["items"]

    assert (item["attendance"], item["reason"], item["seconds"]) == ("attended", None, 52 * 60)
    assert item["first_joined_at"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"


def test_file_is_the_dashboards(site, program):
    register_many(program, 3)
    program.register(email="evil@example.com", family_name="=1+1")
    asked = "?format=csv&lang=ja&sort=oldest"
    with site.database.read() as session:
        event_id = session.query(Registration).first().event_id
        assert event_id == 1
    event = program.get("/events/spring").json()["id"]
    theirs = sign_in(site).fetch(f"/organizer/events/{event}/people/export{asked}").content

    ours = program.get("/events/spring/export.csv", params={"lang": "ja"})

    assert ours.content == theirs
    assert ours.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert program.get("/events/spring/export.csv", params={"lang": "fr"}).status_code == 400


def test_unknown_registration_is_not_found(site, program):
    elsewhere = register_many(program, 1)[0]
    site.add_event(slug="autumn")
    for path in (f"/events/autumn/registrations/{elsewhere}", "/events/spring/registrations/x"):
        assert program.get(path).status_code == 404
        assert program.ask("POST", f"{path}/approve").status_code == 404


def test_answer_whose_question_left_the_form_is_read_and_stays(site):
    title = replace(COMPANY, id="title", label={"ja": "役職"})
    event = site.add_event(slug="spring", questions=(COMPANY, HEALTH, title, PRIVACY))
    program = Program(site, make_key(site))
    answers = {"company": "例", "title": "部長", "health": "車椅子"}
    person = program.register(answers=answers).json()["registration"]
    path = f"/events/spring/registrations/{person}"
    organizer = Organizer(site, event)
    organizer.change_form((COMPANY, PRIVACY))
    edit = sign_in(site).open(f"/organizer/events/{event.public_id}/people/{person}/edit")
    page = edit.form("変更を保存する").fill(question_company="別").submit()
    assert "役職 部長" in page.text
    scopes = [scope for scope in Scope if scope is not Scope.SENSITIVE_READ]

    def change(by, **answers):
        version = {"If-Match": program.get(path).headers["ETag"]}
        return by.ask("PATCH", path, json={"answers": answers}, headers=version)

    assert change(Program(site, make_key(site, scopes)), company="見本").status_code == 200
    assert program.get(path).json()["answers"] == answers | {"company": "見本"}
    for value in ("課長", None):
        assert name_faults(change(program, title=value)) == {"/answers/title": "unknown"}
