"""Everything that is held about one registration, for the person to read and take away."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from storage import attendance, mails, provisions, registrations, zoom_registrants
from storage.models import Event, Registration

from .answers import read_answers
from .questions import answers_to_json


def collect_personal_data(
    session: Session, event: Event, registration: Registration
) -> dict[str, Any]:
    """Return JSON values: times in ISO 8601, texts as stored. Zoom's link itself is not in it."""
    registrant = zoom_registrants.get_zoom_registrant(session, registration.id)
    return {
        "event": {"slug": event.slug, "title": event.title, "starts_at": _write(event.starts_at)},
        "registration": _describe(registration),
        "answers": answers_to_json(read_answers(session, registration)),
        "consents": _list_consents(session, registration),
        "mails": _list_mails(session, registration),
        "changes": _list_changes(session, registration),
        "given_to_third_parties": [
            {"recipient": given.recipient, "items": given.items, "at": _write(given.made_at)}
            for given in provisions.list_provisions_of(session, registration.id)
        ],
        "attendance": [
            {
                "date": row.date_id,
                "first_joined_at": _write(row.first_joined_at),
                "last_left_at": _write(row.last_left_at),
                "seconds": row.seconds,
            }
            for row in attendance.list_rows(session, [registration.id])
        ],
        "zoom": {
            "delivery": registrant.delivery if registrant else None,
            "registrant_id": registrant.registrant_id if registrant else None,
        },
    }


def _describe(registration: Registration) -> dict[str, Any]:
    return {
        "email": registration.email,
        "family_name": registration.family_name,
        "given_name": registration.given_name,
        "status": registration.status,
        "language": registration.locale,
        "source": registration.source,
        "registered_at": _write(registration.created_at),
        "address_proven_at": _write(registration.proven_at),
        "join_clicks": registration.join_clicks,
        "last_join_click_at": _write(registration.last_clicked_at),
    }


def _list_consents(session: Session, registration: Registration) -> list[dict[str, Any]]:
    return [
        {
            "kind": consent.kind,
            "label": consent.label,
            "locale": consent.locale,
            "given": consent.is_given,
            "recorded_at": _write(consent.recorded_at),
            "notice_sha256": consent.notice_hash,
        }
        for consent in registrations.list_consents(session, registration.id)
    ]


def _list_mails(session: Session, registration: Registration) -> list[dict[str, Any]]:
    return [
        {
            "name": mail.name,
            "state": mail.state,
            "asked_at": _write(mail.created_at),
            "sent_at": _write(mail.sent_at),
        }
        for mail in mails.list_mails(session, registration.id)
    ]


def _list_changes(session: Session, registration: Registration) -> list[dict[str, Any]]:
    return [
        {
            "by": change.actor,
            "what": change.action,
            "before": change.before,
            "after": change.after,
            "at": _write(change.changed_at),
        }
        for change in registrations.list_changes(session, registration.id)
    ]


def _write(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
