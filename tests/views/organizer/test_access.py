"""Every route of the dashboard: who may open it, and that nobody reaches what is others'."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from services.access_links import LinkPurpose, add_link
from services.api_keys import Scope, issue_key
from services.events import LinkPolicy
from services.invitation_links import ensure_link_of
from services.members import Permission, Role, list_permissions
from services.people_acts import Act
from services.people_imports import begin_import
from services.people_tasks import start_task
from services.registrations import register
from services.webhooks import OFFERED, Payload, Wish, add_endpoint
from storage import (
    api_keys,
    event_lists,
    members,
    organizations,
    organizers,
    passkeys,
    registrations,
    webhooks,
)
from storage.models import (
    Event,
    Membership,
    Organization,
    Organizer,
    OrganizerSession,
    Registration,
)
from tests import factories
from tests.dashboard import Dashboard, make_entrance, make_membership, sign_in, sign_in_again
from tests.fixtures.databases import only_sqlite
from tests.html import parse
from views.organizer.access import NEEDED

# What can be opened before anybody is signed in. Nothing else may be without a permission.
OPEN = {
    "GET /organizer/sign-in",
    "POST /organizer/sign-in",
    "GET /organizer/sign-in/code",
    "POST /organizer/sign-in/code",
    "POST /organizer/sign-in/passkey",
    "GET /organizer/sign-in/company",
    "POST /organizer/sign-in/company",
    "GET /organizer/sign-in/company/back",
    "GET /organizer/sign-in/<organization>",
    "GET /organizer/sign-in/<organization>/go",
    "GET /organizer/password",
    "POST /organizer/password",
    "GET /organizer/password/asked",
    "GET /organizer/enter/<token>",
    "POST /organizer/enter/<token>",
}


# What an open screen alone must not be enough for: secrets, members, everybody's data, how one
# signs in. Looking at the form asks, where there is one, so that nothing typed is lost.
ASKED_AGAIN = {
    *("GET /organizer/account/password", "POST /organizer/account/password"),
    *("GET /organizer/account/authenticator", "POST /organizer/account/authenticator"),
    "POST /organizer/account/authenticator/remove",
    "POST /organizer/account/recovery-codes",
    *("GET /organizer/account/passkeys/new", "POST /organizer/account/passkeys/new"),
    "POST /organizer/account/passkeys/<passkey>/remove",
    *("GET /organizer/organizations/new", "POST /organizer/organizations/new"),
    *("GET /organizer/settings/zoom", "POST /organizer/settings/zoom"),
    *("GET /organizer/settings/sign-in", "POST /organizer/settings/sign-in"),
    "POST /organizer/settings/sign-in/remove",
    *("GET /organizer/settings/members/invite", "POST /organizer/settings/members/invite"),
    "GET /organizer/settings/members/<membership>",
    "POST /organizer/settings/members/<membership>",
    "POST /organizer/settings/members/<membership>/remove",
    "POST /organizer/settings/invitations/<invitation>/withdraw",
    *("GET /organizer/settings/api-keys/new", "POST /organizer/settings/api-keys/new"),
    "POST /organizer/settings/api-keys/<api_key>/revoke",
    *("GET /organizer/settings/webhooks/new", "POST /organizer/settings/webhooks/new"),
    "GET /organizer/settings/webhooks/<webhook>/edit",
    "POST /organizer/settings/webhooks/<webhook>/edit",
    "POST /organizer/settings/webhooks/<webhook>/secret",
    "POST /organizer/settings/webhooks/<webhook>/remove",
    "GET /organizer/events/<event>/people/<person>/erase",
    "POST /organizer/events/<event>/people/<person>/erase",
    "GET /organizer/settings/audit.csv",
    "GET /organizer/events/<event>/people/export",
    "POST /organizer/events/<event>/provisions/<question>",
}
# What is done to one's own account, whichever organization somebody is in.
OF_THE_ACCOUNT = {
    "/organizer/account/authenticator",
    "/organizer/account/authenticator/remove",
    "/organizer/account/name",
    "/organizer/account/organization",
    "/organizer/account/passkeys/<passkey>/remove",
    "/organizer/account/passkeys/new",
    "/organizer/account/password",
    "/organizer/account/recovery-codes",
    "/organizer/account/sessions/<browser>/end",
    "/organizer/account/sessions/end-others",
    "/organizer/organizations/new",
    "/organizer/prove",
    "/organizer/prove/passkey",
    "/organizer/sign-out",
}
# The first and the last day that there is; west or east of us they lie outside.
EDGES = ("0001-01-01", "9999-12-31")


@dataclass(frozen=True)
class World:
    """One organization as its members see it: for each part of an address, what is theirs."""

    ids: dict[str, str]
    browsers: dict[Role, Dashboard]


def list_rules(site):
    return [
        (method, rule, site.app.view_functions[rule.endpoint])
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/organizer")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"})
    ]


def build_world(site, name) -> World:
    """Make an organization with somebody of every role, an event, and one of everything."""
    with site.database.write() as session:
        organization = factories.make_organization(session, name=name, now=site.clock())
        event = factories.make_event(
            session, organization_id=organization.id, now=site.clock(), status="draft"
        )
        memberships = {
            role: make_membership(session, role, organization=organization, now=site.clock())
            for role in Role
        }
        ids = {"event": event.public_id}
        for role, row in memberships.items():
            ids |= make_account_parts(session, role, row.organizer_id, site.clock())
        ids |= {kind: make(session, site, memberships) for kind, make in MAKERS.items()}
    browsers = {role: sign_in_again(site, row.organizer_id) for role, row in memberships.items()}
    return World(ids, browsers)


def make_account_parts(session, role, organizer_id, now):
    """Make what belongs to one organizer alone, named by their role."""
    browser = organizers.add_browser(
        session,
        organizer_id,
        token_hash=f"{organizer_id}",
        organization_id=None,
        device="",
        now=now,
    )
    passkey = passkeys.add_passkey(
        session,
        organizer_id,
        credential_id=f"{organizer_id}".encode(),
        public_key=b"",
        sign_count=0,
        transports=[],
        name="鍵",
        now=now,
    )
    return {f"browser {role}": browser.public_id, f"passkey {role}": passkey.public_id}


# For each part of an address but `event`: makes one and returns its public id.
MAKERS: dict[str, Callable[..., str]] = {}


def make_person(session, site, memberships):
    event = event_lists.list_events(
        session,
        memberships[Role.OWNER].organization_id,
        "draft",
        event_ids=None,
        after=None,
        limit=1,
        now=site.clock(),
    )[0].event
    event.status = "published"
    row = register(
        session,
        event,
        factories.make_submission(event),
        policy=LinkPolicy.SHOW,
        now=site.clock(),
    )
    event.status = "draft"
    session.flush()
    return registrations.get_registration(session, row.registration_id).public_id


MAKERS["person"] = make_person


def make_invitation(session, site, memberships):
    return add_link(
        session,
        LinkPurpose.MEMBER,
        organization_id=memberships[Role.OWNER].organization_id,
        email="invited@example.com",
        role=Role.VIEWER,
        now=site.clock(),
    ).public_id


def make_another_member(session, site, memberships):
    organization = organizations.need_organization(session, memberships[Role.OWNER].organization_id)
    return make_membership(
        session, Role.VIEWER, organization=organization, now=site.clock()
    ).public_id


MAKERS["invitation"] = make_invitation
MAKERS["membership"] = make_another_member


def make_task(session, site, memberships):
    person = session.query(Registration).order_by(Registration.id.desc()).first()
    event = session.get_one(Event, person.event_id)
    return start_task(session, event, Act.RESEND, [person.id], by=None, now=site.clock()).public_id


MAKERS["task"] = make_task


def make_link(session, site, memberships):
    person = session.query(Registration).order_by(Registration.id.desc()).first()
    event = session.get_one(Event, person.event_id)
    return ensure_link_of(session, event, person, now=site.clock()).code


MAKERS["link"] = make_link


def make_table(session, site, memberships):
    person = session.query(Registration).order_by(Registration.id.desc()).first()
    event = session.get_one(Event, person.event_id)
    return begin_import(session, event, b"x", file_name="", locale="ja", now=site.clock()).public_id


def make_key(session, site, memberships):
    maker = SimpleNamespace(
        organization_id=memberships[Role.OWNER].organization_id, public_id="m" * 22
    )
    issue_key(session, maker, name="x", scopes=[Scope.EVENTS_READ], days=30, now=site.clock())
    return api_keys.list_keys(session, maker.organization_id)[0][0].public_id


def make_webhook(session, site, memberships):
    wish = Wish("x", "https://hooks.example.com/", Payload.THIN, OFFERED, None)
    organization_id = memberships[Role.OWNER].organization_id
    return add_endpoint(session, organization_id, wish, now=site.clock())[0].public_id


def make_webhook_message(session, site, memberships):
    organization_id = memberships[Role.OWNER].organization_id
    [endpoint] = webhooks.list_endpoints(session, organization_id)
    return webhooks.add_test(session, endpoint.id, "webhook.test", now=site.clock()).happening


MAKERS["api_key"] = make_key
MAKERS["webhook"] = make_webhook
MAKERS["webhook_message"] = make_webhook_message
MAKERS["table"] = make_table
MAKERS["part"] = lambda session, site, memberships: "speakers"
MAKERS["entry"] = lambda session, site, memberships: "new"
MAKERS["question"] = lambda session, site, memberships: "company"


def write_path(rule, ids, role=""):
    """Fill in an address; a part that nobody knows fails, so that no new route is left out."""

    def find(part):
        of_role = f"{part[1]} {role}"
        return ids[of_role] if of_role in ids else ids[part[1]]

    return re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", find, rule.rule)


def ask(browser, method, path):
    if method == "GET":
        return browser.look("GET", path)
    return browser.try_post(path, [("csrf_token", read_token(browser))])


TOKENS = {}


def read_token(browser):
    """Read the token that stands in forms; it is the same as long as the browser's cookies are."""
    cookies = frozenset(browser.cookies.items())
    if cookies not in TOKENS:
        page = browser.open("/organizer")
        TOKENS[cookies] = page.root.find_all("input", name="csrf_token")[0]["value"]
    return TOKENS[cookies]


