"""Schemathesis asks whatever it makes of the description, and the answers are as described."""

from __future__ import annotations

from collections import Counter
from typing import Any

import requests
import schemathesis
from schemathesis.engine import events, from_schema

from tests.fixtures.databases import only_sqlite
from tests.program import make_key

pytestmark = only_sqlite

# Every check is on. What a form asks no schema of ours can say, so a well-formed body may be 422,
# or 409 and 412 where it comes at another time.
CONFIG = """
seed = 20261210
continue-on-failure = true
base-url = "{url}/api/v1"
headers = {{ Authorization = "Bearer {key}" }}

[generation]
max-examples = 3
deterministic = true
database = "none"

[parameters]
"path.slug" = "spring"
"path.registration" = "{registration}"
"header.If-Match" = '{version}'

# One after the other, they each change what was read.
[[operations]]
include-path-regex = "/(approve|deny|cancel|reinstate)$"
parameters = {{ "header.If-Match" = "*" }}

# Whoever is erased is not there for the others any more.
[[operations]]
include-operation-id = "eraseRegistration"
parameters = {{ "path.slug" = "spring", "path.registration" = "{erased}" }}

[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "412", "422"]
negative_data_rejection.expected-statuses = [
    "400", "404", "405", "409", "412", "413", "415", "422", "428",
]
missing_required_header.expected-statuses = ["401", "428"]
"""

CHECKS = {
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "negative_data_rejection"),
    *("positive_data_acceptance", "missing_required_header", "unsupported_method"),
    *("allow_header_conformance", "use_after_free", "ensure_resource_availability"),
    *("ignored_auth", "object_level_authorization"),
}


def read_schema(site, program):
    """Read the description, with what only this site's form says: its version and its box."""
    registration = program.register().json()["registration"]
    read = program.get(f"/events/spring/registrations/{registration}")
    config = schemathesis.Config.from_str(
        CONFIG.format(
            url=site.url,
            key=make_key(site),
            registration=registration,
            version=read.headers["ETag"],
            erased=program.register(email="erased@example.com").json()["registration"],
        )
    )
    described: dict[str, Any] = requests.get(f"{site.url}/api/v1/openapi.json", timeout=10).json()
    body = described["components"]["schemas"]["Registering"]["properties"]
    body["form_version"] = {"type": "integer", "enum": [1]}
    body["email"] = {"type": "string", "enum": [f"person{n}@example.com" for n in range(9)]}
    company = {"type": "string", "maxLength": 128}
    body["answers"] = {"properties": {"company": company}, "additionalProperties": False}
    box = {"type": "boolean", "enum": [True]}
    body["consents"] |= {"properties": {"privacy": box}, "required": ["privacy"]}
    body["consents"]["additionalProperties"] = False
    return schemathesis.openapi.from_dict(described, config=config)


def test_every_answer_is_as_described(site, program):
    faults, answers, checks = [], Counter(), set()
    for event in from_schema(read_schema(site, program)).execute():
        if isinstance(event, events.NonFatalError):
            faults.append(f"{event.label}: {event.value}")
        if isinstance(event, events.FatalError):
            faults.append(str(event.exception))
        if isinstance(event, events.ScenarioFinished):
            label, recorder = event.recorder.label, event.recorder
            answers.update(
                (label, interaction.response.status_code)
                for interaction in recorder.interactions.values()
                if interaction.response is not None
            )
            for check in (check for made in recorder.checks.values() for check in made):
                checks.add(check.name)
                if check.failure_info is not None:
                    faults.append(f"{label} {check.name}: {check.failure_info.failure}")

    assert faults == []
    assert checks == CHECKS
    good = {label for label, status in answers if status < 300}
    assert good >= {label for label, _ in answers}
