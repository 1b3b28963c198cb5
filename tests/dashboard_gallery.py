"""Every page of the dashboard, each with a name: what pictures and tests in a browser visit.

A page that is new gets a line in `PLACES`; tests/views/test_routes.py names those without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyotp
from playwright.sync_api import Page

from tests.dashboard_world import World, build_world
from tests.gallery import Act, Scene, send_empty
from tests.live_site import LiveSite

OWNER, BEGINNER, STRANGER, HALF_IN = "owner", "beginner", "stranger", "half in"


@dataclass(frozen=True)
class Place:
    """A page in one state: `{event}` and the like in its address stand for what the world has.

    `who` looks at it: the owner of a busy organization, one whose organization is new, nobody.
    """

    name: str
    address: str
    act: Act | None = None
    who: str = OWNER


def list_dashboard_scenes(site: LiveSite) -> list[Scene]:
    """Fill a fresh site with events and people, and list what there is to see."""
    world = build_world(site)
    return [_make_scene(site, world, place) for place in PLACES]


def _make_scene(site: LiveSite, world: World, place: Place) -> Scene:
    return Scene(
        f"dashboard-{place.name}",
        f"{site.url}/organizer{place.address.format(**world.ids)}",
        place.act,
        cookies=world.browsers.get(place.who, {}),
    )


def press(selector: str) -> Act:
    """Press a button that leads to another page."""

    def act(tab: Page) -> None:
        tab.locator(selector).first.click()

    return act


def type_and_send(values: Mapping[str, str], button: str = ".form-end button") -> Act:
    """Type into fields by id, then press the button of their form."""

    def act(tab: Page) -> None:
        for name, text in values.items():
            tab.fill(f"#{name}", text)
        tab.locator(f"form:has(#{next(iter(values))}) {button}").first.click()

    return act


def _choose_and_press(tab: Page) -> None:
    tab.locator("[name=person]").first.check()
    tab.locator(".bulk button").first.click()


def _set_up_app(tab: Page) -> None:
    secret = tab.locator(".key").inner_text().replace(" ", "")
    tab.fill("#code", pyotp.TOTP(secret).now())
    send_empty(tab)


def _make_key(tab: Page) -> None:
    tab.fill("#name", "CRM")
    tab.locator("[name=scopes]").first.check()
    send_empty(tab)


def _change_beside(tab: Page) -> None:
    """Save as if somebody else had meanwhile: the form holds an older version."""
    carried = tab.locator("main form [name=version], main form [name=seen]").first
    carried.evaluate("(input) => { input.value = '0' }")
    send_empty(tab)


def _rename_beside(tab: Page) -> None:
    tab.fill("#name_ja", "別の名前")
    _change_beside(tab)


def _close_beside(tab: Page) -> None:
    tab.fill("#slug", "")
    _change_beside(tab)


def _act_beside(tab: Page) -> None:
    """Remove a question as if somebody else had meanwhile changed the form; without its script."""
    tab.evaluate(
        """() => {
          const form = document.querySelector("[data-editor-act=remove]");
          form.elements.version.value = "0";
          form.append(Object.assign(document.createElement("input"),
            {type: "hidden", name: "act", value: "remove"}));
          form.submit();
        }"""
    )


NO_PAGES = {
    "/organizer/events/<event>/imports/<table>/progress",
    "/organizer/events/<event>/imports/<table>/report",
    "/organizer/events/<event>/mails/body",
    "/organizer/events/<event>/numbers",
    "/organizer/events/<event>/people/export",
    "/organizer/events/<event>/qr.png",
    "/organizer/events/<event>/qr.svg",
    "/organizer/events/<event>/sources.csv",
    "/organizer/events/<event>/tasks/<task>/progress",
    "/organizer/prove/company",
    "/organizer/settings/audit.csv",
    "/organizer/sign-in/<organization>/go",
}
"""What a GET answers with a file, with a part of a page, or by leading away."""

EMPTY_NAME = type_and_send({"name": ""}, "button")

NO_TITLE = type_and_send({"title_ja": "", "title_en": ""})

PLACES = (
    Place("sign-in", "/sign-in", who=STRANGER),
    Place("sign-in-errors", "/sign-in", send_empty, STRANGER),
    Place("company", "/sign-in/company", who=STRANGER),
    Place("company-errors", "/sign-in/company", type_and_send({"email": "a@b.example"}), STRANGER),
    Place("company-known", "/sign-in/{company}", who=STRANGER),
    Place("company-refused", "/sign-in/company/back", who=STRANGER),
    Place("code", "/sign-in/code", who=HALF_IN),
    Place("code-errors", "/sign-in/code", type_and_send({"code": "000000"}), HALF_IN),
    Place("lost-password", "/password", who=STRANGER),
    Place("lost-password-errors", "/password", send_empty, STRANGER),
    Place("asked", "/password/asked", who=STRANGER),
    Place("first-owner", "/enter/{owner_link}", who=STRANGER),
    Place("first-owner-errors", "/enter/{owner_link}", send_empty, STRANGER),
    Place("joining", "/enter/{invited}", who=STRANGER),
    Place("begin", "", who=BEGINNER),
    Place("begin-drafts", "?tab=draft", who=BEGINNER),
    Place("begin-new-event", "/events/new", who=BEGINNER),
    Place("begin-notice", "/settings/notice", who=BEGINNER),
    Place("begin-organization", "/settings/organization", who=BEGINNER),
    Place("begin-organization-errors", "/settings/organization", send_empty, BEGINNER),
    Place("begin-zoom", "/settings/zoom", who=BEGINNER),
    Place("begin-provider", "/settings/sign-in", who=BEGINNER),
    Place("begin-audit", "/settings/audit", who=BEGINNER),
    Place("begin-account", "/account", who=BEGINNER),
    Place("events", ""),
    Place("events-draft", "?tab=draft"),
    Place("events-past", "?tab=ended"),
    Place("new-event", "/events/new"),
    Place("new-event-errors", "/events/new", type_and_send({"title": "", "starts_at": ""})),
    Place("new-event-unknown", "/events/new", type_and_send({"reference": "81234567890"})),
    Place("event", "/events/{event}"),
    Place("event-empty", "/events/{draft}"),
    Place("event-hostile", "/events/{hostile}"),
    Place("people", "/events/{event}/people"),
    Place("people-filtered", "/events/{event}/people?q=example.com&status=approved"),
    Place("people-nobody", "/events/{event}/people?q=nobody"),
    Place("people-empty", "/events/{draft}/people"),
    Place("people-hostile", "/events/{hostile}/people"),
    Place("people-act-chosen", "/events/{event}/people", _choose_and_press),
    Place("people-act", "/events/{event}/people", press(".bulk button")),
    Place("people-columns", "/events/{event}/people/columns"),
    Place("people-import", "/events/{event}/people/import"),
    Place("people-import-errors", "/events/{event}/people/import", send_empty),
    Place("table", "/events/{event}/imports/{table}"),
    Place("table-errors", "/events/{event}/imports/{table}", send_empty),
    Place("table-added", "/events/{event}/imports/{added}"),
    Place("person", "/events/{event}/people/{person}"),
    Place("person-erase", "/events/{event}/people/{person}/erase"),
    Place("person-edit", "/events/{event}/people/{person}/edit"),
    Place(
        "person-edit-errors",
        "/events/{event}/people/{person}/edit",
        type_and_send({"family_name": ""}),
    ),
    Place("person-new", "/events/{event}/people/new"),
    Place("person-new-errors", "/events/{event}/people/new", send_empty),
    Place("task", "/events/{event}/tasks/{task}"),
    Place("provisions", "/events/{event}/provisions"),
    Place("held", "/events/{event}/held"),
    Place("content", "/events/{event}/content"),
    Place("content-hostile", "/events/{hostile}/content"),
    Place(
        "content-errors", "/events/{event}/content", type_and_send({"title_ja": "", "title_en": ""})
    ),
    Place("content-conflict", "/events/{draft}/content", _change_beside),
    Place("content-preview", "/events/{draft}/content", press("[name=act]")),
    Place("parts", "/events/{draft}/content/lists"),
    Place("parts-hostile", "/events/{hostile}/content/lists"),
    Place("speaker-new", "/events/{draft}/content/speakers/new"),
    Place("speaker-hostile", "/events/{hostile}/content/speakers/long"),
    Place("speaker-conflict", "/events/{hostile}/content/speakers/short", _rename_beside),
    Place("programme-item", "/events/{hostile}/content/programme/long"),
    Place("material-errors", "/events/{draft}/content/materials/new", send_empty),
    Place("form", "/events/{draft}/form"),
    Place("form-refused", "/events/{draft}/form", _act_beside),
    Place("form-hostile", "/events/{hostile}/form?preview=desktop"),
    Place("form-published", "/events/{event}/form"),
    Place("form-versions", "/events/{event}/form/versions"),
    Place("question-new", "/events/{draft}/form/new"),
    Place("question", "/events/{draft}/form/questions/reason"),
    Place("question-answered", "/events/{event}/form/questions/age_band"),
    Place(
        "question-errors", "/events/{draft}/form/questions/reason", type_and_send({"label_ja": ""})
    ),
    Place("mails", "/events/{draft}/mails"),
    Place("mails-hostile", "/events/{hostile}/mails?mail=event_cancelled&language=en"),
    Place("publishing-draft", "/events/{draft}/publishing"),
    Place("publishing", "/events/{event}/publishing"),
    Place("cancel-event", "/events/{event}/cancel"),
    Place("cancel-event-errors", "/events/{event}/cancel", send_empty),
    Place("inviting", "/events/{event}/inviting"),
    Place("new-link-errors", "/events/{event}/inviting/new", type_and_send({"name": ""})),
    Place("link-conflict", "/events/{event}/inviting/{channel}", _change_beside),
    Place("link-hostile", "/events/{hostile}/inviting/{hostile_channel}"),
    Place("embed", "/events/{event}/embed"),
    Place("embed-dark", "/events/{event}/embed?theme=dark"),
    Place("embed-errors", "/events/{event}/embed", type_and_send({"origin": "*.example.com"})),
    Place("embed-draft", "/events/{draft}/embed"),
    Place("sources", "/events/{event}/sources"),
    Place("sources-empty", "/events/{draft}/sources?days=7"),
    Place("sources-hostile", "/events/{hostile}/sources"),
    Place("trial", "/events/{draft}/trial"),
    Place("settings", "/settings"),
    Place("mail", "/settings/mail?dns=1"),
    Place("notice", "/settings/notice"),
    Place("notice-compare", "/settings/notice/compare?new=0"),
    Place("notice-edit", "/settings/notice/edit"),
    Place("notice-edit-errors", "/settings/notice/edit", type_and_send({"purposes_ja": ""})),
    Place("list-page", "/settings/list"),
    Place("list-page-conflict", "/settings/list", _close_beside),
    Place("list-page-errors", "/settings/list", type_and_send({"slug": "No such address"})),
    Place("organization", "/settings/organization"),
    Place("organization-conflict", "/settings/organization", _change_beside),
    Place("provider", "/settings/sign-in"),
    Place("provider-errors", "/settings/sign-in", send_empty),
    Place("zoom", "/settings/zoom"),
    Place("zoom-errors", "/settings/zoom", type_and_send({"client_id": "", "account_id": "?"})),
    Place("zoom-test", "/settings/zoom/test"),
    Place("members", "/settings/members"),
    Place("member", "/settings/members/{membership}"),
    Place("member-conflict", "/settings/members/{membership}", _change_beside),
    Place("invite", "/settings/members/invite"),
    Place("invite-errors", "/settings/members/invite", send_empty),
    Place("begin-api-keys", "/settings/api-keys", who=BEGINNER),
    Place("new-api-key", "/settings/api-keys/new"),
    Place("new-api-key-errors", "/settings/api-keys/new", send_empty),
    Place("api-key-made", "/settings/api-keys/new", _make_key),
    Place("api-keys", "/settings/api-keys"),
    Place("begin-webhooks", "/settings/webhooks", who=BEGINNER),
    Place("new-webhook", "/settings/webhooks/new"),
    Place("new-webhook-errors", "/settings/webhooks/new", send_empty),
    Place("webhook-edit", "/settings/webhooks/{webhook}/edit"),
    Place("webhook-conflict", "/settings/webhooks/{webhook}/edit", _change_beside),
    Place(
        "webhook-secret", "/settings/webhooks/{webhook}", press("form[action$='/secret'] button")
    ),
    Place("webhook", "/settings/webhooks/{webhook}"),
    Place("webhook-failed", "/settings/webhooks/{webhook}?state=failed"),
    Place("webhooks", "/settings/webhooks"),
    Place("audit", "/settings/audit"),
    Place("new-organization", "/organizations/new"),
    Place("new-organization-errors", "/organizations/new", send_empty),
    Place("account", "/account"),
    Place("account-errors", "/account", EMPTY_NAME),
    Place("authenticator", "/account/authenticator"),
    Place("authenticator-errors", "/account/authenticator", type_and_send({"code": "0"})),
    Place("change-password", "/account/password"),
    Place("change-password-errors", "/account/password", send_empty),
    Place("new-passkey", "/account/passkeys/new"),
    Place("prove", "/prove"),
    Place("prove-errors", "/prove", send_empty),
    Place("recovery-codes", "/account/authenticator", _set_up_app),
    Place("account-secured", "/account"),
    Place("gone", "/events/unknown"),
)