@pytest.fixture
def own(site):
    return build_world(site, "自分の会")


@pytest.fixture
def foreign(site, own):
    return build_world(site, "よその会")


pytestmark = only_sqlite


def test_every_route_names_its_permission(site):
    without = {
        f"{method} {rule.rule}"
        for method, rule, view in list_rules(site)
        if not isinstance(getattr(view, NEEDED, None), Permission)
    }

    assert without == OPEN


def test_nobody_but_the_permitted_gets_in(site, own, foreign):
    """Role × route × own and foreign: the role decides first, and then whose it is."""
    wrong = []
    for (method, rule, view), role in product(list_rules(site), Role):
        needed = getattr(view, NEEDED, None)
        if needed is None or rule.rule == "/organizer/sign-out":
            continue
        is_permitted = needed in list_permissions(role)
        for ids, is_own in ((own.ids, True), (foreign.ids, False)):
            if not is_own and not rule.arguments:
                continue
            status = ask(own.browsers[role], method, write_path(rule, ids, role)).status_code
            allowed = is_good(status, is_own) if is_permitted else status == 403
            if not allowed:
                wrong.append((role, method, rule.rule, "own" if is_own else "foreign", status))

    assert wrong == []


def test_member_of_some_events_reaches_no_other_of_the_organization(site, own):
    with site.database.write() as session:
        [row] = session.query(Event).filter_by(public_id=own.ids["event"])
        organization = organizations.need_organization(session, row.organization_id)
        mine = factories.make_event(session, organization_id=organization.id, now=site.clock())
        rows = {
            role: make_membership(
                session, role, organization=organization, event_ids=[mine.id], now=site.clock()
            ).organizer_id
            for role in (Role.OWNER, Role.EDITOR)
        }
    browsers = {role: sign_in_again(site, organizer_id) for role, organizer_id in rows.items()}
    wrong = []
    for (method, rule, view), (role, browser) in product(list_rules(site), browsers.items()):
        if "event" in rule.arguments:
            granted = list_permissions(role, has_all_events=False)
            status = ask(browser, method, write_path(rule, own.ids, role)).status_code
            if status != (404 if getattr(view, NEEDED) in granted else 403):
                wrong.append((role, method, rule.rule, status))

    assert wrong == []


