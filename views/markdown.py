"""The organizer's Markdown as HTML that cannot do harm."""

from __future__ import annotations

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "ul", "ol", "li", "blockquote", "code", "pre", "a"),
    *("h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
# It puts its rules in order at its first text, and a second thread would meanwhile find only some:
# it would fail, or make an empty page of a text that is then kept.
_parser.parse("*first*")


@lru_cache(maxsize=500)
def render_markdown(text: str) -> Markup:
    """Turn Markdown into HTML: no raw HTML, no images, links to http, https and mailto alone.

    The highest headings, whatever their level, become the third: the page's own are above them.
    A table stands in a box of its own, which may scroll where the screen is narrow.
    """
    tokens = _parser.parse(text)
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    highest = min((heading.tag for heading in headings), default="")
    for heading in headings:
        heading.tag = "h3" if heading.tag == highest else "h4"
    clean = nh3.clean(
        _parser.renderer.render(tokens, _parser.options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )
    scrolling = clean.replace("<table>", '<div class="scroll" data-scroll><table>')
    scrolling = scrolling.replace("</table>", "</table></div>")
    return Markup(scrolling)  # noqa: S704 - the one place where cleaned HTML becomes markup
