"""What a visitor does at the peers: how each asks, and how it wants to be told of somebody new."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import urlencode

from .steps import (
    JSON,
    Answer,
    Script,
    Steps,
    UnexpectedAnswer,
    expect,
    find_token,
    make_address,
    write,
    write_cookies,
)

TEXT = "山田"

_INDICO_FORM = re.compile(r'data-form-data="([^"]*)"')
_PRETIX_CART = re.compile(r'action="([^"]*/cart/add[^"]*)".*?name="(item_\d+)"', re.DOTALL)
# A question's name begins with the number of the cart's line.
_PRETIX_QUESTION = re.compile(r'<(input|select|textarea)([^>]* name="(\d+-question_\d+)"[^>]*)>')
_VALUE = re.compile(r' value="([^"]+)"')


def register_at_indico(script: Script, promised: dict[str, str]) -> Steps:
    """Open the form, send it in one POST of JSON, as its script does, and see the summary."""
    page = yield write("GET", script, script.path)
    expect(page, 200, script.path)
    _, token = find_token(script, page)
    email = make_address()
    headers = {"Content-Type": JSON, "X-CSRF-Token": token}
    body = json.dumps({**script.fields, "email": email})
    answer = yield write("POST", script, script.path, body, headers=headers)
    expect(answer, 200, script.path)
    target = json.loads(answer.body)["redirect"]
    page = yield write("GET", script, target)
    expect(page, 200, "what follows")
    _see_promise(script, page, email)
    promised[email] = target


def register_at_pretix(script: Script, promised: dict[str, str]) -> Steps:
    """Put the free ticket into a cart, answer its questions, confirm, and see the order."""
    cookies: dict[str, str] = {}

    def send(path: str, page: Answer, fields: Mapping[str, Any]) -> _Page:
        return _open(script, cookies, path, [find_token(script, page), *fields.items()])

    email = make_address()
    page = yield from _open(script, cookies, script.path)
    action, item = read_pretix_cart(page.body.decode())
    yield from send(action, page, {item: "1"})
    page = yield from _open(script, cookies, f"{script.path}checkout/start")
    answers = {"email": email, **answer_pretix(page.body.decode())}
    page = yield from send(f"{script.path}checkout/questions/", page, answers)
    page = yield from send(f"{script.path}checkout/confirm/", page, {})
    _see_promise(script, page, email)
    promised[email] = script.path


PEERS: Mapping[str, Callable[[Script, dict[str, str]], Steps]] = {
    "indico": register_at_indico,
    "pretix": register_at_pretix,
}


def answer_indico(page: str) -> dict[str, Any]:
    """Answer every question of the form, which the page has as JSON, but the e-mail address.

    Raises:
        UnexpectedAnswer: there is no form, or one that we do not know how to fill in.
    """
    found = _INDICO_FORM.search(page)
    if found is None:
        raise UnexpectedAnswer("Indico's page has no form: is the registration open?")
    items = json.loads(html.unescape(found[1]))["items"].values()
    asked = [item for item in items if item.get("htmlName") and item["isEnabled"]]
    return {item["htmlName"]: _answer(item) for item in asked if item["inputType"] != "email"}


def _answer(item: Mapping[str, Any]) -> Any:
    match item["inputType"]:
        case "text" | "textarea":
            return TEXT
        case "single_choice" | "multi_choice":
            return {item["choices"][0]["id"]: 1}
        case "affiliation":
            return {"id": None, "text": TEXT}
        case "country":
            return "JP"
        case "phone":
            return "+81 3 1234 5678"
        case "checkbox":
            return True
    raise UnexpectedAnswer(f"Indico asks with a {item['inputType']}, which nobody here fills in")


def read_pretix_cart(page: str) -> tuple[str, str]:
    """Return where the first ticket of an event's page is put into a cart, and its name."""
    found = _PRETIX_CART.search(page)
    if found is None:
        raise UnexpectedAnswer("pretix's page has no ticket: is the sale open?")
    return html.unescape(found[1]), found[2]


def answer_pretix(page: str) -> dict[str, str]:
    """Answer every question of a cart; of choices the first one."""
    answers: dict[str, str] = {}
    for found in _PRETIX_QUESTION.finditer(page):
        tag, attributes, name = found.groups()
        if tag == "select":
            choice = _VALUE.search(page, found.end())
        elif 'type="checkbox"' in attributes or 'type="radio"' in attributes:
            choice = _VALUE.search(attributes)
        else:
            choice = None
        box = "on" if 'type="checkbox"' in attributes else TEXT
        answers.setdefault(name, choice[1] if choice else box)
    return answers


_Page = Generator[bytes, Answer, Answer]


def _open(
    script: Script,
    cookies: dict[str, str],
    path: str,
    fields: list[tuple[str, Any]] | None = None,
) -> _Page:
    """Ask for a page, or send a form, and go where the answer leads; keep the cookies."""
    method, body = ("GET", "") if fields is None else ("POST", urlencode(fields))
    answer = yield write(method, script, path, body, headers=write_cookies(cookies))
    cookies.update(answer.cookies)
    while answer.target:
        answer = yield write("GET", script, answer.target, headers=write_cookies(cookies))
        cookies.update(answer.cookies)
    expect(answer, 200, path)
    return answer


def _see_promise(script: Script, page: Answer, email: str) -> None:
    if script.done.encode() not in page.body or email.encode() not in page.body:
        raise UnexpectedAnswer(f"not registered: {page.body[:300]!r}")