def is_good(status, is_own):
    return status in (200, 303, 409, 422) if is_own else status == 404


def test_pages_offer_nothing_that_is_refused(site, own):
    """Each role follows every link from the first page on, and sees where each form goes."""
    wrong = {}
    for role, browser in own.browsers.items():
        granted, found, ahead = list_permissions(role), {"/organizer"}, ["/organizer"]
        while ahead:
            path = ahead.pop()
            answer = browser.look("GET", path)
            if answer.status_code not in (200, 303):
                wrong[role, path] = answer.status_code
            if answer.headers["Content-Type"].startswith("text/html"):
                root = parse(answer.text)
                if refused := list(list_refused_forms(site, root, granted)):
                    wrong[role, path] = refused
                links = {a["href"].partition("#")[0] for a in root.find_all("a")}
                new = {link for link in links if link.startswith("/organizer")} - found
                found |= new
                ahead += new
        assert len(found) > 5

    assert wrong == {}


def list_refused_forms(site, root, granted):
    adapter = site.app.url_map.bind("")
    forms = [(f["method"] or "get", f["action"].partition("?")[0]) for f in root.find_all("form")]
    for method, action in forms:
        if action.startswith("/organizer"):
            endpoint, _ = adapter.match(action, method=method.upper())
            if getattr(site.app.view_functions[endpoint], NEEDED) not in granted:
                yield method, action


