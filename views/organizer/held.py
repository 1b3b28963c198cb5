"""What was kept aside as suspicious: the organizer says whether it is a person.

Beside it stands who waits for an erasing with the same address, about whom nothing is decided.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from services import audit
from services.audit import Action
from services.behind_erasings import Behind, list_behind
from services.dates import format_short
from services.events import read_link_policy
from services.members import Member, Permission
from services.overview import name_problem
from services.registrations import NotHeld, RegistrationNotOpen, drop, release
from services.submissions import Doubt
from services.texts import write_full_name
from storage import submissions
from storage.models import Event, SubmissionRow

from ..locale import read_locale
from ..site import get_site
from . import people_words as words
from .access import bp, need_event, needs
from .event_headings import view_event

MOST = 100

_RESULTS = {"release": "released", "drop": "dropped"}


@bp.get("/events/<event>/held", endpoint="list_held")
@needs(Permission.SEE_PEOPLE)
def list_held(member: Member, event: str) -> ResponseReturnValue:
    site, why = get_site(), _read_doubt(request.args.get("why"))
    with site.database.write() as session:
        found = need_event(session, member, event)
        counts = submissions.count_held_by_reason(session, found.id)
        held = submissions.list_held(session, found.id, reasons=_list_stored(why), limit=MOST + 1)
        registered = submissions.list_ids_of_registered(session, [row.id for row in held[:MOST]])
        rows = [_view(row, found, is_registered=row.id in registered) for row in held[:MOST]]
        now = site.read_clock()
        all_behind = list_behind(session, event_id=found.id) if why is None else []
        behind = [_view_behind(one, found, now) for one in all_behind[:MOST]]
        view = view_event(found)
        facts: dict[str, audit.Fact] = {"count": len(rows) + len(behind), "is_held": True}
        object_ = f"event:{event}"
        audit.record(session, member, Action.PEOPLE_LISTED, object_, facts=facts, now=now)
    return render_template(
        "organizer/held.html",
        event=view,
        here="people",
        rows=rows,
        why=why,
        reasons=_list_reasons(event, why, counts),
        is_more=len(held) > MOST,
        behind=behind,
        behind_count=len(all_behind),
    )


@bp.post("/events/<event>/held", endpoint="decide_held")
@needs(Permission.CHANGE_PEOPLE)
def decide_held(member: Member, event: str) -> ResponseReturnValue:
    """Register who was kept aside, or decide that it is nobody: of one, or all that were shown."""
    site, act = get_site(), request.form.get("act", "")
    now, why = site.read_clock(), _read_doubt(request.form.get("why"))
    with site.database.write() as session:
        found = need_event(session, member, event)
        if act not in _RESULTS:
            abort(422)
        if request.form.get("all") == "yes" and request.form.get("sure") != "yes":
            return _lead_back(event, why, done="unsure")
        asked = _list_asked(session, found, why)
        results = [_decide(session, found, row, act, now) for row in asked]
        for row, result in zip(asked, results, strict=True):
            if result == _RESULTS[act]:
                facts: dict[str, audit.Fact] = {"result": result}
                object_ = f"submission:{row.public_id}"
                audit.record(session, member, Action.PERSON_CHANGED, object_, facts=facts, now=now)
    count = results.count(_RESULTS[act])
    others = [result for result in results if result != _RESULTS[act]]
    return _lead_back(event, why, done=others[0] if others else _RESULTS[act], count=count)


def _list_asked(session: Session, event: Event, why: Doubt | None) -> list[SubmissionRow]:
    """List whom the request is about; who has come since the page was shown is not among them."""
    public_id = request.form.get("submission", "")
    last = submissions.get_submission_by_public_id(session, public_id)
    if last is None or last.event_id != event.id:
        abort(422)
    if request.form.get("all") != "yes":
        return [last]
    reasons = _list_stored(why)
    return submissions.list_held(session, event.id, reasons=reasons, until=last.id, limit=MOST)


def _decide(session: Session, event: Event, row: SubmissionRow, act: str, now: datetime) -> str:
    try:
        if act == "release":
            release(session, event, row, policy=read_link_policy(session, event), now=now)
        else:
            drop(session, row)
    except RegistrationNotOpen:
        return "not_open"
    except NotHeld:
        return "decided"
    return _RESULTS[act]


def _lead_back(event: str, why: Doubt | None, *, done: str, count: int = 0) -> ResponseReturnValue:
    query: dict[str, object] = {"done": done, "count": count} | ({"why": why} if why else {})
    return redirect(f"/organizer/events/{event}/held?{urlencode(query)}", code=303)


def _view(row: SubmissionRow, event: Event, *, is_registered: bool) -> dict[str, object]:
    return _view_sender(row, event) | {
        "public_id": row.public_id,
        "reason": words.DOUBT[_name_doubt(row.held_for)],
        "is_registered": is_registered,
    }


def _view_behind(behind: Behind, event: Event, now: datetime) -> dict[str, object]:
    reason = behind.wait.reason
    return _view_sender(behind.form, event) | {
        "former": behind.former.public_id,
        "is_due": behind.due_at <= now,
        "problem": words.PROBLEM.get(name_problem(reason), ""),
        "reason": reason,
    }


def _view_sender(row: SubmissionRow, event: Event) -> dict[str, object]:
    return {
        "name": write_full_name(row.family_name, row.given_name, row.locale),
        "email": row.email,
        "received": format_short(row.created_at, event.timezone, read_locale()),
    }


def _list_reasons(
    event: str, why: Doubt | None, counts: dict[str, int]
) -> list[tuple[str, int, str, bool]]:
    """Return (words, count, address, is shown) of each list, where there is more than one."""
    sums = dict.fromkeys(Doubt, 0)
    for stored, count in counts.items():
        sums[_name_doubt(stored)] += count
    if why is None and len(counts) < 2:
        return []
    address = f"/organizer/events/{event}/held"
    return [
        (_("All"), sum(sums.values()), address, why is None),
        *(
            (str(words.DOUBT_NAME[doubt]), count, f"{address}?why={doubt}", doubt is why)
            for doubt, count in sums.items()
        ),
    ]


def _read_doubt(text: str | None) -> Doubt | None:
    return Doubt(text) if text in list(Doubt) else None


def _name_doubt(stored: str) -> Doubt:
    """Say why a submission was kept aside; before that was stored it was the trap alone."""
    return _read_doubt(stored) or Doubt.TRAP


def _list_stored(why: Doubt | None) -> tuple[str, ...]:
    if why is None:
        return ()
    return (Doubt.TRAP, "") if why is Doubt.TRAP else (why,)
