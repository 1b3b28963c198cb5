"""Visit pages over HTTP as a person does; every page that is opened is checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from tests.html import Element, parse

SECONDS = 60
NO_VALUE = ("submit", "button", "image", "reset", "file")


class Visitor:
    """A browser without scripts that keeps no cookies.

    Args:
        url: address of the site.
        locale: the language it asks for.
    """

    def __init__(self, url: str, *, locale: str = "ja") -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"Accept-Language": locale, "User-Agent": "Visitor"})

    def open(self, address: str, *, status: int = 200) -> Page:
        return self._show("GET", address, status=status)

    def fetch(self, address: str, *, status: int = 200, **options: Any) -> requests.Response:
        """Get something that is not a page, such as a calendar file; follows no redirect."""
        response = self._ask("GET", address, **options)
        assert response.status_code == status, f"{address}: {response.status_code}"
        return response

    def post(
        self, address: str, fields: list[tuple[str, str]], *, status: int = 200, **options: Any
    ) -> Page:
        return self._show("POST", address, status=status, data=fields, **options)

    def look(self, method: str, address: str) -> requests.Response:
        """Ask as a program does that opens links: whatever is answered, without redirects."""
        return self._ask(method, address)

    def try_post(self, address: str, fields: list[tuple[str, str]]) -> requests.Response:
        """Post once and return whatever is answered, following no redirect."""
        return self._ask("POST", address, data=fields)

    def leave(self, address: str, fields: list[tuple[str, str]]) -> str:
        """Post what leads away from the site, and return where to."""
        response = self._ask("POST", address, data=fields)
        target = response.headers.get("Location", "")
        assert response.status_code == 303, f"{address}: {response.status_code}"
        assert not self._is_ours(target), f"{target} is on the site itself"
        return target

    def close(self) -> None:
        self._session.close()

    def _show(self, method: str, address: str, *, status: int, **options: Any) -> Page:
        response = self._ask(method, address, **options)
        while response.is_redirect:
            assert response.status_code == 303 or method == "GET", response.status_code
            target = urljoin(response.url, response.headers["Location"])
            assert self._is_ours(target), f"redirected away to {target}"
            response = self._ask("GET", target)
        page = Page(self, response)
        assert response.status_code == status, f"{response.status_code}: {page.root.text[:500]}"
        faults = list(_find_faults(page))
        assert faults == [], f"{response.url}: {faults}"
        return page

    def _ask(self, method: str, address: str, **options: Any) -> requests.Response:
        response = self._session.request(
            method,
            urljoin(self.url, address),
            allow_redirects=False,
            timeout=SECONDS,
            **options,
        )
        self._check_cookies(response)
        assert response.headers.get("X-Content-Type-Options") == "nosniff", response.url
        return response

    def _check_cookies(self, response: requests.Response) -> None:
        assert "Set-Cookie" not in response.headers, f"{response.url} sets a cookie"

    def _is_ours(self, address: str) -> bool:
        return urlsplit(urljoin(self.url, address)).netloc == urlsplit(self.url).netloc


class Page:
    """One page as it was answered."""

    def __init__(self, visitor: Visitor, response: requests.Response) -> None:
        self.visitor = visitor
        self.response = response
        self.url = response.url
        self.root = parse(response.text)

    @property
    def title(self) -> str:
        return _only(self.root.find_all("title")).text

    @property
    def heading(self) -> str:
        return _only(self.root.find_all("h1")).text

    @property
    def locale(self) -> str:
        return _only(self.root.find_all("html"))["lang"]

    @property
    def text(self) -> str:
        """What can be read between header and footer."""
        return _only(self.root.find_all("main")).text

    @property
    def errors(self) -> list[str]:
        """What the error summary lists."""
        summaries = [e for e in self.root.walk() if e.has_class("panel--error")]
        return [item.text for summary in summaries for item in summary.find_all("li")]

    def form(self, submit: str | None = None) -> Form:
        """Return the form with this submit button, or the page's only form."""
        forms = self.root.find_all("form")
        if submit is not None:
            forms = [form for form in forms if submit in _list_button_texts(form)]
        return Form(self, _only(forms))

    def link(self, text: str) -> str:
        """Return the address of the link with this text."""
        return _only([a for a in self.root.find_all("a") if a.text == text])["href"]

    def follow(self, text: str, *, status: int = 200) -> Page:
        return self.visitor.open(urljoin(self.url, self.link(text)), status=status)


class Form:
    """A form on a page, holding what a browser would send."""

    def __init__(self, page: Page, element: Element) -> None:
        self.page = page
        self.element = element
        self.fields = list(_read_fields(element))

    def __getitem__(self, name: str) -> str:
        """Return the value that stands in a control; an empty one is an empty text."""
        return next((value for key, value in self.fields if key == name), "")

    def list_values(self, name: str) -> list[str]:
        """List the values of a control that may have several, such as ticked boxes."""
        return [value for key, value in self.fields if key == name]

    def fill(self, **values: str | list[str]) -> Form:
        """Type into controls or choose; a list ticks several boxes, an empty one unticks all."""
        for name, value in values.items():
            assert self.element.find_all(name=name), f"there is no control {name!r}"
            chosen = [value] if isinstance(value, str) else value
            self._check_choices(name, chosen)
            self.fields = [pair for pair in self.fields if pair[0] != name]
            self.fields += [(name, text) for text in chosen]
        return self

    def press(self, text: str) -> Form:
        """Choose the submit button that says more than that the form is to be sent."""
        button = _only([b for b in self.element.find_all("button") if b.text == text])
        self.fields.append((button["name"], button["value"]))
        return self

    def submit(self, *, status: int = 200, **options: Any) -> Page:
        """Send the form and return the page that follows."""
        return self.page.visitor.post(self.action, self.fields, status=status, **options)

    def leave(self) -> str:
        """Send a form that leads away from the site, and return where to."""
        return self.page.visitor.leave(self.action, self.fields)

    @property
    def action(self) -> str:
        return urljoin(self.page.url, self.element["action"])

    def _check_choices(self, name: str, chosen: list[str]) -> None:
        boxes = [e for e in self.element.find_all(name=name) if e["type"] in ("radio", "checkbox")]
        options = [o for e in self.element.find_all("select", name=name) for o in _list_options(e)]
        offered = {_get_value(element) for element in boxes + options}
        assert not offered or offered.issuperset(chosen), f"{name} offers {sorted(offered)}"