def test_strangers_are_led_to_the_sign_in(site):
    stranger = Dashboard(site.url)
    found = {}
    for method, rule, view in list_rules(site):
        if method == "GET" and getattr(view, NEEDED, None):
            path = write_path(rule, dict.fromkeys(rule.arguments, "x" * 22))
            answer = stranger.look("GET", path)
            found[rule.rule] = (answer.status_code, answer.headers["Location"].split("?")[0])
    stranger.close()

    assert set(found.values()) == {(303, "/organizer/sign-in")}


def test_sensitive_pages_ask_again_who_it_is(site, own):
    with site.database.write() as session:
        for person in session.query(Organizer):
            person.password_hash, person.may_add_organizations = "x", True
    owner = own.browsers[Role.OWNER]
    token = owner.open("/organizer").root.find_all("input", name="csrf_token")[0]["value"]
    site.clock.move(minutes=11)
    found = set()
    for method, rule, view in list_rules(site):
        if getattr(view, NEEDED, None) and rule.rule != "/organizer/sign-out":
            path = write_path(rule, own.ids, Role.OWNER)
            fields = [("csrf_token", token)]
            is_get = method == "GET"
            answer = owner.look(method, path) if is_get else owner.try_post(path, fields)
            if answer.headers.get("Location", "").partition("?")[0] == "/organizer/prove":
                found.add(f"{method} {rule.rule}")

    assert found - {"GET /organizer/prove/company", "POST /organizer/prove/passkey"} == ASKED_AGAIN


