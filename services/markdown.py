"""The organizer's Markdown, read within bounds: no few lines of it make a large page.

What is drawn here is not clean yet; `views.markdown` makes it so.
"""

from __future__ import annotations

from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table

MOST_COLUMNS = 20
MOST_CELLS = 2_000
"""So many cells may all tables of one text have, with those that short rows leave out."""

_REFUSED, _CELLS = "refused", "cells"


def _draw_small_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table as the parser does, unless the text's tables become too large by it.

    Each row is filled up to the columns of the first: 3 KB of one-letter rows make 65,000 cells.
    What is refused is drawn as the lines that were typed.
    """
    if state.env.get(_REFUSED) or not table(state, start, end, True):
        return False
    if silent:
        return True
    columns = state.getLines(start + 1, start + 2, 0, False).strip().strip("|").count("|") + 1
    line, cells = start + 2, state.env.get(_CELLS, 0) + columns
    while cells <= MOST_CELLS and line < end and not state.isEmpty(line):
        line, cells = line + 1, cells + columns
    if columns > MOST_COLUMNS or cells > MOST_CELLS:
        state.env[_REFUSED] = True
        return False
    state.env[_CELLS] = cells
    return table(state, start, end, silent)


# Without references, whose one long address may be repeated by three characters each, and without
# images, which nobody is shown and which cost the square of their number.
_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_parser.disable(["reference", "image"])
_parser.block.ruler.at("table", _draw_small_table, {"alt": ["paragraph", "reference"]})
# It puts its rules in order at its first text, and a second thread would meanwhile find only some:
# it would fail, or make an empty page of a text that is then kept.
_parser.parse("*first*")


def draw_markdown(text: str) -> str:
    """Turn Markdown into HTML without raw HTML. The highest headings become the third."""
    tokens = _parser.parse(text)
    headings = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    highest = min((heading.tag for heading in headings), default="")
    for heading in headings:
        heading.tag = "h3" if heading.tag == highest else "h4"
    return str(_parser.renderer.render(tokens, _parser.options, {}))


def are_tables_small(text: str) -> bool:
    """Tell whether all tables of a text are drawn as tables."""
    env: dict[str, Any] = {}
    _parser.parse(text, env)
    return _REFUSED not in env
