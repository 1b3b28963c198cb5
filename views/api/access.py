"""Who may ask what of the API: every view of it is declared with `needs`, or for anybody.

A program shows its key in `Authorization: Bearer`. No cookie is read or set, so nothing that a
browser sends by itself has any effect here, and no token against it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from services.api_keys import NOTED_EVERY, Caller, Scope, hash_key, spend_request
from storage import api_keys, event_lists
from storage.models import Event

from ..problems import make_problem
from ..site import get_site

bp = Blueprint("api", __name__, url_prefix="/api/v1")

NEEDED = "needed_scope"
"""The attribute of a view that names the scope it was declared with."""

LONGEST_KEY = 200

View = Callable[..., ResponseReturnValue]


class Problem(Exception):
    """Ends a request with an answer that says why; `kind` is explained on the reference page."""

    def __init__(
        self,
        status: int,
        kind: str = "",
        detail: str = "",
        *,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind)
        self.response = make_problem(status, kind, detail, members, headers)


@bp.errorhandler(Problem)
def _show_problem(problem: Problem) -> Response:
    return problem.response


def needs(scope: Scope) -> Callable[[View], View]:
    """Declare what a view needs: it is called with `caller`, a program whose key may do that.

    Without a good key the answer is 401, with one that may do less 403. What belongs to others is
    as unknown as what never existed, 404, by `need_event` and the `organization_id` of the caller.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def answer(**arguments: Any) -> ResponseReturnValue:
            caller = find_caller(scope)
            if caller is None:
                raise Problem(
                    401,
                    "key-missing",
                    "Send the header Authorization: Bearer, with a key of the organization.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            return view(caller=caller, **arguments)

        setattr(answer, NEEDED, scope)
        return answer

    return declare


def find_caller(scope: Scope) -> Caller | None:
    """Return who asks; None for whoever shows no key at all.

    Side effects: it is noted now and then when a key was used.
    """
    if "Authorization" not in request.headers:
        return None
    caller = _read_caller(request.headers["Authorization"])
    if caller is None:
        raise Problem(
            401,
            "key-refused",
            "This key is unknown, revoked or expired.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    if not caller.may(scope):
        raise Problem(
            403,
            "scope-missing",
            f"This key lacks the scope {scope}.",
            members={"scope": str(scope)},
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
    return caller


def _read_caller(header: str) -> Caller | None:
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key.isascii() or len(key) > LONGEST_KEY:
        return None
    site = get_site()
    now = site.read_clock()
    found = api_keys.find_key(site.database, hash_key(key))
    if found is None or found.expires_at <= now:
        return None
    if found.last_used_at is None or now - found.last_used_at > NOTED_EVERY:
        with site.database.write() as session:
            api_keys.note_use(session, found.id, now=now)
    return Caller(found.id, found.public_id, found.organization_id, frozenset(found.scopes))


def need_event(session: Session, caller: Caller, slug: str) -> Event:
    """Return an event of the caller's organization; any other is answered with 404."""
    event = event_lists.get_event_by_slug(session, caller.organization_id, slug)
    if event is None:
        raise Problem(404)
    return event


def count_request(session: Session, caller: Caller) -> None:
    """Count a request that stores something or reads people, where the settings say so.

    Raises:
        RateLimitReached: the key asks too much; the answer says when to go on.
    """
    site = get_site()
    if site.settings.rate_limits:
        spend_request(session, caller, now=site.read_clock())


def answer_json(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a JSON value."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, dict(headers or {}), content_type="application/json")


def read_query(*known: str) -> dict[str, str]:
    """Return the parameters of the address; unknown or doubled ones are refused, not ignored."""
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if name not in known or len(values) > 1:
            why = "is unknown" if name not in known else "was sent more than once"
            refuse_parameter(name, why)
    return {name: values[0] for name, values in given.items()}


def refuse_parameter(name: str, why: str) -> None:
    """Answer 400 to a parameter that cannot be used."""
    raise Problem(
        400, "parameter-refused", f"{name[:100]} {why}.", members={"parameter": name[:100]}
    )