def test_post_without_the_forms_token_is_refused(site, own):
    owner, other = own.browsers[Role.OWNER], own.browsers[Role.EDITOR]
    token = other.open("/organizer").root.find_all("input", name="csrf_token")[0]["value"]
    wrong = []
    for method, rule, _ in list_rules(site):
        if method != "GET":
            path = write_path(rule, own.ids | {"token": "x"}, Role.OWNER)
            for fields in ([], [("csrf_token", token)], [("csrf_token", "x")]):
                status = owner.try_post(path, fields).status_code
                if status != 400:
                    wrong.append((rule.rule, fields, status))

    assert wrong == []


def test_form_of_one_organization_is_never_taken_for_another(site, own, foreign):
    browser = own.browsers[Role.OWNER]
    with site.database.write() as session:
        first, second = (
            session.query(Organization).filter_by(name=name).one()
            for name in ("自分の会", "よその会")
        )
        [person] = session.query(Membership).filter_by(organization_id=first.id, role=Role.OWNER)
        members.add_membership(
            session, second.id, person.organizer_id, role="owner", event_ids=None, now=site.clock()
        )
        second_id = second.public_id
    token = browser.open("/organizer").root.find_all("input", name="csrf_token")[0]["value"]
    account = "/organizer/account"
    browser.post_form(account, f"{account}/organization", {"organization": second_id})
    taken = set()
    rules = [
        rule
        for method, rule, view in list_rules(site)
        if method == "POST" and hasattr(view, NEEDED)
    ]
    for rule in sorted(rules, key=lambda rule: rule.rule == "/organizer/sign-out"):
        path = write_path(rule, own.ids, Role.OWNER)
        answer = browser.try_post(path, [("csrf_token", token)])
        is_told = "自分の会" in answer.text and "よその会" in answer.text
        if answer.status_code != 409 or not is_told:
            taken.add(rule.rule)

    assert taken == OF_THE_ACCOUNT


def test_post_from_another_site_is_refused(site, own):
    owner = own.browsers[Role.OWNER]
    token = owner.open("/organizer").root.find_all("input", name="csrf_token")[0]["value"]
    origins = ("https://attacker.invalid", "http://[", f"http://x@{urlsplit(site.url).netloc}")
    for name, value in (("Sec-Fetch-Site", "cross-site"), *(("Origin", it) for it in origins)):
        fields = [("csrf_token", token)]
        owner.post("/organizer/sign-out", fields, status=400, headers={name: value})

    assert owner.look("GET", "/organizer").status_code == 200


def test_what_no_page_of_ours_asks_for_is_no_fault_of_ours(site):
    owner = sign_in(site)
    many, notice, log = "9" * 20, "/organizer/settings/notice", "/organizer/settings/audit"
    asked = [
        *(f"{log}?{name}={day}" for name in ("since", "until") for day in EDGES),
        *(f"{log}?before={number}" for number in (many, "٣", "-1", "1_0")),
        *(f"/organizer?after={at}_{number}" for at in ("1", "inf", "9e20") for number in (many, 1)),
        *(f"{notice}/{query}{many}" for query in ("edit?from=", "compare?new=", "compare?old=")),
    ]
    found = {address: owner.look("GET", address).status_code for address in asked}

    assert {address: status for address, status in found.items() if status not in (200, 404)} == {}
    form = owner.open(f"{notice}/edit").form("この版を公開")
    answer = owner.try_post(form.action, [("base", many), *form.fields])
    assert answer.status_code in (409, 422)


def test_name_of_a_file_that_no_browser_sends_is_refused(site):
    event = site.add_event(slug="spring")
    owner = sign_in(site)
    page = f"/organizer/events/{event.public_id}/people/import"
    fields = owner.open(page).form("表を読み込む").fields

    owner.post(page, fields, status=400, files={"file": ("a\0.csv", b"email\na@example.com")})
    owner.post(page, fields, files={"file": ("a.csv", b"email\na@example.com")})


