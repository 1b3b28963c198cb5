"""Templates of the pages that every visitor sees, compiled before the first one comes."""

from __future__ import annotations

from flask import Flask

_PAGES = ("base", "framed", "registration/form", "registration/receipt")
_COMPONENTS = (
    *("_contact", "_organization", "_sharing", "buttons", "consent", "controls", "dates"),
    *("event", "fields", "form", "framing", "joining", "landing", "proofs", "receipt"),
    "text",
)


def compile_templates(app: Flask) -> None:
    """Compile what a form and a receipt are drawn by.

    Compiling takes a tenth of a second, which else the first visitors of each process wait for. It
    belongs before the processes part: what is compiled is theirs together.
    """
    for name in (*_PAGES, *(f"components/{name}" for name in _COMPONENTS)):
        app.jinja_env.get_template(f"{name}.html")
