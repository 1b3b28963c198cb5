"""Takes a picture of every page in every state: `make screenshots`.

All pages are taken as a phone shows them, in Japanese; the main ones in English, dark and wide too.
Of the dashboard's many pages a few are kept in docs/screenshots; the others go to
test-results/screenshots. `python -m tests.screenshots form dashboard-people` takes only these.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.dashboard_gallery import list_dashboard_scenes
from tests.fixtures.browsers import DESK, LOCALES, PHONE, start_browser
from tests.fixtures.databases import SqliteDatabases
from tests.gallery import Scene, build_gallery, list_mail_scenes
from tests.live_site import LiveSite

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/screenshots"
OTHERS_FOLDER = ROOT / "test-results/screenshots"
COLORS = 192
MOST_HEIGHT = {"dashboard": 1800, "api": 1800}
"""Of long pages, by the first word of their names, the beginning is kept."""

OVERVIEW = ("form", "form-errors", "receipt", "join-ready")
"""What the README shows side by side, as much of each as a phone shows."""

DASHBOARD = ("dashboard-event", "dashboard-publishing-draft")
"""What the README shows of the dashboard: one at a desk, the other on a phone."""

MAIN = ("form", "form-errors", "receipt", "join-ready", "personal")
MAIN += ("dashboard-event", "dashboard-people")
KEPT = (*DASHBOARD, "dashboard-people", "dashboard-person", "dashboard-begin", "dashboard-form")
KEPT += ("dashboard-content-conflict", "dashboard-sign-in", "dashboard-zoom-test")
"""Which pages of the dashboard are kept in the repository."""


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
    if not names:
        for path in (*FOLDER.glob("*.png"), *OTHERS_FOLDER.glob("*.png")):
            path.unlink()
    with start_browser() as browser:
        for build in (_build_pages, list_dashboard_scenes):
            with _start_site() as site:
                wanted = [scene for scene in build(site) if not names or scene.name in names]
                take_pictures(browser, wanted)
    if not names:
        _write_overview()
        _write_dashboard()


@contextmanager
def _start_site() -> Iterator[LiveSite]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = SqliteDatabases(folder).make_migrated()
        site = LiveSite(url, folder / "instance", name="localhost")  # passkeys need a name
        try:
            yield site
        finally:
            site.close()


def _build_pages(site: LiveSite) -> list[Scene]:
    return build_gallery(site) + list_mail_scenes(site)


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
            _save(tab.screenshot(full_page=True), _choose_path(scene, look))
            tab.close()
        context.close()


def _list_pairs(scenes: list[Scene]) -> Iterator[tuple[Scene, Look]]:
    for scene in scenes:
        yield scene, FIRST
        if scene.name in MAIN:
            yield from product([scene], OTHERS)


def _choose_path(scene: Scene, look: Look) -> Path:
    is_kept = scene.name in KEPT or not scene.name.startswith("dashboard-")
    return (FOLDER if is_kept else OTHERS_FOLDER) / f"{scene.name}-{look.name}.png"


def _save(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(BytesIO(content)).convert("RGB")
    height = MOST_HEIGHT.get(path.name.partition("-")[0], picture.height)
    if path.parent == FOLDER and height < picture.height:
        picture = picture.crop((0, 0, picture.width, height))
    _write(picture, path)
    print(path.relative_to(ROOT))


def _write_overview() -> None:
    """Put the first screens of some pages side by side."""
    pictures = [_open(f"{name}-{FIRST.name}", PHONE) for name in OVERVIEW]
    _write(_put_side_by_side(pictures), FOLDER / "overview.png")


def _write_dashboard() -> None:
    """Put a page at a desk and one on a phone side by side."""
    desk, phone = DASHBOARD
    pictures = [_open(f"{desk}-ja-1280-light", DESK), _open(f"{phone}-{FIRST.name}", PHONE)]
    _write(_put_side_by_side(pictures), FOLDER / "dashboard.png")


def _open(name: str, viewport: dict[str, int]) -> Image.Image:
    with Image.open(FOLDER / f"{name}.png") as picture:
        return picture.convert("RGB").crop((0, 0, viewport["width"], viewport["height"]))


def _put_side_by_side(pictures: list[Image.Image]) -> Image.Image:
    gap = 24
    width = sum(picture.width + gap for picture in pictures) - gap
    sheet = Image.new("RGB", (width, max(picture.height for picture in pictures)), "#d9d9d9")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + gap
    return sheet


def _write(picture: Image.Image, path: Path) -> None:
    """Keep few colors, which no eye misses on our pages, so that the file is small."""
    fewer = picture.quantize(COLORS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    fewer.save(path, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
