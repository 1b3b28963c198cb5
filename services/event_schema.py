"""An event as search engines read it: schema.org's Event, as JSON within the page.

https://schema.org/Event and https://developers.google.com/search/docs/appearance/structured-data/event
say what is asked for (read 2026-11-27).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from .dates import load_zone
from .event_dates import Closed
from .event_views import EventView
from .events import EventState
from .organization_pages import ComingEvent

_SCHEMA = "https://schema.org"
_FREE = re.compile(r"\s*(参加費|受講料|料金)?\s*[:：は]?\s*(無料|free\b|0\s*円|[¥￥]\s*0\b)", re.I)
_PRICE = re.compile(r"[1-9１-９]")

Schema = dict[str, Any]


def is_free(fee: str) -> bool:
    """Tell whether a fee in words says that nobody pays; a number makes it doubtful."""
    return bool(_FREE.match(fee)) and not _PRICE.search(fee)


def describe_event(event: EventView, *, url: str, image: str, base_url: str) -> Schema:
    """Describe an event whose page is `url`; addresses are absolute, `base_url` ends without /."""
    starts_at = min((date.starts_at for date in event.dates), default=event.starts_at)
    ends_at = max((date.ends_at for date in event.dates), default=event.ends_at)
    schema = _describe_date(event, url, starts_at, ends_at)
    images = [image, *([base_url + event.header.url] if event.header else [])]
    performers = [{"@type": "Person", "name": speaker.name} for speaker in event.speakers]
    schema |= {
        "@context": _SCHEMA,
        "description": event.lead,
        "image": images,
        "inLanguage": event.locale,
        "organizer": _drop_empty(
            {
                "@type": "Organization",
                "name": event.organizer,
                "url": _find_organizer(event, base_url),
            }
        ),
        "performer": performers,
        "offers": _offer(event, url),
        "isAccessibleForFree": is_free(event.fee) or None,
        "subEvent": [
            _describe_date(
                event, url, date.starts_at, date.ends_at, is_cancelled=date.note == Closed.GONE
            )
            for date in event.dates
        ],
    }
    return _drop_empty(schema)


def describe_list(
    events: Iterable[ComingEvent], *, organizer: str, base_url: str, locale: str
) -> Schema:
    """Describe an organization's list of events, each with its page."""
    items = []
    for place, event in enumerate(events, start=1):
        url = f"{base_url}/e/{event.slug}?lang={locale}"
        item = _describe_date(event, url, event.starts_at, event.ends_at)
        item["organizer"] = {"@type": "Organization", "name": organizer}
        items.append({"@type": "ListItem", "position": place, "item": item})
    return {"@context": _SCHEMA, "@type": "ItemList", "itemListElement": items}


def _describe_date(
    event: EventView | ComingEvent,
    url: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    is_cancelled: bool = False,
) -> Schema:
    zone, former = load_zone(event.timezone), event.former_starts_at
    is_cancelled = is_cancelled or event.state == EventState.CANCELLED
    status = "Cancelled" if is_cancelled else "Rescheduled" if former else "Scheduled"
    schema = {
        "@type": "Event",
        "name": event.title,
        "startDate": _write(starts_at, zone),
        "endDate": _write(ends_at, zone),
        "eventAttendanceMode": f"{_SCHEMA}/OnlineEventAttendanceMode",
        "eventStatus": f"{_SCHEMA}/Event{status}",
        "location": {"@type": "VirtualLocation", "url": url},
    }
    return schema | ({"previousStartDate": _write(former, zone)} if former else {})


def _write(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _offer(event: EventView, url: str) -> Schema | None:
    """Say that a place costs nothing, and whether there is one; of another price nothing."""
    if not is_free(event.fee) or event.state == EventState.CANCELLED:
        return None
    availability = {
        EventState.SOON: "PreOrder",
        EventState.OPEN: "InStock",
        EventState.FULL: "SoldOut",
    }.get(EventState(event.state))
    offer = {"@type": "Offer", "price": "0", "priceCurrency": "JPY", "url": url}
    return offer | ({"availability": f"{_SCHEMA}/{availability}"} if availability else {})


def _find_organizer(event: EventView, base_url: str) -> str:
    return event.contact_url or (base_url + event.list_url if event.list_url else "")


def _drop_empty(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if value not in (None, "", [])}
