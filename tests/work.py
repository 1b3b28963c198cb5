"""Doing the work that a page asks for, as a browser's script does."""

from __future__ import annotations

import json

from altcha import Challenge, Payload, solve_challenge

from tests.page import Form, Page


def do_work(page: Page) -> Form:
    """Return the form of a page that asks for work, with the work done."""
    form = page.form()
    challenge = Challenge.from_dict(json.loads(form.element["data-work"]))
    solution = solve_challenge(challenge)
    assert solution is not None, "it was solved in time"
    return form.fill(proof=Payload(challenge, solution).to_base64())
