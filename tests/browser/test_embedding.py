"""The form within a page of somebody else's, on another origin; cookies of others are blocked."""

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from services import submission_limits
from services.sources import name_origin
from storage.models import Event, Organization, SubmissionRow
from storage.visits import sum_by_origin
from tests.browser.steps import expect_room_of, fill_in, heading, send
from tests.browser.test_overload import BUSY, Crowd
from tests.fixtures.browsers import PHONE, find_browser
from tests.host_site import HostSite
from tests.live_site import LiveSite
from tests.mailbox import find_code
from tests.stage import Stage
from views.embed_script import read_integrity, read_version
from views.static_files import STATIC

pytestmark = pytest.mark.browser

ANOTHER = "https://listed.example"
BLOCK_COOKIES_OF_OTHERS = "--test-third-party-cookie-phaseout"
PERSONAL = ("山田", "太郎", "taro", "example.com", "サンプル", "/j/", "/r/", "done/", "token")

WATCH = """
window.told = [];
window.heard = [];
for (const what of ["ready", "view", "registered"]) {
  addEventListener(`uketsuke:${what}`, ({ detail, target }) =>
    told.push([what, detail.event, detail.view, target.localName]));
}
addEventListener("message", ({ data, origin }) => heard.push([origin, data]));
"""
# Says to everybody that it reaches what only the form and the page around it may say.
LIE = """
window.heard = [];
addEventListener("message", ({ data, source }) => source !== window && heard.push(data));
setInterval(() => {
  for (const [type, value] of [["height", 7], ["view", "done"], ["scroll", 99999]]) {
    parent.postMessage({ type, value }, "*");
  }
  const fields = { email: "liar@example.com", company: "Liar" };
  for (let i = 0; i < parent.length; i++) parent[i].postMessage({ type: "prefill", fields }, "*");
}, 20);
"""


def write_page(body, *, head="", lang="ja", attributes=""):
    return f"""<!doctype html>
<html lang="{lang}" {attributes}><head><meta charset="utf-8">{head}
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>よそのページ</title></head><body>{body}</body></html>"""


class World:
    """Our site, one that may show its forms, one that may not, and a browser."""

    def __init__(self, site, listed, other, browser):
        self.site, self.listed, self.other, self.browser = site, listed, other, browser
        self.stage = Stage(site)
        self.contexts = []
        for host in (listed, other):
            host.show("/watch.js", WATCH)
            host.show("/lie.js", LIE)
            host.show("/liar", write_page("", head='<script src="/lie.js"></script>'))
        with site.database.write() as session:
            session.query(Organization).one().embed_origins = [listed.origin, ANOTHER]

    def open(self, address, *, holds_time=False, **options):
        context = self.browser.new_context(locale="ja-JP", viewport=PHONE, **options)
        self.contexts.append(context)
        tab = context.new_page()
        if holds_time:
            tab.clock.install()
        tab.goto(address)
        return tab

    def count_visits(self, source):
        """Return what was counted of those who came with the same tags."""
        self.site.parts.visits.store()
        with self.site.database.read() as session:
            sums = sum_by_origin(session, 1).items()
        return {what: count for (origin, what), count in sums if origin == name_origin(source)}

    def count(self, email):
        """Count a form that was sent with an address, as if it had been."""
        with self.site.database.write() as session:
            parts, now = self.site.parts, self.site.clock()
            [event_id] = session.scalars(select(Event.id).where(Event.slug == "spring"))
            buckets = submission_limits.name_buckets(
                parts.keys, "127.0.0.1", event_id=event_id, email_key=email, has_worked=False
            )
            load = submission_limits.Load()
            due = submission_limits.count(parts.tallies, buckets, load)
            submission_limits.write(session, due, now=now)

    def find_sent(self, email):
        with self.site.database.read() as session:
            [row] = session.query(SubmissionRow).filter_by(email=email)
            session.expunge(row)
        return row


