"""The organizer's Markdown as HTML that cannot do harm."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

import nh3
from markupsafe import Markup

from services.markdown import draw_markdown

_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "ul", "ol", "li", "blockquote", "code", "pre", "a"),
    *("h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_lock = Lock()


def render_markdown(text: str) -> Markup:
    """Turn Markdown into HTML: no raw HTML, no images, links to http, https and mailto alone.

    The highest headings, whatever their level, become the third: the page's own are above them.
    A table stands in a box of its own, which may scroll where the screen is narrow.
    """
    # One at a time: else all threads of a process draw the same text when it is new.
    with _lock:
        return _render(text)


@lru_cache(maxsize=500)
def _render(text: str) -> Markup:
    clean = nh3.clean(
        draw_markdown(text),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )
    scrolling = clean.replace("<table>", '<div class="scroll" data-scroll><table>')
    scrolling = scrolling.replace("</table>", "</table></div>")
    return Markup(scrolling)  # noqa: S704 - the one place where cleaned HTML becomes markup
