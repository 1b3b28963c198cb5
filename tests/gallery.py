"""Every page in every state, each with a name: what pictures and accessibility tests visit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Response
from playwright.sync_api import Page
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cli.web_server import WAITED_SECONDS, WAITING
from storage import events
from tests.live_site import LiveSite
from tests.stage import LONG_PARTS, LONG_TEXT, LONG_WORD, Stage
from views.errors import show_error
from views.overload import StartResponse

Act = Callable[[Page], None]

CROWDED = "crowded=1"
"""Who has this in an address comes while many others do."""

NOT_STORED = "unlucky@example.com"
NO_DATABASE = "/errors/database"
THREE_A_DAY = (
    "You have exceeded the daily rate limit of (3) for Add meeting registrant API requests."
)

LONG_WAITING = f"{'very.' * 8}patient@{'sub.' * 16}example.com"
LONG_NAME = {
    "family_name": "寿限無寿限無五劫の擦り切れ" * 3,
    "given_name": "Wolfeschlegelstein" * 3,
}


@dataclass(frozen=True)
class Scene:
    """A page in one state: where it is, what a person does there first, and what is held still."""

    name: str
    address: str
    act: Act | None = None
    hold: Act | None = None
    cookies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For pages of the dashboard: what the browser holds of somebody with each language."""

    def open(self, tab: Page, *, locale: str) -> None:
        """Show it in a tab; the state is the same each time."""
        tab.context.clear_cookies()
        if held := self.cookies.get(locale):
            root = "{0.scheme}://{0.netloc}".format(urlsplit(self.address))
            tab.context.add_cookies(
                [{"name": name, "value": value, "url": root} for name, value in held.items()]
            )
        mark = "&" if "?" in self.address else "?"
        tab.goto(f"{self.address}{mark}lang={locale}")
        if self.act:
            with tab.expect_navigation():
                self.act(tab)
        if self.hold:
            self.hold(tab)