@pytest.fixture(scope="module")
def shared_world(sqlite_databases, tmp_path_factory, browser):
    program, options = find_browser()
    with ExitStack() as stack:
        strict = browser.browser_type.launch(
            executable_path=program, args=[*options, BLOCK_COOKIES_OF_OTHERS]
        )
        stack.callback(strict.close)
        site = LiveSite(sqlite_databases.make_migrated(), tmp_path_factory.mktemp("embedding"))
        stack.callback(site.close)
        Stage(site).add_event("spring")
        Stage(site).add_event("code", link_policy="code")
        site.start_worker()
        listed, other = stack.enter_context(HostSite()), stack.enter_context(HostSite())
        yield World(site, listed, other, strict)


@pytest.fixture
def world(shared_world):
    yield shared_world
    while shared_world.contexts:
        shared_world.contexts.pop().close()


def wait_until(tab, check):
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline, "it did not come to that"
        tab.wait_for_timeout(20)


def frame_of(tab):
    return tab.frame_locator("uketsuke-form iframe")


def measure(tab):
    """Return where the frame begins on the screen, its height, and that of what is in it."""
    [frame] = [frame for frame in tab.frames if "/embed" in frame.url]
    box = tab.evaluate(
        """() => {
          const frame = document.querySelector("uketsuke-form iframe");
          return [frame.getBoundingClientRect().top, frame.clientHeight];
        }"""
    )
    return (*box, frame.evaluate("document.body.scrollHeight"))


def find_top(frame, selector):
    return frame.locator(selector).evaluate("e => e.getBoundingClientRect().top")


def test_whole_registration_on_a_listed_page(world):
    """Under a strict policy, with the script pinned, a header that stays, and a liar beside it."""
    site, listed = world.site, world.listed
    listed.show("/changed.js", (STATIC / "embed.js").read_text() + " ")
    pinned = f'integrity="{read_integrity()}" crossorigin async'
    body = f"""<header id="header">はじまり</header><h1>よそのページ</h1>{"<p>…</p>" * 40}
        <script src="{site.url}/embed-{read_version()}.js" {pinned} data-event="spring"
          data-offset="80"></script>
        <script src="/changed.js" {pinned} data-event="spring"></script>
        <iframe src="{world.other.origin}/liar" title="…"></iframe>{"<p>…</p>" * 40}"""
    head = '<script src="/watch.js"></script><link rel="stylesheet" href="/header.css">'
    listed.show("/header.css", "#header{position:fixed;inset:0 0 auto;height:80px}")
    policy = (
        f"default-src 'none'; script-src 'self' {site.url}/embed-{read_version()}.js; "
        f"style-src 'self'; frame-src {site.url} {world.other.origin}; img-src data:; "
        "require-trusted-types-for 'script'"
    )
    address = listed.show("/lp", write_page(body, head=head), policy=policy)
    tab = world.open(f"{address}?utm_source=letter&gclid=Ab1&session=secret")
    frame = frame_of(tab)

    tab.locator("uketsuke-form").scroll_into_view_if_needed()
    expect(frame.get_by_role("heading", name="お申し込み")).to_be_visible()
    assert frame.locator("html").evaluate("document.cookie = 'a=b; Secure; SameSite=None'")
    assert frame.locator("html").evaluate("document.cookie") == ""
    expect(tab.locator("uketsuke-form")).to_have_count(1)
    expect(tab.locator("uketsuke-form iframe")).to_have_attribute("title", "お申し込み")
    wait_until(tab, lambda: measure(tab)[1] == measure(tab)[2])

    send(frame)
    summary = frame.locator(".panel--error")
    expect(summary).to_be_focused()
    wait_until(tab, lambda: 79 <= measure(tab)[0] <= 81)
    assert measure(tab)[1] == measure(tab)[2]
    frame.get_by_role("link", name="会社名・団体名を入力してください").click()
    expect(frame.get_by_label("会社名・団体名 必須")).to_be_focused()
    wait_until(tab, lambda: 80 <= measure(tab)[0] + find_top(frame, "#question_company") < 250)

    fill_in(frame)
    send(frame)
    expect(heading(frame)).to_have_text("お申し込みが完了しました")
    wait_until(tab, lambda: 79 <= measure(tab)[0] <= 81)
    wait_until(tab, lambda: len(tab.evaluate("told")) == 5)
    assert tab.evaluate("told") == [
        [what, "spring", view, "uketsuke-form"]
        for what, view in (
            *(("ready", "form"), ("view", "form"), ("view", "errors")),
            *(("view", "done"), ("registered", "done")),
        )
    ]
    sent = world.find_sent("taro@example.com")
    assert (sent.surface, sent.family_name) == ("embed", "山田")
    assert sent.source == {"utm_source": "letter", "gclid": "Ab1", "page": address}
    assert world.count_visits(sent.source) == {"view": 1, "start": 1, "failed": 1}
    everything = tab.evaluate("heard")
    assert {origin for origin, _ in everything} == {site.url, world.other.origin}
    heard = [data for origin, data in everything if origin == site.url]
    assert {data["type"] for data in heard} == {"height", "view", "scroll"}
    assert [word for word in PERSONAL if word in json.dumps(heard, ensure_ascii=False)] == []
    liar = next(part for part in tab.frames if part.url.endswith("/liar"))
    assert liar.evaluate("heard") == []
    assert site.url not in " ".join(world.other.asked)

    frame.get_by_role("link", name="Zoomで参加する").click()
    tab.get_by_role("button", name="Zoomで参加する").click()
    expect_room_of(tab, "太郎 山田", "taro@example.com")


