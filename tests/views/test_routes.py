"""Every route, and who may call it."""

import re

import requests

from services.tokens import Purpose
from tests.dashboard_gallery import NO_PAGES, PLACES
from tests.fixtures.databases import only_sqlite
from views.headers import POLICY
from views.retries import REPEATABLE
from views.static_files import BUNDLES

pytestmark = only_sqlite

ANYBODY = "anybody"
LINK = "whoever has the link"
OPERATOR = "this machine, or whoever has the token of the settings"
DEMO = "this machine, in the demo"
PROGRAM = "whoever has a key with the scope that openapi.json names"

ROUTES = {
    "GET /": ANYBODY,
    "GET /.well-known/security.txt": ANYBODY,
    "GET /api/v1/docs": ANYBODY,
    "GET /api/v1/events": PROGRAM,
    "GET /api/v1/events/<slug>": ANYBODY,
    "GET /api/v1/events/<slug>/attendance": PROGRAM,
    "GET /api/v1/events/<slug>/export.csv": PROGRAM,
    "GET /api/v1/events/<slug>/form": ANYBODY,
    "GET /api/v1/events/<slug>/registrations": PROGRAM,
    "GET /api/v1/events/<slug>/registrations/<registration>": PROGRAM,
    "GET /api/v1/openapi.json": ANYBODY,
    "DELETE /api/v1/events/<slug>/registrations/<registration>": PROGRAM,
    "PATCH /api/v1/events/<slug>/registrations/<registration>": PROGRAM,
    "POST /api/v1/events/<slug>/registrations": PROGRAM,
    "POST /api/v1/events/<slug>/registrations/<registration>"
    "/<any(approve, deny, cancel, reinstate):act>": PROGRAM,
    "GET /assets/<name>": ANYBODY,
    "GET /e/<slug>/card/<locale>/<name>": ANYBODY,
    "GET /brand/<string(length=6):color>.css": ANYBODY,
    "GET /e/<slug>": ANYBODY,
    "GET /e/<slug>/embed": ANYBODY,
    "GET /embed-<string(length=12):version>.js": ANYBODY,
    "GET /embed.js": ANYBODY,
    "GET /e/<slug>/notice": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /o/<slug>": ANYBODY,
    "GET /o/<slug>/embed": ANYBODY,
    "GET /robots.txt": ANYBODY,
    "GET /sitemap.xml": ANYBODY,
    f"GET /static/<any{tuple(BUNDLES)}:name>": ANYBODY,
    "GET /static/<path:filename>": ANYBODY,
    "POST /e/<slug>": ANYBODY,
    "POST /e/<slug>/seen/<any(view, start):what>": ANYBODY,
    "POST /e/<slug>/embed": ANYBODY,
    "GET /e/<slug>/embed/done/<token>": LINK,
    "GET /e/<slug>/embed/done/<token>/address": LINK,
    "POST /e/<slug>/embed/done/<token>/address": LINK,
    "POST /e/<slug>/embed/done/<token>/code": LINK,
    "GET /e/<slug>/embed/done/<token>/invite.ics": LINK,
    "POST /e/<slug>/embed/done/<token>/resend": LINK,
    "GET /j/<token>": LINK,
    "POST /j/<token>": LINK,
    "GET /r/<token>": LINK,
    "GET /r/<token>/again": LINK,
    "GET /r/<token>/cancel": LINK,
    "POST /r/<token>/again": LINK,
    "GET /r/<token>/answers/<public_id>": LINK,
    "POST /r/<token>/answers/<public_id>": LINK,
    "POST /r/<token>/cancel": LINK,
    "GET /r/<token>/data.json": LINK,
    "GET /r/<token>/edit": LINK,
    "POST /r/<token>/edit": LINK,
    "GET /r/<token>/invite.ics": LINK,
    "POST /r/<token>/news": LINK,
    "GET /s/<token>": LINK,
    "GET /v/<token>": LINK,
    "POST /v/<token>": LINK,
    "GET /s/<token>/address": LINK,
    "POST /s/<token>/address": LINK,
    "POST /s/<token>/code": LINK,
    "GET /s/<token>/invite.ics": LINK,
    "POST /s/<token>/resend": LINK,
    "GET /metrics": OPERATOR,
    "GET /mailbox": DEMO,
    "GET /mailbox/<name>": DEMO,
    "GET /mailbox/<name>/attachments/<int:number>": DEMO,
    "GET /mailbox/<name>/html": DEMO,
}


