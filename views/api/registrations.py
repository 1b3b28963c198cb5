"""Who is registered at an event: a list that programs walk along, and each person by themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from forms.addresses import email_key
from services import api_keys
from services.answers import gather_answers
from services.api_keys import Caller, Scope
from services.audit import Action, Fact
from services.chosen_dates import with_dates
from services.deliveries import Delivery
from services.erasing import is_erased
from services.facets import list_sensitive_ids
from services.form_history import read_answered_form
from services.registration_edits import write_version
from services.registration_values import write_moment, write_person
from services.registrations import Status
from storage import people, registration_pages
from storage.models import Consent, Event, Registration
from storage.registration_lists import FullRow, read_full_rows
from storage.registration_pages import Narrowing

from ..site import get_site
from .access import (
    Problem,
    answer_json,
    bp,
    count_request,
    need_event,
    needs,
    read_query,
    refuse_parameter,
)
from .paging import read_paging

FILTERS = ("status", "delivery", "email", "updated_since")

UNSEEN_FOR = timedelta(minutes=1)
"""So much later than it says a change may come to be seen: its moment is when it began."""
LONGEST_ADDRESS = 254


@bp.get("/events/<slug>/registrations", endpoint="list_registrations")
@needs(Scope.REGISTRATIONS_READ)
def list_all(caller: Caller, slug: str) -> ResponseReturnValue:
    query = read_query("limit", "cursor", *FILTERS)
    paging, wanted = read_paging(query, caller.organization_id), read_narrowing(query)
    read_at = get_site().read_clock() - UNSEEN_FOR
    # Reading many takes a while, and holds up nobody who registers.
    with get_site().database.read() as session:
        event = need_event(session, caller, slug)
        page = registration_pages.list_ids(
            session, event.id, wanted, after=paging.after, limit=paging.limit
        )
        hidden = list_hidden(session, caller, event)
        rows = read_full_rows(session, page.ids) if page.ids else []
        items = [write_registration(session, event, row, hidden) for row in rows]
        about = f"event:{event.public_id}"
    names = " ".join(name for name in FILTERS if name in query)
    record_list(caller, Action.PEOPLE_LISTED, about, {"count": len(items), "filters": names})
    next_page = paging.write_next(page.next_after)
    return answer_json({"items": items, "next": next_page, "read_at": write_moment(read_at)})


@bp.get("/events/<slug>/registrations/<registration>", endpoint="read_registration")
@needs(Scope.REGISTRATIONS_READ)
def read_one(caller: Caller, slug: str, registration: str) -> ResponseReturnValue:
    read_query()
    with get_site().database.write() as session:
        count_request(session, caller)
        event = need_event(session, caller, slug)
        person = need_registration(session, event, registration)
        [row] = read_full_rows(session, [person.id])
        value = write_registration(session, event, row, list_hidden(session, caller, event))
        version = write_etag(person)
        record(session, caller, Action.PERSON_SEEN, f"registration:{person.public_id}")
    return answer_json(value, headers={"ETag": version})


def need_registration(session: Session, event: Event, public_id: str) -> Registration:
    person = people.get_person(session, event.id, public_id)
    if person is None or is_erased(person):
        raise Problem(404)
    return person


def write_etag(registration: Registration) -> str:
    """Return the ETag of a registration, which differs after every change."""
    return f'"{write_version(registration)}"'


def record(
    session: Session,
    caller: Caller,
    action: Action,
    object_: str,
    facts: dict[str, Fact] | None = None,
) -> None:
    now = get_site().read_clock()
    api_keys.record(session, caller, action, object_, facts=facts, now=now)


def record_list(caller: Caller, action: Action, about: str, facts: dict[str, Fact]) -> None:
    """Count and record what has been read of many people, before it is told.

    Raises:
        RateLimitReached: the key asks too much, and is told nothing.
    """
    with get_site().database.write() as session:
        count_request(session, caller)
        record(session, caller, action, about, facts)


def read_narrowing(query: Mapping[str, str]) -> Narrowing:
    """Read the filters of an address; a value that nothing can have is refused."""
    status, delivery = query.get("status", ""), query.get("delivery", "")
    if "status" in query and status not in set(Status):
        refuse_parameter("status", f"must be one of {', '.join(Status)}")
    if "delivery" in query and delivery not in set(Delivery):
        refuse_parameter("delivery", f"must be one of {', '.join(Delivery)}")
    address = query.get("email", "")
    if "email" in query and not _is_address(address):
        refuse_parameter("email", "must be an address")
    return Narrowing(
        status=status,
        delivery=delivery,
        email_key=email_key(address) if address else "",
        updated_since=_read_moment(query.get("updated_since")),
    )


def _is_address(text: str) -> bool:
    return "@" in text and len(text) <= LONGEST_ADDRESS and text.isprintable()


def _read_moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if 1970 <= moment.year <= 9000 else None
    except ValueError:
        pass
    if moment is None or moment.tzinfo is None:
        refuse_parameter("updated_since", "must be a time with its zone, 2026-12-10T05:00:00Z")
    return moment


def list_hidden(session: Session, caller: Caller, event: Event) -> frozenset[str]:
    """List the questions whose answers a key does not show."""
    if caller.may(Scope.SENSITIVE_READ):
        return frozenset()
    return list_sensitive_ids(session, event)


def write_registration(
    session: Session, event: Event, full: FullRow, hidden: Collection[str]
) -> dict[str, Any]:
    person = full.row.registration
    answers = gather_answers(full.answers)
    form = read_answered_form(session, event, person.form_version_id, answers)
    return {
        "id": person.public_id,
        "number": full.row.number,
        "status": person.status,
        "delivery": full.row.delivery or None,
        **write_person(person, with_dates(event, form), answers, hidden),
        "form_version": form.number,
        "consents": [_write_consent(consent) for consent in full.consents],
        "surface": person.surface,
        "updated_at": write_moment(person.updated_at),
        "address_proven_at": write_moment(person.proven_at),
    }


def _write_consent(consent: Consent) -> dict[str, Any]:
    return {
        "id": consent.question_id,
        "kind": consent.kind,
        "label": consent.label,
        "language": consent.locale,
        "is_given": consent.is_given,
        "surface": consent.surface,
        "notice_sha256": consent.notice_hash,
        "recorded_at": write_moment(consent.recorded_at),
    }