def test_frame_that_asks_for_work_goes_on_by_itself(world):
    """In a frame of another site, whose page is told of a registration once there is one."""
    world.stage.add_event("checked", bot_check="always")
    body = f'<script src="{world.site.url}/embed.js" async data-event="checked"></script>'
    head = '<script src="/watch.js"></script>'
    tab = world.open(world.listed.show("/checked", write_page(body, head=head)))
    frame = frame_of(tab)
    expect(frame.get_by_role("heading", name="お申し込み")).to_be_visible()

    fill_in(frame, **{"メールアドレス 必須": "worked@example.com"})
    send(frame)

    expect(heading(frame)).to_have_text("お申し込みが完了しました")
    wait_until(tab, lambda: len(tab.evaluate("told")) == 5)
    views = [(what, view) for what, _, view, _ in tab.evaluate("told")]
    assert views[2:] == [("view", "form"), ("view", "done"), ("registered", "done")]
    assert world.find_sent("worked@example.com").surface == "embed"


def test_registration_gets_through_a_crowd_and_a_limit_in_the_frame(world, monkeypatch):
    """Pages that ask to send again are as high as they are, seen, and nothing is told too early."""
    site = world.site
    crowd = Crowd(site.app.wsgi_app)
    monkeypatch.setattr(site.app, "wsgi_app", crowd)
    script = (
        f'<script src="{site.url}/embed.js" async data-event="spring" data-offset="80"></script>'
    )
    body = "<p>…</p>" * 40 + script + "<p>…</p>" * 40
    head = '<script src="/watch.js"></script>'
    tab = world.open(world.listed.show("/crowd", write_page(body, head=head)))
    tab.locator("uketsuke-form").scroll_into_view_if_needed()
    frame = frame_of(tab)
    fill_in(frame, **{"メールアドレス 必須": "late@example.com"})

    crowd.is_there = True
    send(frame)
    expect(heading(frame)).to_have_text(BUSY)
    wait_until(tab, lambda: 79 <= measure(tab)[0] <= 81 and measure(tab)[1] == measure(tab)[2])

    crowd.is_there = False
    limited = replace(site.parts.settings, rate_limits=True)
    with monkeypatch.context() as limits:
        limits.setitem(vars(site.parts), "settings", limited)
        limits.setattr(submission_limits, "ADDRESS_BURST", 1)
        world.count("late@example.com")
        frame.get_by_role("button", name="もう一度送信する").click()
        expect(frame.get_by_role("alert")).to_contain_text("送信が続いています")
    wait_until(tab, lambda: 79 <= measure(tab)[0] <= 81 and measure(tab)[1] == measure(tab)[2])
    expect(tab.locator("uketsuke-form iframe")).to_be_visible()
    assert "registered" not in [what for what, *_ in tab.evaluate("told")]

    crowd.is_there = True
    send(frame)
    expect(heading(frame)).to_have_text(BUSY)
    crowd.is_there = False
    frame.get_by_role("button", name="もう一度送信する").click()
    expect(heading(frame)).to_have_text("お申し込みが完了しました")
    wait_until(tab, lambda: "registered" in [what for what, *_ in tab.evaluate("told")])
    views = [view for what, _, view, _ in tab.evaluate("told") if what == "view"]
    assert views == ["form", "form", "errors", "form", "done"]
    assert world.find_sent("late@example.com").surface == "embed"


