"""Every page in every state, each with a name: what pictures and accessibility tests visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from playwright.sync_api import Page

from tests.live_site import LiveSite
from tests.stage import LONG_TEXT, LONG_WORD, Stage
from views.errors import show_error

Act = Callable[[Page], None]

LONG_NAME = {
    "family_name": "寿限無寿限無五劫の擦り切れ" * 3,
    "given_name": "Wolfeschlegelstein" * 3,
}


@dataclass(frozen=True)
class Scene:
    """A page in one state: where it is, and what a person does there first."""

    name: str
    address: str
    act: Act | None = None

    def open(self, tab: Page, *, locale: str) -> None:
        """Show it in a tab; the state is the same each time."""
        mark = "&" if "?" in self.address else "?"
        tab.goto(f"{self.address}{mark}lang={locale}")
        if self.act:
            with tab.expect_navigation():
                self.act(tab)


def build_gallery(site: LiveSite) -> list[Scene]:
    """Bring a fresh site into every state, and list what there is to see."""
    _add_error_pages(site)
    stage = Stage(site)
    scenes = [
        *_list_event_scenes(stage),
        *_list_approval_scenes(stage),
        *_list_link_scenes(stage),
        *_list_personal_scenes(stage),
        *_list_hostile_scenes(stage),
    ]
    # Last: the worker stands still after it, so that one person waits for Zoom.
    return [*scenes, *_list_join_scenes(stage), *_list_other_scenes(stage)]


def list_mail_scenes(site: LiveSite) -> list[Scene]:
    """List mails of the people whom `build_gallery` has registered."""
    people = {
        "mail-confirmation": "taro@example.com",
        "mail-code": "code@example.com",
        "mail-pending": "pending@example.com",
        "mail-cancelled": "gone@example.com",
    }
    return [
        Scene(name, f"{site.url}/mailbox", partial(show_mail, email=email))
        for name, email in people.items()
    ]


def _list_event_scenes(stage: Stage) -> list[Scene]:
    stage.add_examples()
    demo, workshop = stage.address("demo"), stage.address("demo-en")
    stage.add_event("few", capacity=400, taken=367)
    stage.add_event("queue", capacity=100, taken=100, has_waitlist=True)
    stage.add_event("yellow", brand_color="#FFD43D", kind="meeting")
    stage.add_event("red", brand_color="#E60012")
    stage.add_event("soon", opens_in=timedelta(days=2))
    stage.add_event("full", capacity=100, taken=100)
    stage.add_event("closed", status="closed")
    stage.add_event("ended", starts_in=-timedelta(days=1))
    stage.add_event("cancelled", status="cancelled")
    return [
        Scene("form", demo),
        Scene("form-errors", demo, send_empty),
        Scene("form-typo", demo, send_typo),
        Scene("form-expired", demo, send_too_late),
        Scene("form-prefilled", f"{demo}?email=taro@example.com&question_company=サンプル株式会社"),
        Scene("form-workshop", workshop),
        Scene("form-workshop-errors", workshop, send_empty),
        Scene("form-unbranded", stage.address("few")),
        Scene("form-waiting-list", stage.address("queue")),
        Scene("form-yellow", stage.address("yellow")),
        Scene("form-yellow-errors", stage.address("yellow"), send_empty),
        Scene("form-red", stage.address("red")),
        Scene("state-soon", stage.address("soon")),
        Scene("state-full", stage.address("full")),
        Scene("state-closed", stage.address("closed")),
        Scene("state-ended", stage.address("ended")),
        Scene("state-cancelled", stage.address("cancelled")),
        Scene("notice", f"{demo}/notice"),
    ]


def _list_approval_scenes(stage: Stage) -> list[Scene]:
    """Where a person is let in, or not: by hand, from the queue, after a look."""
    stage.add_event("approval", approval="manual")
    pending = stage.register("approval", email="pending@example.com")
    denied = stage.register("approval", email="denied@example.com")
    held = stage.register("approval", email="held@example.com", subject="https://attacker.invalid/")
    waiting = stage.register("queue", email="waiting@example.com")
    stage.deny("denied@example.com")
    return [
        Scene("form-approval", stage.address("approval")),
        Scene("receipt-pending", pending),
        Scene("receipt-denied", denied),
        Scene("receipt-held", held),
        Scene("receipt-waitlisted", waiting),
        Scene("join-pending", stage.join("pending@example.com")),
        Scene("join-denied", stage.join("denied@example.com")),
        Scene("join-waitlisted", stage.join("waiting@example.com")),
        Scene("personal-pending", stage.personal("pending@example.com")),
        Scene("personal-denied", stage.personal("denied@example.com")),
        Scene("personal-waitlisted", stage.personal("waiting@example.com")),
    ]


def _list_link_scenes(stage: Stage) -> list[Scene]:
    """What a receipt shows of the link, and what leads on from there."""
    stage.add_event("code", link_policy="code")
    stage.add_event("mail", link_policy="mail")
    first = stage.register("demo", email="taro@example.com")
    carrier = stage.register("yellow", email="taro.yamada@docomo.ne.jp")
    return [
        Scene("receipt", first),
        Scene("receipt-resent", first, press_last_button),
        Scene("receipt-known-address", stage.register("yellow", email="taro.yamada@docomo.ne.jp")),
        Scene("receipt-carrier", carrier),
        Scene("receipt-code", stage.register("code", email="code@example.com")),
        Scene("receipt-code-error", stage.register("code", email="wrong@example.com"), send_code),
        Scene("receipt-mail", stage.register("mail", email="mail@example.com")),
        Scene("address", f"{carrier}/address"),
        Scene("address-error", f"{carrier}/address", send_empty),
    ]


def _list_join_scenes(stage: Stage) -> list[Scene]:
    soon = stage.site.clock() + timedelta(minutes=5)
    today = stage.add_event("today", starts_at=soon, brand_color="#E60012")
    stage.add_event("over")
    stage.add_event("called-off")
    stage.site.zoom.add_registrant(today.zoom_id, "known@example.com")
    stage.site.let_pass(seconds=10)  # who was at Zoom before us is told from whom we added
    receipts = {
        name: stage.register(slug, email=f"{name}@example.com")
        for slug, name in [
            ("demo", "early"),
            ("today", "ready"),
            ("today", "host"),  # Zoom lets the host in from the host's own account
            ("today", "known"),
            ("over", "ended"),
            ("called-off", "off"),
        ]
    }
    by_screen = stage.join_from(receipts["known"])
    stage.site.drain()
    stage.end_event("over")
    stage.change_event("called-off", status="cancelled")
    stage.register("today", email="late@example.com")
    return [
        Scene("join-early", stage.join("early@example.com")),
        Scene("join-ready", stage.join("ready@example.com")),
        Scene("join-refused", stage.join("host@example.com")),
        Scene("join-by-mail", by_screen),
        Scene("join-waiting", stage.join("late@example.com")),
        Scene("join-ended", stage.join("ended@example.com")),
        Scene("join-event-cancelled", stage.join("off@example.com")),
        Scene("receipt-today", receipts["ready"]),
        Scene("receipt-ended", receipts["ended"]),
        Scene("receipt-event-cancelled", receipts["off"]),
        Scene("personal-refused", stage.personal("host@example.com")),
        Scene("personal-waiting", stage.personal("late@example.com")),
        Scene("personal-ended", stage.personal("ended@example.com")),
        Scene("personal-event-cancelled", stage.personal("off@example.com")),
    ]


def _list_personal_scenes(stage: Stage) -> list[Scene]:
    gone = stage.register("demo", email="gone@example.com")
    stage.cancel("gone@example.com")
    person = stage.personal("taro@example.com")
    stage.register("demo", email="again@example.com")
    stage.register("demo", email="again@example.com", question_company="例示システムズ株式会社")
    again = stage.personal("again@example.com")
    proposal = stage.proposal("again@example.com")
    return [
        Scene("personal", person),
        Scene("personal-proposal", again),
        Scene("personal-answers", proposal),
        Scene("personal-edit", f"{person}/edit"),
        Scene("personal-edit-error", f"{person}/edit", empty_name),
        Scene("personal-cancel", f"{person}/cancel"),
        Scene("personal-cancelled", stage.personal("gone@example.com")),
        Scene("personal-again", f"{stage.personal('gone@example.com')}/again"),
        Scene("receipt-cancelled", gone),
        Scene("join-cancelled", stage.join("gone@example.com")),
    ]


def _list_hostile_scenes(stage: Stage) -> list[Scene]:
    """Texts of a length and kind that nobody planned for."""
    email = f"{'very.' * 8}long@{'sub.' * 16}example.com"
    title = {"ja": f"{LONG_WORD}株式会社{'年次総会のご案内' * 8}", "en": LONG_WORD * 2}
    stage.add_event("long", title=title, lead=title, description={"ja": LONG_TEXT, "en": LONG_TEXT})
    receipt = stage.register("long", email, **LONG_NAME)
    return [
        Scene("long-form", stage.address("long")),
        Scene("long-form-errors", stage.address("long"), send_empty),
        Scene("long-receipt", receipt),
        Scene("long-personal", stage.personal(email)),
    ]


def _list_other_scenes(stage: Stage) -> list[Scene]:
    url = stage.site.url
    return [
        Scene("home", f"{url}/"),
        Scene("mailbox", f"{url}/mailbox"),
        Scene("mailbox-mail", f"{url}/mailbox", open_mail),
        Scene("error-404", stage.address("unknown")),
        *(
            Scene(f"error-{status}", f"{url}/errors/{status}")
            for status in (400, 413, 429, 500, 503)
        ),
    ]


def _add_error_pages(site: LiveSite) -> None:
    """Give the pages of errors addresses: most cannot be brought about from a browser."""
    site.app.add_url_rule("/errors/<int:status>", view_func=show_error)


def send_empty(tab: Page) -> None:
    tab.locator(".form-end button").click()


def send_typo(tab: Page) -> None:
    fill_in(tab, email="taro@gmial.com")
    send_empty(tab)


def send_too_late(tab: Page) -> None:
    fill_in(tab, email="taro@example.com")
    tab.locator("[name=form_token]").evaluate("(input) => { input.value = 'expired' }")
    send_empty(tab)


def send_code(tab: Page) -> None:
    tab.fill("#code", "000000")
    tab.keyboard.press("Enter")


def press_last_button(tab: Page) -> None:
    tab.locator("main form button").last.click()


def empty_name(tab: Page) -> None:
    tab.fill("#family_name", "")
    send_empty(tab)


def fill_in(tab: Page, *, email: str) -> None:
    """Answer what the example event must know."""
    tab.fill("#family_name", "山田")
    tab.fill("#given_name", "太郎")
    tab.fill("#email", email)
    tab.fill("#question_company", "サンプル株式会社")
    tab.check("#question_privacy")


def open_mail(tab: Page, email: str = "taro@example.com") -> None:
    """Open the mail to somebody that came first, which is the last of the list."""
    tab.locator("li", has_text=email).last.get_by_role("link").click()
    tab.locator("iframe").scroll_into_view_if_needed()  # what was never in view is not drawn


def show_mail(tab: Page, email: str) -> None:
    """Show a mail as a mail program does, without the mailbox around it."""
    open_mail(tab, email)
    tab.goto(tab.locator("iframe").evaluate("(frame) => frame.src"))
