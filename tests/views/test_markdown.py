from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from importlib import reload
from threading import Event

import pytest

from services import markdown
from services.markdown import MOST_CELLS, are_tables_small
from views.markdown import render_markdown


def test_headings_stand_below_those_of_the_page():
    assert render_markdown("# A\n\n## B\n\n### C") == "<h3>A</h3>\n<h4>B</h4>\n<h4>C</h4>\n"
    assert render_markdown("### A\n\n#### B") == "<h3>A</h3>\n<h4>B</h4>\n"


def test_table_stands_in_a_box_that_may_scroll():
    html = render_markdown("| A |\n| --- |\n| `<table>` |")

    assert html.startswith('<div class="scroll" data-scroll><table>')
    assert html.endswith("</table></div>\n")
    assert html.count("<div") == html.count("</div>") == 1


def test_rules_are_in_order_before_the_first_text_comes():
    parser = reload(markdown)._parser
    rulers = [parser.core.ruler, parser.block.ruler, parser.inline.ruler, parser.inline.ruler2]

    # What the first of two threads would begin, and the second find half done.
    assert all(ruler.__cache__ for ruler in rulers)


def make_table(columns: int, rows: int, *, before: str = "") -> str:
    """Return a table whose rows have one letter each, and are filled up to all columns."""
    lines = ["|".join("a" * columns), "|".join("-" * columns), *["a"] * rows]
    return "".join(f"{before}{line}\n" for line in lines) + "\n"


@pytest.mark.parametrize("before", ["", "> ", "  "])
def test_tables_of_a_text_have_so_many_cells_all_together(before: str):
    fits = make_table(20, 49, before=before) * 2
    too_many = fits + make_table(2, 0, before=before)

    assert are_tables_small(fits)
    assert render_markdown(fits).count("<td>") + render_markdown(fits).count("<th>") == MOST_CELLS
    assert not are_tables_small(too_many)
    assert render_markdown(too_many).count("<table>") == 2


@pytest.mark.parametrize(
    "text",
    [
        make_table(700, 94) * 10,
        make_table(20, 14_000),
        "a|\n-|\n#\n" * 3_700,
        f"[a]: /{'u' * 10_000}\n\n" + "[a]" * 6_000,
    ],
)
def test_no_text_grows_into_a_page_many_times_its_size(text: str):
    assert len(render_markdown(text)) < 4 * len(text) < 130_000


def test_threads_that_want_the_same_text_have_it_drawn_once(monkeypatch: pytest.MonkeyPatch):
    drawn = []

    def draw(text: str) -> str:
        drawn.append(text)
        all_here.wait(0.2)
        return text

    all_here = Event()
    monkeypatch.setattr("views.markdown.draw_markdown", draw)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(render_markdown, ["drawn once"] * 4))

    assert drawn == ["drawn once"]


def test_links_open_without_telling_where_from():
    html = render_markdown("[here](https://example.com/a?b=c)")

    assert html == ('<p><a href="https://example.com/a?b=c" rel="noopener nofollow">here</a></p>\n')


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://example.com/pixel.png)",
        '<img src=x onerror="alert(1)">',
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        '[x](https://example.com "a\\" onmouseover=\\"alert(1)")',
    ],
)
def test_nothing_that_runs_or_loads_comes_through(text: str):
    reader = TagReader()
    reader.feed(render_markdown(text))

    for tag, attributes in reader.found:
        assert tag in {"p", "a"}
        assert set(attributes) <= {"href", "rel", "title"}
        assert attributes.get("href", "https:").startswith("https:")


class TagReader(HTMLParser):
    """Collects tags as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