def test_whole_registration_without_script_in_a_plain_frame(world):
    form = f"{world.site.url}/e/code/embed?lang=ja&utm_source=plain"
    address = world.listed.show("/plain", write_page(f'<iframe src="{form}" title="…"></iframe>'))
    tab = world.open(address, java_script_enabled=False)
    frame = tab.frame_locator("iframe")

    send(frame)
    expect(frame.get_by_role("alert")).to_contain_text("お名前（姓）を入力してください")
    fill_in(frame, **{"メールアドレス 必須": "code@example.com"})
    send(frame)
    expect(heading(frame)).to_have_text("メールをご確認ください")
    wait_until(tab, lambda: world.site.mailbox.list_mails("code@example.com"))
    code = find_code(world.site.mailbox.read_last("code@example.com"))
    frame.get_by_label("確認コード").fill(code)
    frame.get_by_role("button", name="参加用URLを表示する").click()
    expect(frame.get_by_role("link", name="Zoomで参加する")).to_have_attribute("target", "_top")
    assert world.find_sent("code@example.com").source == {"utm_source": "plain"}


def test_page_that_is_not_listed_shows_a_link_and_learns_nothing(world):
    site, listed, other = world.site, world.listed, world.other
    form = f"{site.url}/e/spring/embed?parent={listed.origin}"
    listed.show("/inner", write_page(f'<iframe src="{form}" title="…"></iframe>'))
    body = f"""<script src="{site.url}/embed.js" data-event="spring" async></script>
        <iframe src="{form}" title="…"></iframe>
        <iframe src="{listed.origin}/inner" title="…"></iframe>"""
    address = other.show("/lp", write_page(body, head='<script src="/watch.js"></script>'))
    tab = world.open(f"{address}?utm_source=letter", holds_time=True)

    tab.clock.run_for(1_000)
    wait_until(tab, lambda: len([f for f in tab.frames if f.url.startswith("chrome-error")]) == 3)
    tab.clock.run_for(5_000)

    link = tab.get_by_role("link", name="お申し込み")
    expect(link).to_have_attribute("href", f"{site.url}/e/spring?utm_source=letter")
    expect(tab.locator("uketsuke-form iframe")).to_be_hidden()
    assert tab.evaluate("[told, heard]") == [[], []]

    # What is meant for one listed page, no other hears.
    frame = f'<iframe src="{site.url}/e/spring/embed?parent={ANOTHER}" title="…"></iframe>'
    head = '<script src="/watch.js"></script>'
    tab.goto(listed.show("/other", write_page(frame, head=head)))
    tab.clock.run_for(1_000)
    expect(heading(tab.frame_locator("iframe"))).to_be_attached()
    assert tab.evaluate("heard") == []


def test_form_stays_where_what_is_slow_in_it_comes_after_it(world):
    script = f'<script src="{world.site.url}/embed.js" data-event="spring"></script>'
    address = world.listed.show("/slow", write_page(script))
    tab = world.open("about:blank", holds_time=True)
    late = []
    tab.route("**/late.png", lambda route: late.append(route))
    tab.route("**/e/spring/embed?*", add_late_picture)
    tab.goto(address, wait_until="commit")  # the page around may wait for the picture too
    tab.clock.run_for(1_000)
    wait_until(tab, lambda: late)
    tab.evaluate(WAIT_FOR_LOAD)
    expect(frame_of(tab).get_by_label("会社名・団体名")).to_be_visible()
    tab.clock.run_for(5_000)
    assert not tab.evaluate("document.loaded")

    late.pop().fulfill(status=404)
    wait_until(tab, lambda: tab.evaluate("document.loaded"))
    tab.clock.run_for(5_000)

    expect(tab.locator("uketsuke-form iframe")).to_be_visible()
    expect(tab.get_by_role("link", name="お申し込み")).to_be_hidden()


