"""The description of the API is true: what it has is there, and what is there it has."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.api_keys import Scope
from services.default_form import default_questions
from services.questions import Condition, Question, QuestionKind
from tests.fixtures.databases import only_sqlite
from tests.program import Program, make_key
from tests.series import list_ids, make_series
from tests.stage import OPERATOR
from tests.views.api.test_registering import INDUSTRY
from views.api.access import NEEDED
from views.api.reference import FILE, METHODS, read_description

pytestmark = only_sqlite

ROOT = Path(__file__).parents[3]
WITH_CHOICES = (QuestionKind.SELECT, QuestionKind.RADIO, QuestionKind.CHECKBOXES)
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


def test_description_has_each_name_once(site):
    """Of two schemas with one name a reader keeps the last, also where the first was meant."""

    def check(members):
        names = [name for name, _ in members]
        assert len(set(names)) == len(names), names
        return dict(members)

    json.loads(FILE.read_text(), object_pairs_hook=check)


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
    raised = set(re.findall(r'\b\d{3},\s*"([a-z-]+)"', code))
    page = site.visitor(locale="en").open("/api/v1/docs")
    anchors = {element["id"] for element in page.root.walk() if element["id"]}

    assert raised == read_description()["x-problems"].keys()
    assert {f"problem-{kind}" for kind in raised} <= anchors
    links = {link["href"].removeprefix("#") for link in page.root.find_all("a")}
    assert {link for link in links if link.startswith("schema-")} <= anchors


def check(name, value):
    """Compare a value with a schema of the description."""
    described = read_description()
    schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    faults = [error.message for error in Draft202012Validator(schema).iter_errors(value)]
    assert faults == [], name


def test_answers_about_a_rich_event_are_as_described(site):
    """Every kind of question, dates to choose, somebody who has answered it all, and nobody."""
    questions = (*default_questions("ja", OPERATOR), INDUSTRY, *list_every_kind())
    with site.database.write() as session:
        event = make_series(
            session, site.zoom, now=site.clock(), slug="rich", questions=questions, least_age=16
        )
        dates = list_ids(event)
    program, anybody = Program(site, make_key(site)), Program(site, None)
    form = anybody.get("/events/rich/form").json()
    check("Form", form)
    check("Event", program.get("/events/rich").json())
    check("OpenEvent", anybody.get("/events/rich").json())
    answers = {"company": "例", "industry": "other", "industry_other": "農業", "reason": ["learn"]}
    answers |= {"event_dates": dates, "condition_on": "it", "deep": "x"}
    body = {"answers": answers, "is_old_enough": True}
    body["consents"] = {box["id"]: True for box in form["consents"]}
    told = program.register("rich", **body)
    assert told.status_code == 201, told.text
    check("Registered", told.json())
    [person] = program.get("/events/rich/registrations").json()["items"]
    check("Registration", person)
    assert answers.items() <= person["answers"].items()
    check("AttendancePage", program.get("/events/rich/attendance").json())
    check("Problem", program.register("rich").json())


def list_every_kind():
    """One question of each kind that needs no more than a label, and what else a form may have."""
    plain = set(QuestionKind) - {QuestionKind.CONSENT, *WITH_CHOICES}
    condition = replace(INDUSTRY, id="condition_on", has_other=False)
    return (
        *(Question(f"kind_{kind}", kind, {"ja": str(kind)}) for kind in sorted(plain)),
        condition,
        Question(
            "deep", QuestionKind.TEXT, {"en": "x"}, condition=Condition(condition.id, ("it",))
        ),
        Question("many", QuestionKind.NUMBER, {"ja": "数"}, minimum="1", maximum="9.5"),
    )


def test_file_names_this_site(site):
    answer = Program(site, None).get("/openapi.json")

    assert answer.json()["servers"] == [{"url": f"{site.url}/api/v1"}]
    assert (
        answer.json()["paths"] == json.loads((ROOT / "views/api/openapi.json").read_text())["paths"]
    )
