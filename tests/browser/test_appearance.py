"""What the form looks like where it matters: widths, order, what is filled in, no jumps."""

import pytest

from services.default_form import default_questions
from tests.browser.looks import FIND_WIDE, NARROW
from tests.browser.steps import fill_in, heading, send
from tests.fixtures.browsers import DESK, PHONE
from tests.fixtures.databases import only_sqlite
from tests.stage import OPERATOR

pytestmark = [pytest.mark.browser, only_sqlite]

REM = 16
FINGER = 2.75 * REM - 0.5  # half a pixel may be lost where heights are rounded
MOST_SHIFT = 0.02
AUTOCOMPLETE = {
    "family_name": "family-name",
    "given_name": "given-name",
    "email": "email",
    "question_company": "organization",
    "question_job_title": "organization-title",
    "question_prefecture": "address-level1",
}

MEASURE = """
(control) => {
  const measure = (element) => element.getBoundingClientRect().width;
  return { width: measure(control), whole: measure(control.closest("form")) };
}
"""
LIST_PARTS = """
(field) => [...field.querySelectorAll("label, [id$=help], [id$=error], input")]
  .map((part) => part.className.split(" ")[0])
"""
MAP_AUTOCOMPLETE = """
() => Object.fromEntries([...document.querySelectorAll("form [name]")]
  .filter((control) => control.type !== "hidden" && !control.closest(".off-page"))
  .map((control) => [control.name, control.getAttribute("autocomplete")])
  .filter(([name, value]) => value !== null))
"""
SUM_SHIFTS = """
() => new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => done(sum)));
})
"""

# Links in a sentence are as high as its lines.
LIST_LOW = """
(least) => [...document.querySelectorAll("a, button, .field__control, .choice, summary")]
  .filter((part) => part.checkVisibility() && !part.closest(".off-page, .skip-link"))
  .filter((part) => part.getBoundingClientRect().height < least)
  .map((part) => part.textContent.trim())
"""


@pytest.fixture
def form(stage, open_tab):
    """Return a tab with the default form, as wide as is asked for."""

    def open_form(viewport, **options):
        tab = open_tab(viewport=viewport, **options)
        tab.goto(stage.address("spring"))
        return tab

    stage.add_event("spring")
    return open_form


@pytest.mark.parametrize(("name", "rem"), [("email", 28), ("question_prefecture", 14)])
def test_control_is_as_wide_as_its_answer_at_a_desk(form, name, rem):
    measured = form(DESK).locator(f"#{name}").evaluate(MEASURE)

    assert measured["width"] == rem * REM < measured["whole"]


@pytest.mark.parametrize("name", ["email", "question_prefecture"])
def test_control_is_as_wide_as_a_phone(form, name):
    measured = form(PHONE).locator(f"#{name}").evaluate(MEASURE)

    assert measured["width"] == measured["whole"]


def test_error_is_heard_between_help_and_control(form):
    tab = form(PHONE)
    send(tab)

    parts = tab.locator(".field", has=tab.locator("#email")).evaluate(LIST_PARTS)

    assert parts == ["field__label", "field__help", "field__error", "field__control"]


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_browser_fills_in_what_it_knows(stage, open_tab, locale):
    stage.add_event("spring", questions=default_questions(locale, OPERATOR))
    tab = open_tab(locale=locale)

    tab.goto(stage.address("spring"))

    country = {} if locale == "ja" else {"question_country": "country"}
    assert tab.evaluate(MAP_AUTOCOMPLETE) == AUTOCOMPLETE | country


def test_nothing_jumps_while_form_and_receipt_load(form):
    tab = form(PHONE)
    on_form = tab.evaluate(SUM_SHIFTS)
    fill_in(tab)
    send(tab)
    heading(tab).get_by_text("お申し込みが完了しました").wait_for()

    assert on_form <= MOST_SHIFT
    assert tab.evaluate(SUM_SHIFTS) <= MOST_SHIFT


def test_what_is_pressed_is_as_high_as_a_finger(form):
    tab = form(PHONE)
    low = tab.evaluate(LIST_LOW, FINGER)
    send(tab)
    low += tab.evaluate(LIST_LOW, FINGER)
    fill_in(tab)
    send(tab)
    tab.get_by_role("link", name="メールアドレスを訂正する").wait_for()

    assert low + tab.evaluate(LIST_LOW, FINGER) == []


def test_parts_of_a_name_stand_where_their_errors_fit(form):
    tab = form(PHONE)
    family, given = tab.locator("#family_name"), tab.locator("#given_name")
    assert family.bounding_box()["y"] == given.bounding_box()["y"]

    tab.set_viewport_size(NARROW)

    assert family.bounding_box()["x"] == given.bounding_box()["x"]


def test_text_is_as_large_as_the_system_says_and_fits(form):
    tab = form(PHONE)
    tab.context.new_cdp_session(tab).send("Emulation.setEmulatedOSTextScale", {"scale": 2})
    tab.reload()
    assert tab.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)") > REM

    wide = tab.evaluate(FIND_WIDE)
    send(tab)
    wide += tab.evaluate(FIND_WIDE)
    fill_in(tab)
    send(tab)
    heading(tab).get_by_text("お申し込みが完了しました").wait_for()

    assert wide + tab.evaluate(FIND_WIDE) == []
