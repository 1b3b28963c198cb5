"""Zoom's published description of its API, and what of an answer it knows."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).parents[3] / "shared" / "zoom" / "zoom-rest.openapi.json"


@cache
def read_description() -> Any:
    return json.loads(DESCRIPTION.read_text())


def find_operation(method: str, path: str) -> Any:
    """Find the call a path belongs to; `/status` is one of its own, and no registrant's id."""
    paths = read_description()["paths"]
    fitting = [
        template
        for template in paths
        if re.fullmatch(re.sub("{[^}]+}", "[^/]+", template), path) and method in paths[template]
    ]
    return paths[min(fitting, key=lambda template: template.count("{"))][method]


def get_answer_schema(operation: Any) -> Any:
    """Return the schema of what success answers; None where there is nothing."""
    success = next(v for status, v in operation["responses"].items() if status.startswith("2"))
    return success.get("content", {}).get("application/json", {}).get("schema")


def get_properties(schema: Any) -> dict[str, Any]:
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= get_properties(part)
    return found


def find_unknown_keys(schema: Any, value: Any) -> list[str]:
    if isinstance(value, list):
        return [key for item in value for key in find_unknown_keys(schema["items"], item)]
    if not isinstance(value, dict):
        return []
    known = get_properties(schema)
    unknown = [key for key in value if key not in known]
    inner = [find_unknown_keys(known[key], part) for key, part in value.items() if key in known]
    return unknown + sum(inner, [])
