"""The description of the API is true: what it has is there, and what is there it has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from services.api_keys import Scope
from tests.fixtures.databases import only_sqlite
from tests.program import Program
from views.api.access import NEEDED
from views.api.reference import METHODS, read_description

pytestmark = only_sqlite

ROOT = Path(__file__).parents[3]
FILES = {"api.show_description", "api.show_reference"}


def list_described():
    return {
        f"{method.upper()} {path}": item[method]
        for path, item in read_description()["paths"].items()
        for method in METHODS
        if method in item
    }


def list_served(site):
    found = {}
    for rule in site.app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.endpoint not in FILES:
            path = rule.rule.removeprefix("/api/v1")
            acts = re.search(r"<any\((.*)\):\w+>", path)
            for act in acts[1].split(", ") if acts else [""]:
                whole = path.replace(acts[0], act) if acts else path
                whole = whole.replace("<", "{").replace(">", "}")
                for method in rule.methods - {"HEAD", "OPTIONS"}:
                    found[f"{method} {whole}"] = site.app.view_functions[rule.endpoint]
    return found


def test_description_is_openapi(site):
    OpenAPIV31SpecValidator(read_description()).validate()


def test_every_route_is_described_and_every_description_served(site):
    assert list_described().keys() == list_served(site).keys()


def test_scopes_are_those_that_the_views_need(site):
    served = list_served(site)
    for name, operation in list_described().items():
        [scope] = [s for way in operation["security"] for s in way.get("key", ())]
        needed = getattr(served[name], NEEDED, Scope.EVENTS_READ)
        is_open = not hasattr(served[name], NEEDED)
        assert (scope, {} in operation["security"]) == (needed, is_open), name
    described = read_description()["components"]["securitySchemes"]["key"]["description"]
    assert set(re.findall(r"`([\w]+:[\w]+)`", described)) == set(Scope)


def test_every_problem_is_explained_on_the_page(site):
    code = "".join(path.read_text() for path in (ROOT / "views/api").glob("*.py"))
    raised = set(re.findall(r'Problem\(\s*\d{3},\s*"([a-z-]+)"', code))
    raised |= set(re.findall(r'\(\d{3}, "([a-z-]+)", detail', code))
    raised |= {"event-full", "cancelled"}
    page = site.visitor(locale="en").open("/api/v1/docs")
    anchors = {element["id"] for element in page.root.walk() if element["id"]}

    assert raised == read_description()["x-problems"].keys()
    assert {f"problem-{kind}" for kind in raised} <= anchors
    links = {link["href"].removeprefix("#") for link in page.root.find_all("a")}
    assert {link for link in links if link.startswith("schema-")} <= anchors


def test_file_names_this_site(site):
    answer = Program(site, None).get("/openapi.json")

    assert answer.json()["servers"] == [{"url": f"{site.url}/api/v1"}]
    assert (
        answer.json()["paths"] == json.loads((ROOT / "views/api/openapi.json").read_text())["paths"]
    )