WAIT_FOR_LOAD = """
document.querySelector("uketsuke-form iframe").addEventListener("load", () => {
  document.loaded = true;
})
"""


def add_late_picture(route):
    answer = route.fetch()
    body = answer.text().replace("</main>", '<img src="/late.png" alt=""></main>')
    route.fulfill(response=answer, body=body)


LIGHT_TEXT = (
    "#eee",
    "oklch(0.95 0 0)",
    "color(srgb 1 1 1)",
    "color(display-p3 .9 .9 .9)",
    "lab(95 0 0)",
)
DARK_TEXT = (
    "#c00",
    "oklch(0.3 0.1 260)",
    "color(srgb .1 .1 .1)",
    "lab(0.01 0.001 0)",
    "hsl(0 0% 20%)",
)
READ_THEMES = """
() => [...document.querySelectorAll("i iframe")]
  .map(({ src }) => new URL(src).searchParams.get("theme"))
"""


def test_list_in_a_box_on_a_page_from_right_to_left_whose_colors_are_written_anyhow(world):
    with world.site.database.write() as session:
        session.query(Organization).one().slug = "sample"
    box = '<div data-uketsuke-organization="sample" data-lang="ja"><a href="#all">الكل</a></div>'
    colors = [*LIGHT_TEXT, *DARK_TEXT]
    forms = "".join(
        f'<i id="c{at}"><uketsuke-form data-event="spring"></uketsuke-form></i>'
        for at in range(len(colors))
    )
    styles = "".join(f"#c{at} {{ color: {color} }}" for at, color in enumerate(colors))
    world.listed.show("/colors.css", styles)
    script = f'<script src="{world.site.url}/embed.js" async></script>'
    head = '<link rel="stylesheet" href="/colors.css"><script src="/watch.js"></script>'
    page = write_page(
        box + script + '<p style="height: 9999px"></p>' + forms,
        head=head,
        lang="ar",
        attributes='dir="rtl"',
    )
    tab = world.open(world.listed.show("/anyhow", page))

    frame = tab.frame_locator("div iframe")
    expect(frame.locator(".coming__event").first).to_be_visible()
    assert frame.locator("html").evaluate(
        "html => [getComputedStyle(html).direction, html.scrollWidth - html.clientWidth]"
    ) == ["ltr", 0]
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    expect(tab.get_by_role("link", name="الكل")).to_be_hidden()
    tab.wait_for_function("told.length > 1")
    assert tab.evaluate("told.map(([what, , view]) => [what, view])") == [
        ["ready", "list"],
        ["view", "list"],
    ]
    assert tab.evaluate(READ_THEMES) == ["dark"] * len(LIGHT_TEXT) + ["light"] * len(DARK_TEXT)


COUNT = """
window.listening = new Set();
for (const [name, note] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
  const real = window[name];
  window[name] = function (kind, listener, ...rest) {
    if (kind === "message") listening[note](listener);
    return real.call(this, kind, listener, ...rest);
  };
}
"""
MOUNT_AND_UNMOUNT = """
async () => {
  for (let i = 0; i < 10; i++) {
    const form = document.createElement("uketsuke-form");
    form.dataset.event = "spring";
    document.body.append(form);
    if (i % 2) await new Promise(requestAnimationFrame);
    form.remove();
  }
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return document.querySelectorAll("iframe").length;
}
"""
ADD_BOX = """
() => {
  const box = document.createElement("div");
  box.innerHTML = `<div id="later" data-uketsuke-event="spring"
    data-prefill-email="taro@example.com" data-prefill-question_privacy="yes"
    data-lang="en"><a href="#way-out">A way out</a></div>`;
  document.body.prepend(box);
}
"""
LEAD_ASTRAY = """
(address) => { document.querySelector("#later iframe").src = address; }
"""
PREFILL = """
() => document.querySelector("#later uketsuke-form").prefill({
  family_name: "Taro", company: "Sample", question_age_band: "30s", prefecture: "nowhere",
  reason: ["learn", "solve"], question_privacy: "yes", marketing: "yes", form_token: "forged",
  subject: "spam", email_kept: "x",
})
"""


