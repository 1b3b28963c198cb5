"""Who gets in with which key, and that nobody reaches what is another organization's."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event as listen

from services.api_keys import BURST, INTERVAL_SECONDS, Scope
from storage import api_keys, events, organizations
from storage.models import ApiKey, RateBucket
from tests import factories
from tests.dashboard import sign_in
from tests.fixtures.databases import only_sqlite
from tests.program import Program, make_key
from tests.series import list_ids, make_series
from views.api.access import NEEDED

pytestmark = only_sqlite

OPEN = {"show_description", "show_reference", "read_event", "read_form"}


@pytest.fixture
def registration(program):
    return program.register().json()["registration"]


def list_rules(site):
    return [
        (method, rule, site.app.view_functions[rule.endpoint])
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]


def write_path(rule, registration):
    path = rule.rule.removeprefix("/api/v1").replace("<registration>", registration)
    return re.sub("<any.*?>", "approve", path.replace("<slug>", "spring"))


def ask(program, method, rule, registration):
    headers = {"If-Match": '"x"'} if method == "PATCH" else {}
    body = {} if method == "PATCH" or rule.rule.endswith("registrations") else None
    options = {"json": body} if method != "GET" else {}
    return program.ask(method, write_path(rule, registration), headers=headers, **options)


def test_every_route_names_its_scope(site):
    without = {
        rule.endpoint.removeprefix("api.")
        for _, rule, view in list_rules(site)
        if not isinstance(getattr(view, NEEDED, None), Scope)
    }

    assert without == OPEN


def test_each_scope_opens_what_it_names_and_nothing_else(site, program, registration):
    programs = {scope: Program(site, make_key(site, [scope])) for scope in Scope}
    wrong = []
    for method, rule, view in list_rules(site):
        needed = getattr(view, NEEDED, Scope.EVENTS_READ)
        is_file = rule.endpoint in ("api.show_description", "api.show_reference")
        for scope, asking in programs.items():
            status = ask(asking, method, rule, registration).status_code
            is_refused = scope is not needed and not is_file
            if (status == 403) is not is_refused:
                wrong.append((method, rule.rule, scope, status))

    assert wrong == []


def test_without_a_good_key_everything_but_the_public_part_is_closed(site, program, registration):
    expired = make_key(site, days=-1)
    revoked = make_key(site)
    with site.database.write() as session:
        session.query(ApiKey).order_by(ApiKey.id.desc()).first().revoked_at = site.clock()
    wrong = []
    for key in (None, "", "made-up", "ü", "x" * 5_000, expired, revoked):
        asking = Program(site, None)
        headers = {} if key is None else {"Authorization": f"Bearer {key}".encode()}
        for method, rule, _ in list_rules(site):
            is_open = rule.endpoint.removeprefix("api.") in OPEN
            path = write_path(rule, registration)
            answer = asking.ask(method, path, headers=headers)
            is_file = rule.endpoint in ("api.show_description", "api.show_reference")
            expected = 200 if is_file or (is_open and key is None) else 401
            if answer.status_code != expected:
                wrong.append((key, method, rule.rule, answer.status_code))
            elif expected == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    assert wrong == []


def test_key_of_one_organization_finds_nothing_of_another(site, program, registration):
    with site.database.write() as session:
        other = factories.make_organization(session, name="よその会", now=site.clock())
    stranger = Program(site, make_key(site, organization=other))
    found = {}
    for method, rule, _ in list_rules(site):
        if "slug" in rule.arguments:
            found[method, rule.rule] = ask(stranger, method, rule, registration).status_code

    assert set(found.values()) == {404}
    assert stranger.get("/events").json() == {"items": [], "next": None}
    assert (
        program.get(f"/events/spring/registrations/{registration}").json()["status"] == "approved"
    )


def test_event_that_is_no_draft_is_open_to_anybody_with_less(site, program):
    site.add_event(slug="draft", status="draft")
    anybody = Program(site, None)

    assert anybody.get("/events/draft").status_code == 404
    assert anybody.get("/events/draft/form").status_code == 404
    assert program.get("/events/draft").json()["state"] == "draft"
    seen, own = anybody.get("/events/spring").json(), program.get("/events/spring").json()
    assert seen.items() < own.items()
    assert own.keys() - seen.keys() == {
        *("id", "capacity", "seats_taken", "has_waitlist", "approval", "link_policy"),
        *("created_at", "updated_at"),
    }


def test_many_series_cost_no_more_questions(site, program):
    asked = []
    listen.listen(site.database.engine, "before_cursor_execute", lambda *_: asked.append(1))

    def count_questions():
        asked.clear()
        items = program.get("/events").json()["items"]
        return len(items), len(asked)

    def add_series(*, full_date=0):
        with site.database.write() as session:
            series = make_series(session, site.zoom, now=site.clock(), seats_per_date=1)
            events.add_counters(session, series.id, {f"date:{list_ids(series)[full_date]}": 1})

    add_series()
    count_questions()
    assert count_questions() == (2, len(asked))
    former = len(asked)
    add_series(full_date=1)
    add_series(full_date=2)
    assert count_questions() == (4, former)
    items = program.get("/events").json()["items"][1:]
    full = [[date["closed"] for date in item["dates"]].index("full") for item in items]
    assert full == [0, 1, 2]


def test_form_is_kept_as_long_as_it_is_the_same(site, program):
    first = program.get("/events/spring/form")
    again = program.get("/events/spring/form", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.text) == (304, "")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Origin" in first.headers["Vary"]


def list_granted(asking, method, path, origin):
    answer = asking.ask(method, path, headers={"Origin": origin})
    return {name: value for name, value in answer.headers.items() if "Access-Control" in name}


def test_pages_of_listed_origins_read_the_public_part_and_nothing_else(site, program):
    with site.database.write() as session:
        organizations.need_organization(session, 1).embed_origins = ["https://example.com"]
    anybody = Program(site, None)
    granted = {
        "Access-Control-Allow-Origin": "https://example.com",
        "Access-Control-Expose-Headers": "ETag",
    }
    for path in ("/events/spring", "/events/spring/form"):
        assert list_granted(anybody, "GET", path, "https://example.com") == granted
        for origin in ("https://other.example", "http://example.com", "null", "*", ""):
            assert list_granted(anybody, "GET", path, origin) == {}
        assert list_granted(program, "GET", path, "https://example.com") == {}
    for path in ("/events", "/events/spring/registrations", "/events/spring/export.csv"):
        for method in ("GET", "OPTIONS", "POST"):
            assert list_granted(program, method, path, "https://example.com") == {}


def test_dashboards_cookie_opens_nothing(site, program):
    owner = sign_in(site)

    answer = Program(site, None).ask(
        "GET", "/events", cookies={name: value for name, value in owner.cookies.items()}
    )

    assert answer.status_code == 401


def test_use_of_a_key_is_noted_every_few_minutes(site, program):
    def read_use():
        with site.database.read() as session:
            [(key, _)] = api_keys.list_keys(session, 1)
            return key.last_used_at

    program.get("/events")
    first = read_use()
    site.clock.move(minutes=4)
    program.get("/events")
    assert read_use() == first
    site.clock.move(minutes=2)
    program.get("/events")

    assert read_use() > first


def test_key_that_asks_too_much_is_slowed_and_another_is_not(start_site):
    site = start_site(rate_limits=True)
    site.add_event(slug="spring")
    busy, calm = (Program(site, make_key(site)) for _ in range(2))
    with site.database.write() as session:
        # The clock goes on: empty, and 3 seconds beyond, however slow this machine is.
        full_at = site.clock().timestamp() + BURST * INTERVAL_SECONDS + 3
        session.add(RateBucket(name="api:1", full_at=full_at))
    answer = busy.get("/events/spring/registrations")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert busy.register().status_code == 429
    assert busy.get("/events").status_code == 200, "what nobody's data is in is not counted"
    assert calm.register().status_code == 201
    site.clock.move(seconds=6)
    assert busy.register(email="a@example.com").status_code == 201
