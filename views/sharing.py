"""What the head of an event's page tells search engines, and others where it is shared."""

from __future__ import annotations

from dataclasses import dataclass

from services.event_schema import Schema, describe_event
from services.event_views import EventView, Image
from services.sharing_cards import SIZE, Card

from .site import get_site

OPEN_GRAPH_LOCALES = {"ja": "ja_JP", "en": "en_US"}


@dataclass(frozen=True)
class Sharing:
    """The head of an event's page; addresses are absolute.

    `url` is the page's own in its language, `neutral_url` the one that takes the reader's.
    """

    url: str
    neutral_url: str
    languages: tuple[tuple[str, str], ...]
    card: str
    card_type: str
    card_size: tuple[int, int]
    locale: str
    schema: Schema


def share(event: EventView) -> Sharing:
    """Put together what the page of an event tells programs about itself."""
    base_url = get_site().links.base_url
    address = f"{base_url}/e/{event.slug}"
    # A page that shows the words of another language is that one's, with other buttons.
    locale = event.locale if event.locale in event.languages else event.languages[0]
    url, card = f"{address}?lang={locale}", make_card(event)
    image = base_url + write_card_path(event)
    schema = describe_event(event, url=url, image=image, base_url=base_url)
    return Sharing(
        url=url,
        neutral_url=address,
        languages=tuple((each, f"{address}?lang={each}") for each in event.languages),
        card=image,
        card_type=card.media_type,
        card_size=SIZE,
        locale=OPEN_GRAPH_LOCALES[event.locale],
        schema=schema,
    )


def write_card_path(event: EventView) -> str:
    return f"/e/{event.slug}/card/{event.locale}/{make_card(event).name}"


def make_card(event: EventView) -> Card:
    return Card(
        title=event.title,
        when=f"{event.date_text}{event.time_text}",
        organizer=event.organizer,
        brand_color=event.brand_color,
        logo=_name_asset(event.logo),
        header=_name_asset(event.header),
    )


def _name_asset(image: Image | None) -> str:
    return image.url.rpartition("/")[2] if image else ""