def _read_fields(form: Element) -> Iterator[tuple[str, str]]:
    for control in form.find_all("input", "select", "textarea"):
        name, kind = control["name"], control["type"]
        if not name or "disabled" in control or kind in NO_VALUE:
            continue
        if control.tag == "textarea":
            # HTML drops the line break right after the opening tag.
            yield name, "".join(str(child) for child in control.children).removeprefix("\n")
        elif control.tag == "select":
            options = _list_options(control)
            selected = [option for option in options if "selected" in option] or options[:1]
            yield from ((name, _get_value(option)) for option in selected)
        elif kind not in ("radio", "checkbox") or "checked" in control:
            yield name, control["value"]


def _list_options(select: Element) -> list[Element]:
    return select.find_all("option")


def _get_value(choice: Element) -> str:
    return choice.attributes.get("value", choice.text)


def _list_button_texts(form: Element) -> list[str]:
    return [button.text for button in form.find_all("button")]


def _only(elements: list[Element]) -> Element:
    assert len(elements) == 1, f"expected one, found {elements}"
    return elements[0]


def _find_faults(page: Page) -> Iterator[str]:
    yield from _find_faulty_headers(page.response)
    yield from _find_faulty_outline(page)
    labelled = {label["for"] for label in page.root.find_all("label") if label.text}
    for element in page.root.walk():
        yield from _find_faulty_element(page, element)
        if _is_control(element) and not _has_label(element, labelled):
            yield f"no label for {element['name']!r}"


def _find_faulty_headers(response: requests.Response) -> Iterator[str]:
    policy = response.headers.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "unsafe" in policy:
        yield f"policy {policy!r}"
    if response.headers.get("Content-Type") != "text/html; charset=utf-8":
        yield f"type {response.headers.get('Content-Type')!r}"
    if response.headers.get("Referrer-Policy") != "no-referrer":
        yield "addresses with tokens would be told to other sites"
    if "no-store" not in response.headers.get("Cache-Control", ""):
        yield "the page may be kept by others"


def _find_faulty_outline(page: Page) -> Iterator[str]:
    root = page.root
    for tag in ("html", "title", "h1", "main"):
        found = root.find_all(tag)
        if len(found) != 1 or not found[0].text:
            yield f"{len(found)} of <{tag}>, or an empty one"
    if any(html["lang"] not in ("ja", "en") for html in root.find_all("html")):
        yield "no language"
    ids = Counter(element["id"] for element in root.walk() if element["id"])
    yield from (f"id {name!r} twice" for name, count in ids.items() if count > 1)
    for element in root.walk():
        named = (element["for"], *element["aria-describedby"].split())
        named += (*element["aria-labelledby"].split(), element["aria-controls"])
        yield from (f"no element has the id {name!r}" for name in named if name and name not in ids)


def _find_faulty_element(page: Page, element: Element) -> Iterator[str]:
    if element.tag == "style" or "style" in element:
        yield "an inline style"
    if element.tag == "script" and not element["src"] and not _is_data(element):
        yield "an inline script"
    yield from (f"a handler {name}" for name in element.attributes if name.startswith("on"))
    if element.tag == "img" and "alt" not in element:
        yield f"no text for the picture {element['src']}"
    if element.tag in ("a", "button") and not (element.text or element["aria-label"]):
        yield f"<{element.tag}> without a name"
    for name in ("src", "action", *(("href",) if _is_fetched(element) else ())):
        address = element[name]
        if address and not address.startswith("data:") and not _is_same_site(page, address):
            yield f"a request to somebody else: {address}"
    if element["href"].startswith("javascript:"):
        yield "a link that is a script"


def _is_fetched(link: Element) -> bool:
    """Tell whether a browser asks for what a <link> leads to: not for other names of a page."""
    return link.tag == "link" and link["rel"] not in ("alternate", "canonical")


def _is_data(script: Element) -> bool:
    """Tell whether a script is nothing but data, which no browser runs and which ends nowhere."""
    text = "".join(str(child) for child in script.children)
    if script["type"] != "application/ld+json" or any(char in text for char in "<>&\u2028\u2029"):
        return False
    return isinstance(json.loads(text), dict)


def _is_control(element: Element) -> bool:
    is_seen = element["type"] not in ("hidden", *NO_VALUE)
    return element.tag in ("select", "textarea") or (element.tag == "input" and is_seen)


def _has_label(control: Element, labelled: Collection[str]) -> bool:
    """Tell whether a control has a name; `labelled` are the ids that labels are for."""
    if control["aria-label"] or control["aria-labelledby"]:
        return True
    is_named = bool(control["id"]) and control["id"] in labelled
    return is_named or any(above.tag == "label" and above.text for above in control.ancestors())


def _is_same_site(page: Page, address: str) -> bool:
    return urlsplit(urljoin(page.url, address)).netloc == urlsplit(page.url).netloc
