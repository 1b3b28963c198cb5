"""Takes a picture of every page in every state: `make screenshots`.

All pages are taken as a phone shows them, in Japanese; the main ones in English, dark and wide too.
`python -m tests.screenshots form receipt` takes only these.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.fixtures.browsers import DESK, LOCALES, PHONE, start_browser
from tests.fixtures.databases import SqliteDatabases
from tests.gallery import Scene, build_gallery, list_dashboard_scenes, list_mail_scenes
from tests.live_site import LiveSite

FOLDER = Path(__file__).parent.parent / "docs/screenshots"
COLORS = 192
OVERVIEW = ("form", "form-errors", "receipt", "join-ready")
"""What the README shows side by side, as much of each as a phone shows."""

MAIN = ("form", "form-errors", "receipt", "join-ready", "personal", "dashboard-events")


@dataclass(frozen=True)
class Look:
    """How a person sees a page."""

    locale: str
    viewport: dict[str, int]
    scheme: str

    @property
    def name(self) -> str:
        return f"{self.locale}-{self.viewport['width']}-{self.scheme}"


FIRST = Look("ja", PHONE, "light")
OTHERS = (
    Look("ja", PHONE, "dark"),
    Look("en", PHONE, "light"),
    Look("ja", DESK, "light"),
    Look("en", DESK, "dark"),
)


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name, start_browser() as browser:
        folder = Path(name)
        site = LiveSite(SqliteDatabases(folder).make_migrated(), folder / "instance")
        try:
            scenes = build_gallery(site) + list_mail_scenes(site) + list_dashboard_scenes(site)
            wanted = [scene for scene in scenes if not names or scene.name in names]
            take_pictures(browser, wanted)
        finally:
            site.close()
    if not names:
        kept = {f"{scene.name}-{look.name}.png" for scene, look in _list_pairs(scenes)}
        _remove_others(kept | {_write_overview().name})


def take_pictures(browser: Browser, scenes: list[Scene]) -> None:
    for look in (FIRST, *OTHERS):
        context = browser.new_context(
            locale=LOCALES[look.locale],
            viewport=look.viewport,
            color_scheme=look.scheme,
            timezone_id="Asia/Tokyo",
            reduced_motion="reduce",
        )
        for scene in (scene for scene, wanted in _list_pairs(scenes) if wanted is look):
            tab = context.new_page()
            scene.open(tab, locale=look.locale)
            _save(tab.screenshot(full_page=True), FOLDER / f"{scene.name}-{look.name}.png")
            tab.close()
        context.close()


def _list_pairs(scenes: list[Scene]) -> Iterator[tuple[Scene, Look]]:
    for scene in scenes:
        yield scene, FIRST
        if scene.name in MAIN:
            yield from product([scene], OTHERS)


def _save(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(BytesIO(content)).convert("RGB")
    fewer = picture.quantize(COLORS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    fewer.save(path, optimize=True)
    print(path.relative_to(FOLDER.parent.parent))


def _write_overview() -> Path:
    """Put the first screens of some pages side by side."""
    gap, width, height = 24, PHONE["width"], PHONE["height"]
    sheet = Image.new("RGB", ((width + gap) * len(OVERVIEW) - gap, height), "#d9d9d9")
    for number, name in enumerate(OVERVIEW):
        with Image.open(FOLDER / f"{name}-{FIRST.name}.png") as picture:
            sheet.paste(
                picture.convert("RGB").crop((0, 0, width, height)), ((width + gap) * number, 0)
            )
    path = FOLDER / "overview.png"
    sheet.quantize(COLORS, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    return path


def _remove_others(names: set[str]) -> None:
    for path in FOLDER.glob("*.png"):
        if path.name not in names:
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
