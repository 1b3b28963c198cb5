"""How well the texts of a page can be read, from the colors that the browser has computed."""

from __future__ import annotations

from playwright.sync_api import Page

# WCAG 2.2, 1.4.3: large text, from 24 px or 18.66 px in bold, needs less.
FIND_FAINT = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const read = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const lay = (above, below) =>
    [0, 1, 2].map((part) => above[part] * above[3] + below[part] * (1 - above[3]));
  const findGround = (element) => {
    const layers = [];
    for (let box = element; box; box = box.parentElement) {
      const color = read(getComputedStyle(box).backgroundColor);
      layers.push(color);
      if (color[3] === 1) break;
    }
    const paper = matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
    return layers.reduceRight((ground, layer) => lay(layer, ground), paper);
  };
  const weigh = (color) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, part) => {
      const share = color[part] / 255;
      return sum + weight * (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
    }, 0);
  const compare = (one, other) => {
    const [dark, light] = [weigh(one), weigh(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
  const measured = [...document.body.querySelectorAll("*")]
    .filter((element) => [...element.childNodes].some(isText) && element.checkVisibility())
    .filter((element) => !element.closest(".visually-hidden, .off-page, .skip-link"))
    .map((element) => {
      const style = getComputedStyle(element);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      const ground = findGround(element);
      const ratio = compare(lay(read(style.color), ground), ground);
      const words = element.textContent.trim().slice(0, 40);
      return { ratio, needed: isLarge ? 3 : 4.5, words };
    });
  return {
    count: measured.length,
    faint: measured
      .filter(({ ratio, needed }) => ratio < needed)
      .map(({ ratio, words }) => `${ratio.toFixed(2)}: ${words}`),
  };
}
"""


def find_faint(tab: Page) -> list[str]:
    """List texts that cannot be read well, in both schemes, each with its contrast."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        measured = tab.evaluate(FIND_FAINT)
        assert measured["count"] > 5, "the page has texts"
        found += [f"{scheme} {text}" for text in measured["faint"]]
    return found