def test_several_forms_on_a_page_that_comes_and_goes(world):
    site, listed = world.site, world.listed
    listed.show("/count.js", COUNT)
    script = f'<script src="{site.url}/embed.js" async data-event='
    early = '<uketsuke-form data-event="spring"></uketsuke-form>'
    body = f'{early}{script}"spring" data-theme="dark"></script><p>…</p>{script}"code"></script>'
    head = '<script src="/count.js"></script><script src="/watch.js"></script>'
    tab = world.open(listed.show("/app", write_page(body, head=head)))
    wait_until(tab, lambda: [told[1] for told in tab.evaluate("told")].count("code") == 2)
    assert tab.evaluate("listening.size") == 4  # one is ours

    assert tab.evaluate(MOUNT_AND_UNMOUNT) == 3
    assert tab.evaluate("listening.size") == 4

    tab.evaluate(ADD_BOX)
    frame = tab.frame_locator("#later iframe")
    expect(frame.get_by_label("Email address")).to_have_value("taro@example.com")
    expect(tab.get_by_role("link", name="A way out")).to_be_hidden()
    frame.get_by_label("Last name").fill("Yamada")
    tab.evaluate(PREFILL)
    expect(frame.get_by_label("Company")).to_have_value("Sample")
    expect(frame.get_by_label("Last name")).to_have_value("Yamada")
    expect(frame.locator("[data-filled]")).to_contain_text("Company")
    typed = frame.locator("form").evaluate("form => [...new FormData(form)]")
    given = {(name, value) for name, value in typed if value and name != "form_token"}
    assert given == {
        ("email", "taro@example.com"),
        ("family_name", "Yamada"),
        ("question_company", "Sample"),
        ("question_age_band", "30s"),
        ("question_reason", "learn"),
        ("question_reason", "solve"),
    }
    assert dict(typed)["form_token"] != "forged"
    heard = json.dumps(tab.evaluate("heard"), ensure_ascii=False)
    assert [word for word in (*PERSONAL, "Sample", "30s") if word in heard] == []

    # Whatever comes in the place of the form is not believed.
    tab.evaluate(LEAD_ASTRAY, f"{world.other.origin}/liar")
    wait_until(tab, lambda: tab.evaluate("heard.some(([, data]) => data.value === 7)"))
    assert tab.evaluate("document.querySelector('#later iframe').clientHeight") > 1_000
    assert "done" not in [view for _what, _event, view, _name in tab.evaluate("told")]


def test_list_of_events_on_a_listed_page(world):
    with world.site.database.write() as session:
        session.query(Organization).one().slug = "sample"
    head = '<script src="/watch.js"></script>'
    script = f'<script src="{world.site.url}/embed.js" data-organization="sample" async></script>'
    address = world.listed.show("/list", write_page(f"<p>前</p>{script}<p>後</p>", head=head))
    tab = world.open(f"{address}?utm_source=site&session=1")
    frame = frame_of(tab)
    expect(frame.locator(".coming__event").first).to_be_visible()
    wait_until(tab, lambda: measure(tab)[1] == measure(tab)[2])

    assert tab.evaluate("told.map(([what, , view]) => [what, view])") == [
        ["ready", "list"],
        ["view", "list"],
    ]
    frame.locator(".coming__title a").first.click()
    tab.wait_for_url(f"{world.site.url}/e/**")
    assert "utm_source=site" in tab.url
    assert f"page={quote(address, safe='')}" in tab.url
    assert "session" not in tab.url
