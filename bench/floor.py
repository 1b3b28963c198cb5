"""The floor: the least that a durable registration form costs with Flask.

A page of 12 fields drawn by a Jinja macro, Flask-WTF's CSRF token, checks by hand with
email-validator, one INSERT that has reached the disk, one answer page. No translation, no states,
no jobs, no access log. `FLOOR_DATABASE` names a SQLite file or a PostgreSQL address.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from dataclasses import dataclass
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import Flask, render_template, request
from flask_wtf import CSRFProtect

from cli.web_server import serve

ADDRESS = "FLOOR_DATABASE"
WEB_PROCESSES = 2
WEB_THREADS = 4


@dataclass(frozen=True)
class Field:
    name: str
    label: str
    kind: str = "text"
    required: bool = False
    choices: tuple[str, ...] = ()


FIELDS = (
    Field("family_name", "Last name", required=True),
    Field("given_name", "First name", required=True),
    Field("email", "E-mail address", "email", required=True),
    Field("company", "Company", required=True),
    Field("department", "Department"),
    Field("job_title", "Job title"),
    Field("phone", "Phone"),
    Field("country", "Country", "select", choices=tuple(f"Country {n:02}" for n in range(35))),
    Field(
        "age_band", "Age group", "radio", choices=("Under 30", "30 to 49", "50 or over", "Other")
    ),
    Field(
        "reason", "Why are you joining?", "checkbox", choices=tuple(f"Reason {n}" for n in range(8))
    ),
    Field("message", "Message", "textarea"),
    Field("consent", "Privacy notice", "checkbox", required=True, choices=("I agree",)),
)

CONTROLS = """
{% macro control(field) %}
<div class="field field--{{ field.kind }}">
  <label class="field__label" for="{{ field.name }}">{{ field.label }}
    {% if field.required %}<span class="field__mark">required</span>{% endif %}</label>
  <p class="field__help" id="{{ field.name }}-help">Please answer as you would like to be shown.</p>
  {% if field.kind == "select" %}
  <select class="field__control" id="{{ field.name }}" name="{{ field.name }}">
    {% for choice in field.choices %}<option value="{{ choice }}">{{ choice }}</option>
    {% endfor %}
  </select>
  {% elif field.choices %}
  {% for choice in field.choices %}
  <label class="field__choice"><input type="{{ field.kind }}" name="{{ field.name }}"
    id="{{ field.name }}-{{ loop.index }}" value="{{ choice }}"> <span>{{ choice }}</span></label>
  {% endfor %}
  {% elif field.kind == "textarea" %}
  <textarea class="field__control" id="{{ field.name }}" name="{{ field.name }}"
    rows="5"></textarea>
  {% else %}
  <input class="field__control" id="{{ field.name }}" name="{{ field.name }}"
    type="{{ field.kind }}" value="" aria-describedby="{{ field.name }}-help">
  {% endif %}
</div>
{% endmacro %}
"""
FORM = (
    CONTROLS
    + """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ title }}</title></head>
<body>
<h1>{{ title }}</h1>
<p>{{ about }}</p>
<form method="post">
  <input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
  {% for field in fields %}{{ control(field) }}{% endfor %}
  <button>Register</button>
</form>
</body>
</html>
"""
)
ANSWER = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>You are registered</title></head>
<body>
<h1>You are registered</h1>
<p>Thank you, {{ name }}. Your number is {{ number }}.</p>
</body>
</html>
"""
ABOUT = "An hour about running events on the web, with time for questions at its end. " * 30

TABLE = "CREATE TABLE registration (id {key}, " + ", ".join(f"{f.name} TEXT" for f in FIELDS) + ")"
INSERT = "INSERT INTO registration ({names}) VALUES ({marks}) RETURNING id"


class SqliteTable:
    """A table in a SQLite file, durable as the product's: WAL, `synchronous=FULL`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._own = threading.local()

    def create(self) -> None:
        self._connect().execute(TABLE.format(key="INTEGER PRIMARY KEY"))

    def insert(self, values: list[str]) -> int:
        if not hasattr(self._own, "connection"):
            self._own.connection = self._connect()
        return int(self._own.connection.execute(_make_insert("?"), values).fetchone()[0])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection


class PostgresqlTable:
    """A table in PostgreSQL; each INSERT is a commit of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._own = threading.local()

    def create(self) -> None:
        self._connect().execute(TABLE.format(key="BIGSERIAL PRIMARY KEY").encode())

    def insert(self, values: list[str]) -> int:
        if not hasattr(self._own, "connection"):
            self._own.connection = self._connect()
        return int(self._own.connection.execute(_make_insert("%s"), values).fetchone()[0])

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(self._url, autocommit=True)


def open_table(address: str) -> SqliteTable | PostgresqlTable:
    return PostgresqlTable(address) if "://" in address else SqliteTable(address)


def check(fields: tuple[Field, ...]) -> tuple[list[str], list[str]]:
    """Return what was typed, by field, and the names of the fields that are wrong."""
    values, wrong = [], []
    for field in fields:
        typed = [value.strip() for value in request.form.getlist(field.name) if value.strip()]
        if (field.required and not typed) or (field.choices and not set(typed) <= {*field.choices}):
            wrong.append(field.name)
        values.append(", ".join(typed)[:2_000])
        if field.kind == "email" and typed:
            try:
                values[-1] = validate_email(typed[0], check_deliverability=False).normalized
            except EmailNotValidError:
                wrong.append(field.name)
    return values, wrong


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "a key that nothing depends on"
    CSRFProtect(app)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    form, answer = app.jinja_env.from_string(FORM), app.jinja_env.from_string(ANSWER)
    table = open_table(os.environ[ADDRESS])

    @app.get("/form")
    def show_form() -> str:
        return render_template(form, title="Running events", about=ABOUT, fields=FIELDS)

    @app.post("/form")
    def submit_form() -> tuple[str, int] | str:
        values, wrong = check(FIELDS)
        if wrong:
            return f"Please check: {', '.join(wrong)}", 422
        return render_template(answer, name=values[0], number=table.insert(values))

    return app


def _make_insert(mark: str) -> str:
    names = ", ".join(field.name for field in FIELDS)
    return INSERT.format(names=names, marks=", ".join([mark] * len(FIELDS)))


def main() -> None:
    """Serve the floor on a port as `flask web` serves the site."""
    serve(
        create_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        processes=WEB_PROCESSES,
        threads=WEB_THREADS,
    )


if __name__ == "__main__":
    main()
