"""HTML as a tree, just enough to read our own pages; refuses what is not well formed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr")
INLINE = ("a", "b", "bdi", "em", "span", "strong")
UNSEEN = ("head", "script", "style", "template")


class MalformedHtml(AssertionError):
    """An element is closed twice, not at all, or in the wrong order."""


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: Element | None = field(default=None, repr=False)
    children: list[Element | str] = field(default_factory=list, repr=False)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.attributes

    def walk(self) -> Iterator[Element]:
        """Yield this element and all below it, in the order of the page."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += [child for child in reversed(element.children) if isinstance(child, Element)]

    def find_all(self, *tags: str, **attributes: str) -> list[Element]:
        """List the elements below with one of these tags, or any, and exactly these attributes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.walk()
            if element is not self
            and (not tags or element.tag in tags)
            and all(element.attributes.get(name) == value for name, value in wanted.items())
        ]

    def has_class(self, name: str) -> bool:
        return name in self["class"].split()

    def ancestors(self) -> Iterator[Element]:
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def text(self) -> str:
        """What can be read here without scripts, with single spaces."""
        return " ".join("".join(self._list_texts()).split())

    def _list_texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in UNSEEN and "hidden" not in child:
                edge = "" if child.tag in INLINE else " "
                yield from (edge, *child._list_texts(), edge)


def parse(html: str) -> Element:
    """Return the root, whose children are what stands at the top.

    Raises:
        MalformedHtml: a tag is missing.
    """
    parser = _TreeBuilder()
    parser.feed(html)
    parser.close()
    if parser.here is not parser.root:
        raise MalformedHtml(f"<{parser.here.tag}> is not closed")
    return parser.root


class _TreeBuilder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            raise MalformedHtml(f"<{tag}> has an attribute twice: {names}")
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        if tag != self.here.tag or self.here.parent is None:
            raise MalformedHtml(f"</{tag}> at {self.getpos()} does not close <{self.here.tag}>")
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)