def test_what_was_typed_outlives_the_session(site):
    """Signed out, or in again, in another tab: nothing is done unasked, and nothing is lost."""
    event = site.add_event(slug="spring")
    owner = sign_in(site)
    form = owner.open(f"/organizer/events/{event.public_id}/content").form("保存")
    site.clock.move(hours=13)

    kept = form.fill(title_ja="長い\n題名").submit(status=403)

    way = parse_qs(urlsplit(kept.link("新しいタブでサインイン")).query)
    assert way["next"] == [f"/organizer/events/{event.public_id}/content"]
    with site.database.read() as session:
        [row] = session.query(OrganizerSession).all()
    owner.open(make_entrance(site, row.organizer_id)).form().submit()
    assert not owner.post(kept.form().action, kept.form().fields, status=400).root.find_all("form")
    kept = owner.post(
        kept.form().action, kept.form().fields, status=400, headers={"Origin": site.url}
    )
    with site.database.read() as session:
        assert session.get_one(Event, event.id).title == event.title
    assert "保存しました" in kept.form().submit().text
    with site.database.read() as session:
        assert session.get_one(Event, event.id).title["ja"] == "長い 題名"


def test_what_was_typed_outlives_the_proof_but_no_secret(site):
    owner = sign_in(site, password_hash="x")
    form = owner.open("/organizer/settings/zoom").form("テストして保存")
    form.fill(account_id="another-account", client_id="another-app", client_secret="hush")
    site.clock.move(minutes=11)

    kept = form.submit(status=403)

    assert "hush" not in kept.response.text
    assert kept.form()["client_id"] == "another-app"
    assert kept.link("新しいタブで確認").startswith("/organizer/prove?next=%2Forganizer%2Fsettings")


def test_event_outside_of_a_members_own_is_unknown(site):
    with site.database.write() as session:
        mine, other = (factories.make_event(session, now=site.clock()) for _ in range(2))
        ids = (mine.public_id, other.public_id)
        mine_id = mine.id
    member = sign_in(site, Role.EDITOR, event_ids=[mine_id])

    page = member.open("/organizer")

    assert page.root.find_all("a", href=f"/organizer/events/{ids[0]}")
    assert not page.root.find_all("a", href=f"/organizer/events/{ids[1]}")


def test_cookie_is_for_the_dashboard_and_says_nothing(site):
    owner = sign_in(site)
    value = owner.cookies["uketsuke"]
    with site.database.read() as session:
        [row] = session.query(OrganizerSession).all()

    assert len(value) == 43
    assert value not in (row.token_hash, row.public_id)


def test_session_ends_when_nobody_uses_it(site):
    owner = sign_in(site)
    site.clock.move(hours=11)
    assert owner.look("GET", "/organizer").status_code == 200
    site.clock.move(hours=11)
    assert owner.look("GET", "/organizer").status_code == 200
    site.clock.move(hours=13)

    assert owner.look("GET", "/organizer").status_code == 303


def test_session_ends_after_a_week_however_it_is_used(site):
    owner = sign_in(site)
    for _ in range(16):
        assert owner.look("GET", "/organizer").status_code == 200
        site.clock.move(hours=11)

    assert owner.look("GET", "/organizer").status_code == 303


def test_signing_out_ends_the_session_itself(site):
    owner = sign_in(site)
    stolen = owner.cookies["uketsuke"]
    owner.open("/organizer").form("サインアウト").submit()
    thief = site.app.test_client()
    thief.set_cookie("uketsuke", stolen)

    assert thief.get("/organizer", base_url=site.url).status_code == 303


def test_link_to_enter_works_once(site):
    with site.database.write() as session:
        organizer_id = make_membership(session, now=site.clock()).organizer_id
    link = make_entrance(site, organizer_id)
    first, second = Dashboard(site.url), Dashboard(site.url)
    late = second.open(link)
    first.open(link).form().submit()

    assert first.look("GET", "/organizer").status_code == 200
    assert first.look("GET", link).status_code == 404
    late.form().submit(status=404)
    assert second.look("GET", "/organizer").status_code == 303
