"""The description of the API, as a file for programs and as a page for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from ..site import get_site
from .access import bp

FILE = Path(__file__).with_name("openapi.json")
KEPT = "public, max-age=300"
METHODS = ("get", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One thing to ask for. `answers` are status, words and name of what stands in the body."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    is_open: bool
    parameters: tuple[Part, ...]
    body: str
    answers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Part:
    """A parameter, or a member of an object."""

    name: str
    kind: str
    is_needed: bool
    description: str


@cache
def read_description() -> dict[str, Any]:
    """Read the file, which stands beside this one."""
    description: dict[str, Any] = json.loads(FILE.read_text())
    return description


@bp.get("/openapi.json", endpoint="show_description")
def show_description() -> ResponseReturnValue:
    """Show the file with this site's own address; web pages of any origin may read it."""
    server = {"url": f"{get_site().settings.site_url}/api/v1"}
    text = json.dumps(read_description() | {"servers": [server]}, ensure_ascii=False)
    response = Response(text, content_type="application/json")
    response.headers["Cache-Control"] = KEPT
    return response


@bp.get("/docs", endpoint="show_reference")
def show_reference() -> ResponseReturnValue:
    described = read_description()
    operations = list(_list_operations(described))
    return render_template(
        "api/reference.html",
        info=described["info"],
        url=f"{get_site().settings.site_url}/api/v1",
        sections=[
            (tag, [operation for name, operation in operations if name == tag["name"]])
            for tag in described["tags"]
        ],
        security=described["components"]["securitySchemes"]["key"]["description"],
        schemas=[
            (name, schema.get("description", ""), _list_members(schema), _write_example(schema))
            for name, schema in described["components"]["schemas"].items()
        ],
        problems=described["x-problems"],
    )


def _list_operations(described: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, item in described["paths"].items():
        for method in METHODS:
            if method in item:
                yield item[method]["tags"][0], _make_operation(path, method, item, described)


def _make_operation(
    path: str, method: str, item: Mapping[str, Any], described: Mapping[str, Any]
) -> Operation:
    asked = item[method]
    parameters = [_resolve(p, described) for p in asked.get("parameters", ())]
    scopes = [scope for way in asked["security"] for scope in way.get("key", ())]
    return Operation(
        id=asked["operationId"],
        method=method.upper(),
        path=path,
        summary=asked["summary"],
        description=asked["description"],
        scope=", ".join(scopes),
        is_open={} in asked["security"],
        parameters=tuple(
            Part(
                p["name"],
                _name_kind(p["schema"]),
                p.get("required", False),
                p.get("description", ""),
            )
            for p in parameters
        ),
        body=_name_content(asked.get("requestBody", {})),
        answers=tuple(
            (status, found["description"], _name_content(found))
            for status, answer in asked["responses"].items()
            if (found := _resolve(answer, described))
        ),
    )


def _resolve(value: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference within the file."""
    found: Any = value
    if "$ref" in value:
        found = described
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return found


def _list_members(schema: Mapping[str, Any]) -> list[Part]:
    needed = schema.get("required", ())
    return [
        Part(name, _name_kind(member), name in needed, member.get("description", ""))
        for name, member in schema.get("properties", {}).items()
    ]


def _write_example(schema: Mapping[str, Any]) -> str:
    example = schema.get("example")
    return json.dumps(example, ensure_ascii=False, indent=2) if example else ""


def _name_content(holder: Mapping[str, Any]) -> str:
    """Return the name of the schema that a body has, empty where it has none of its own."""
    for content in holder.get("content", {}).values():
        kind = _name_kind(content["schema"])
        return kind if kind in read_description()["components"]["schemas"] else ""
    return ""


def _name_kind(schema: Mapping[str, Any]) -> str:
    """Say in a few words what a value is."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_name_kind(kind) for kind in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    kinds = schema.get("type", "object")
    if kinds == "array":
        return f"array of {_name_kind(schema['items'])}"
    words = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return f"{words} ({schema['format']})" if "format" in schema else words