def build_gallery(site: LiveSite) -> list[Scene]:
    """Bring a fresh site into every state, and list what there is to see."""
    _add_error_pages(site)
    _let_crowds_come(site)
    stage = Stage(site)
    stage.go_to_noon()
    scenes = [
        *_list_event_scenes(stage),
        *_list_approval_scenes(stage),
        *_list_link_scenes(stage),
        *_list_proof_scenes(stage),
        *_list_personal_scenes(stage),
        *_list_hostile_scenes(stage),
        *_list_crowd_scenes(stage),
        *_list_wait_scenes(stage),
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
    delayed = {
        "mail-delayed": "delayed@example.com",
        "mail-delayed-hour": "hour@example.com",
        "mail-delayed-too-late": "toolate@example.com",
        "mail-delayed-long": LONG_WAITING,
    }
    return [
        Scene(name, f"{site.url}/mailbox", partial(show_mail, email=email, subject=subject))
        for subject, mails in (("", people), ("参加用URL準備中", delayed))
        for name, email in mails.items()
    ]


def _list_event_scenes(stage: Stage) -> list[Scene]:
    stage.add_examples()
    demo, workshop = stage.address("demo"), stage.address("demo-en")
    stage.add_event("few", capacity=400, taken=367, former_starts_at=stage.site.clock())
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
        Scene("framed", f"{stage.address('yellow')}/embed?theme=light"),
        Scene("framed-errors", f"{stage.address('yellow')}/embed?theme=light", send_empty),
        Scene("framed-state", f"{stage.address('full')}/embed?theme=light"),
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
    token = first.rpartition("/")[2]
    return [
        Scene("receipt", first),
        Scene("receipt-resent", first, press_last_button),
        Scene("receipt-known-address", stage.register("yellow", email="taro.yamada@docomo.ne.jp")),
        Scene("receipt-carrier", carrier),
        Scene("receipt-code", stage.register("code", email="code@example.com")),
        Scene("receipt-code-error", stage.register("code", email="wrong@example.com"), send_code),
        Scene("receipt-mail", stage.register("mail", email="mail@example.com")),
        Scene("framed-receipt", f"{stage.address('demo')}/embed/done/{token}?theme=light"),
        Scene("address", f"{carrier}/address"),
        Scene("address-error", f"{carrier}/address", send_empty),
        Scene("address-typo", f"{carrier}/address", send_slip),
    ]


def _list_proof_scenes(stage: Stage) -> list[Scene]:
    """A form whose sender is asked for a proof, and the page that the mail leads to."""
    event = stage.add_event("checked", bot_check="always", brand_color="#E60012")
    rows = [stage.hold(event, email=f"{name}@example.com") for name in ("asked", "late")]
    links = stage.site.parts.links
    with stage.site.database.write() as session:
        session.merge(rows[1]).created_at -= timedelta(hours=25)
    return [
        Scene("proof", stage.address("checked"), send_with_old_proof, hold=await_work),
        Scene("receipt-proof", links.receipt(rows[0])),
        Scene("receipt-proof-over", links.receipt(rows[1])),
        Scene("mail-proof", links.mail_proof(rows[0])),
        Scene("mail-proof-over", links.mail_proof(rows[1])),
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
    given_up = stage.register("later", email="parked@example.com")
    stage.give_up("parked@example.com")
    stage.site.let_pass(seconds=70)
    return [
        Scene("join-early", stage.join("early@example.com")),
        Scene("join-ready", stage.join("ready@example.com")),
        Scene("join-refused", stage.join("host@example.com")),
        Scene("join-by-mail", by_screen),
        Scene("join-waiting", stage.join("late@example.com")),
        Scene("join-given-up", stage.join("parked@example.com")),
        Scene("join-ended", stage.join("ended@example.com")),
        Scene("join-event-cancelled", stage.join("off@example.com")),
        Scene("receipt-given-up", given_up),
        Scene("receipt-today", receipts["ready"]),
        Scene("receipt-ended", receipts["ended"]),
        Scene("receipt-event-cancelled", receipts["off"]),
        Scene("personal-refused", stage.personal("host@example.com")),
        Scene("personal-given-up", stage.personal("parked@example.com")),
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
    text = {"ja": LONG_TEXT, "en": LONG_TEXT}
    stage.add_event("long", title=title, lead=title, description=text, **LONG_PARTS)
    receipt = stage.register("long", email, **LONG_NAME)
    return [
        Scene("long-form", stage.address("long")),
        Scene("long-form-errors", stage.address("long"), send_empty),
        Scene("long-receipt", receipt),
        Scene("long-personal", stage.personal(email)),
    ]


def _list_crowd_scenes(stage: Stage) -> list[Scene]:
    """More come than can be answered, and the database takes nothing or is away."""
    form = stage.address("demo")
    _refuse_to_store(stage.site)
    return [
        Scene("busy", f"{form}?{CROWDED}", hold=stop_counting),
        Scene("busy-receipt", f"{stage.site.url}/s/unread?{CROWDED}", hold=stop_counting),
        Scene("busy-answers", form, partial(send_to, query=CROWDED), hold=stop_counting),
        Scene("busy-join", stage.join("taro@example.com"), join_crowd, hold=stop_counting),
        Scene("form-not-stored", form, partial(send_filled, email=NOT_STORED)),
        Scene("unsaved", form, partial(send_to, path=NO_DATABASE), hold=stop_counting),
        Scene("unread", f"{stage.site.url}{NO_DATABASE}"),
    ]


def _list_wait_scenes(stage: Stage) -> list[Scene]:
    """Zoom has not taken somebody, and it is known until when, or that it never will."""
    site = stage.site
    in_eight_hours = site.clock() + timedelta(hours=8)
    title = {"ja": f"{LONG_WORD}株式会社{'年次総会のご案内' * 8}", "en": LONG_WORD * 2}
    stage.add_event("later")
    stage.add_event("long-wait", title=title)
    stage.add_event("too-soon", starts_at=in_eight_hours)
    site.drain()  # who came before is at Zoom, and waits for nothing
    site.zoom.fault("add_registrant", count=None, status=429, message=THREE_A_DAY)
    hour = stage.register("later", email="hour@example.com")
    long = stage.register("long-wait", email=LONG_WAITING, **LONG_NAME)
    too_late = stage.register("too-soon", email="toolate@example.com")
    _wait_a_minute(site)
    site.zoom.clear_faults()
    site.zoom.fault("add_registrant", count=None, status=503)
    stage.register("later", email="delayed@example.com")
    _wait_a_minute(site)
    site.zoom.clear_faults()
    site.let_pass(minutes=15)
    stage.register("later", email="unusable@example.com")
    site.drain()
    stage.spoil_link("unusable@example.com")
    return [
        Scene("join-hour", stage.join("hour@example.com")),
        Scene("join-too-late", stage.join("toolate@example.com")),
        Scene("join-long", stage.join(LONG_WAITING)),
        Scene("join-unusable", stage.join("unusable@example.com")),
        Scene("receipt-hour", hour),
        Scene("receipt-too-late", too_late),
        Scene("receipt-long-wait", long),
        Scene("personal-hour", stage.personal("hour@example.com")),
        Scene("personal-too-late", stage.personal("toolate@example.com")),
    ]


def _wait_a_minute(site: LiveSite) -> None:
    """Let Zoom's refusals last until people are told by mail."""
    for seconds in (0, 70, 120):
        site.let_pass(seconds=seconds)
        site.drain()


def _find_last(stage: Stage) -> str:
    with stage.site.database.read() as session:
        return events.list_events(session)[-1].public_id


def _list_other_scenes(stage: Stage) -> list[Scene]:
    url = stage.site.url
    return [
        Scene("home", f"{url}/"),
        Scene("list", f"{url}/o/sample"),
        Scene("list-end", f"{url}/o/sample?after={_find_last(stage)}"),
        Scene("framed-list", f"{url}/o/sample/embed?theme=light"),
        Scene("api-reference", f"{url}/api/v1/docs"),
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
    site.app.add_url_rule(NO_DATABASE, view_func=_ask_lost_database, methods=["GET", "POST"])


def _ask_lost_database() -> Response:
    raise OperationalError("SELECT 1", {}, Exception("the database is away"))


def _refuse_to_store(site: LiveSite) -> None:
    """Have the database refuse what one person sends, as a full disk does to all."""
    with site.database.write() as session:
        session.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON submission WHEN NEW.email ="
                f" '{NOT_STORED}' BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        )


def _let_crowds_come(site: LiveSite) -> None:
    answer = site.app.wsgi_app

    def answer_in_crowd(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if CROWDED in environ["QUERY_STRING"]:
            environ |= {WAITED_SECONDS: 2.0, WAITING: 900}
        return answer(environ, start_response)

    site.app.wsgi_app = answer_in_crowd  # type: ignore[method-assign]


def send_empty(tab: Page) -> None:
    tab.locator(".form-end button").first.click()


def send_filled(tab: Page, email: str) -> None:
    fill_in(tab, email=email)
    send_empty(tab)


def send_with_old_proof(tab: Page) -> None:
    """Send a form whose proof is not taken: its page goes on only when a button is pressed."""
    tab.locator("form[data-form]").evaluate(
        """(form) => {
          const field = document.createElement("input");
          form.append(Object.assign(field, { type: "hidden", name: "proof", value: "x" }));
        }"""
    )
    send_filled(tab, email="taro@example.com")


def await_work(tab: Page) -> None:
    tab.locator("[data-work-go]:not([hidden])").wait_for()


def send_typo(tab: Page) -> None:
    send_filled(tab, email="taro@gmial.com")


def send_slip(tab: Page) -> None:
    tab.fill("#email", "taro@gmial.com")
    send_empty(tab)


def send_too_late(tab: Page) -> None:
    fill_in(tab, email="taro@example.com")
    tab.locator("[name=form_token]").evaluate("(input) => { input.value = 'expired' }")
    send_empty(tab)


def send_to(tab: Page, path: str = "", query: str = "") -> None:
    """Send a form that is filled in to where it is not answered as usual."""
    fill_in(tab, email="taro@example.com")
    _lead_to(tab, f"{path or urlsplit(tab.url).path}?{query}")
    send_empty(tab)


def join_crowd(tab: Page) -> None:
    _lead_to(tab, f"{urlsplit(tab.url).path}?{CROWDED}")
    press_last_button(tab)


def _lead_to(tab: Page, address: str) -> None:
    """Let the form of a page lead elsewhere, in the language of the page."""
    whole = f"{address}&{urlsplit(tab.url).query}"
    tab.locator("form[data-form]").evaluate("(form, to) => { form.action = to }", whole)


def stop_counting(tab: Page) -> None:
    """Let the page count no further, so that it stays as it is."""
    tab.locator("[data-again-words]").wait_for()
    tab.evaluate("() => { for (let timer = 0; timer < 1000; timer++) clearInterval(timer) }")


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


def open_mail(tab: Page, email: str = "taro@example.com", subject: str = "") -> None:
    """Open the mail to somebody that came first, which is the last of the list."""
    mails = tab.locator("li", has_text=email).filter(has_text=subject)
    mails.last.get_by_role("link").click()
    tab.locator("iframe").scroll_into_view_if_needed()  # what was never in view is not drawn


def show_mail(tab: Page, email: str, subject: str) -> None:
    """Show a mail as a mail program does, without the mailbox around it."""
    open_mail(tab, email, subject)
    tab.goto(tab.locator("iframe").evaluate("(frame) => frame.src"))
