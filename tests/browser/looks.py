"""What a page is asked in a real browser: by axe, by its widths, and by the keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.fixtures.browsers import DESK, PHONE

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The dark scheme changes colors alone, so only their rules are asked again there.
RULES = {
    "light": {"type": "tag", "values": TAGS},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
LOOKS = tuple(product((PHONE, DESK), RULES))
# Colors change with the scheme alone, and what axe knows of structure with neither: so one language
# at both widths and in both schemes shows nearly everything, and `make pages-test` the rest.
EVERY_PAGE = [
    pytest.param("ja", ((PHONE, "light"), (DESK, "dark")), id="ja"),
    pytest.param("ja", LOOKS, id="ja, all looks", marks=pytest.mark.slow),
    pytest.param("en", LOOKS, id="en, all looks", marks=pytest.mark.slow),
]
"""Parameters of a test that looks at all pages: language, and widths with schemes."""

NARROW = {"width": 320, "height": 640}

RUN_AXE = """
async (rules) => {
  // What a page shows within itself is looked at as a page of its own.
  const options = { runOnly: rules, resultTypes: ["violations"], iframes: false };
  const found = await axe.run(options);
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

# Who hears buttons, or lists them, does not see beside what they stand.
FIND_TWINS = """
() => {
  const buttons = [...document.querySelectorAll("main button")]
    .filter((button) => button.checkVisibility() && !button.closest("[aria-hidden]"));
  const names = buttons.map((button) => button.ariaLabel ?? button.textContent.trim());
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
}
"""

# Of radio buttons with one name the keyboard reaches one, and goes on among them by arrows.
LIST_CONTROLS = """
async () => {
  // What the page itself moves the focus to has it first: by script, and at its first frame by
  // `autofocus`, which would take it once more from who asks before.
  const told = document.querySelector("[data-focus]");
  const isFocused = () => !told || document.activeElement === told;
  for (let frame = 0; frame < 2 || (!isFocused() && frame < 100); frame++) {
    await new Promise(requestAnimationFrame);
  }
  const isSeen = (control) => control.checkVisibility({ visibilityProperty: true });
  const isStop = (control, at, all) => {
    if (control.type !== "radio") return true;
    const group = all.filter((other) => other.name === control.name && other.form === control.form);
    return control === (group.find((other) => other.checked) ?? group[0]);
  };
  const list = (page) =>
    [...page.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
      .filter((control) => control.tabIndex >= 0 && !control.disabled && isSeen(control))
      .filter(isStop);
  window.controls = list(document);
  window.reached = [];
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    const isShown = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    window.reached.push([window.controls.indexOf(target), isShown]);
  });
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  window.reached = [];
  // Each part of a date is a stop of its own, and so is each control of a page within this one.
  const dates = document.querySelectorAll("[type=date], [type=datetime-local]").length;
  const frames = [...document.querySelectorAll("iframe")].map((frame) => frame.contentDocument);
  return window.controls.length + 7 * dates + frames.flatMap(list).length;
}
"""
TELL_REACHED = """
() => {
  const write = (control) => control.outerHTML.slice(0, 120);
  const { controls, reached } = window;
  const faults = controls.flatMap((control, at) => {
    const [where, isShown] = reached[at] ?? [];
    if (where !== at) return [`not reached in its turn (${where}): ${write(control)}`];
    return isShown ? [] : [`focus is not seen: ${write(control)}`];
  });
  return faults.slice(0, 3);
}
"""


def find_faults(tab: Page, looks: Sequence[tuple[Any, str]]) -> list[tuple[Any, ...]]:
    """Look at the page of a tab, each time at one width and in one scheme, with axe and for width.

    The tab has `AXE_SCRIPT` in it. Afterwards its text is spaced as somebody may want it.
    """
    faults: list[tuple[Any, ...]] = [
        ("buttons of one name", name) for name in tab.evaluate(FIND_TWINS)
    ]
    for viewport, scheme in looks:
        tab.set_viewport_size(viewport)
        tab.emulate_media(color_scheme=scheme)
        found = tab.evaluate(RUN_AXE, RULES[scheme]) + tab.evaluate(FIND_WIDE)
        faults += [(viewport["width"], scheme, fault) for fault in found]
    tab.set_viewport_size(NARROW)
    faults += [("narrow", fault) for fault in tab.evaluate(FIND_WIDE)]
    tab.evaluate(SPACE_TEXT)
    return faults + [("spaced", fault) for fault in tab.evaluate(FIND_WIDE)]


def find_unreachable(tab: Page) -> list[str]:
    """Go through a page by Tab alone; tell what is not reached in order, or shows no focus."""
    keyboard = tab.context.new_cdp_session(tab)
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    for _ in range(tab.evaluate(LIST_CONTROLS)):
        keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
    keyboard.detach()
    found: list[str] = tab.evaluate(TELL_REACHED)
    return found


def prepare(tab: Page) -> None:
    """Put axe into every page that the tab opens from now on."""
    tab.add_init_script(AXE_SCRIPT)