# What is answered as perhaps done, but in the dashboard, where all is: another run would count a
# visit twice, or deny what the first one has stored.
NOT_DONE_AGAIN = {
    "DELETE /api/v1/events/<slug>/registrations/<registration>",
    "PATCH /api/v1/events/<slug>/registrations/<registration>",
    "POST /e/<slug>/seen/<any(view, start):what>",
}


def list_routes(site):
    """List all routes but the dashboard's, which tests/views/organizer/test_access.py knows."""
    return {
        f"{method} {rule.rule}"
        for rule in site.app.url_map.iter_rules()
        if not rule.rule.startswith("/organizer")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def call(site, route, token="s" + "a" * 44, *, address="127.0.0.1"):
    method, path = route.split(maxsplit=1)
    path = path.replace("<token>", token).replace("<public_id>", "a" * 22)
    path = path.replace("<name>", "x").replace("<int:number>", "0")
    return site.app.test_client().open(
        path, method=method, environ_base={"REMOTE_ADDR": address}, base_url=site.url
    )


def test_every_route_is_listed(site):
    assert list_routes(site) == ROUTES.keys()


def test_what_runs_again_after_a_lost_commit_is_what_may_be_done_twice(site):
    """Whoever declares another view `repeatable` shows it in `tests/faults/test_postgresql.py`."""
    changing = [
        (f"{method} {rule.rule}", hasattr(site.app.view_functions[rule.endpoint], REPEATABLE))
        for rule in site.app.url_map.iter_rules()
        for method in rule.methods - {"GET", "HEAD", "OPTIONS"}
    ]
    done_once = {route for route, is_repeatable in changing if not is_repeatable}
    of_dashboard = {route for route, _ in changing if "/organizer/" in route}

    assert len(of_dashboard) > 50
    assert done_once == of_dashboard | NOT_DONE_AGAIN


def test_every_page_of_the_dashboard_is_looked_at(site):
    """Without a place in tests/dashboard_gallery.py nobody sees it, and no picture is taken."""
    rules = {rule.rule for rule in site.app.url_map.iter_rules() if "GET" in rule.methods}
    pages = {rule for rule in rules if rule.startswith("/organizer")}

    assert pages - {find_rule(site, place.address) for place in PLACES} == NO_PAGES


def find_rule(site, address):
    """Return the rule that answers at an address of the dashboard, whatever stands in its parts."""
    path = re.sub(r"{\w+}", "x" * 22, address).partition("?")[0]
    rule, _ = site.app.url_map.bind("").match(f"/organizer{path}", return_rule=True)
    return rule.rule


def test_made_up_link_is_unknown(site):
    routes = [route for route, who in ROUTES.items() if who == LINK]
    statuses = {
        (route, purpose): call(site, route, purpose + "a" * 44).status_code
        for route in routes
        for purpose in Purpose
    }

    assert len(statuses) > 50
    assert {asked: status for asked, status in statuses.items() if status != 404} == {}


def test_mailbox_is_there_in_the_demo_alone(start_site):
    routes = {route for route, who in ROUTES.items() if who == DEMO}

    assert list_routes(start_site(is_demo=False)) == ROUTES.keys() - routes


def test_mailbox_is_shown_to_this_machine_alone(site):
    statuses = [
        call(site, "GET /mailbox", address=address).status_code
        for address in ("127.0.0.1", "::1", "192.0.2.1")
    ]

    assert statuses == [200, 200, 404]


def test_every_answer_has_the_headers(site):
    site.add_event(slug="spring")
    paths = ("/", "/e/spring", "/e/unknown", "/healthz", "/robots.txt", "/static/site.css")

    answers = [requests.get(site.url + path, timeout=10).headers for path in paths]

    assert [headers["Content-Security-Policy"] for headers in answers] == [POLICY] * len(paths)
    assert {headers["Referrer-Policy"] for headers in answers} == {"no-referrer"}
    assert {headers["X-Content-Type-Options"] for headers in answers} == {"nosniff"}


def test_request_for_another_host_is_refused(site):
    answer = requests.get(site.url, headers={"Host": "elsewhere.example"}, timeout=10)

    assert answer.status_code == 400


def test_other_methods_are_refused(site):
    answers = [
        requests.request(method, f"{site.url}/e/unknown", timeout=10)
        for method in ("PUT", "DELETE", "PATCH", "TRACE")
    ]

    assert [answer.status_code for answer in answers] == [405] * 4
    allowed = [set(answer.headers["Allow"].split(", ")) for answer in answers]
    assert allowed == [{"GET", "HEAD", "OPTIONS", "POST"}] * 4
