"""Every page in every state: nothing that axe finds, no sideways scroll, room for wider text."""

from itertools import product

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.fixtures.browsers import DESK, LOCALES, PHONE

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The dark scheme changes colors alone, so only their rules are asked again there.
RULES = {
    "light": {"type": "tag", "values": TAGS},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
LOOKS = tuple(product((PHONE, DESK), RULES))
NARROW = {"width": 320, "height": 640}

RUN_AXE = """
async (rules) => {
  const found = await axe.run({ runOnly: rules, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
"""

SPACE_TEXT = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* {
    line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important
  } p { margin-block-end: 2em !important }`);
  document.adoptedStyleSheets = [sheet];
}
"""

FIND_WIDE = """
() => {
  const wide = (element) => element.scrollWidth > element.clientWidth + 1;
  const names = [...document.querySelectorAll("a, button, label, legend, h1, h2, dd, p")]
    .filter((element) => getComputedStyle(element).display !== "inline" && wide(element))
    .filter((element) => !element.closest(".visually-hidden, .off-page, table"))
    .map((element) => `${element.tagName} ${element.textContent.trim().slice(0, 60)}`);
  return wide(document.documentElement) ? ["the page", ...names] : names;
}
"""


@pytest.fixture(params=LOCALES)
def locale(request):
    return request.param


@pytest.fixture
def tab(browser, locale):
    context = browser.new_context(locale=LOCALES[locale], reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_axe_finds_nothing(gallery, tab, locale):
    tab.add_init_script(AXE_SCRIPT)
    faults = []
    for scene in gallery:
        scene.open(tab, locale=locale)
        for viewport, scheme in LOOKS:
            tab.set_viewport_size(viewport)
            tab.emulate_media(color_scheme=scheme)
            found = tab.evaluate(RUN_AXE, RULES[scheme])
            faults += [(scene.name, viewport["width"], scheme, fault) for fault in found]
    assert faults == []


def test_nothing_is_wider_than_a_narrow_screen(gallery, tab, locale):
    tab.set_viewport_size(NARROW)
    faults = []
    for scene in gallery:
        scene.open(tab, locale=locale)
        faults += [(scene.name, fault) for fault in tab.evaluate(FIND_WIDE)]
        tab.evaluate(SPACE_TEXT)
        faults += [(scene.name, "spaced", fault) for fault in tab.evaluate(FIND_WIDE)]
    assert faults == []
