"""Links to an event's form that say where somebody heard of it: of a channel, or of a person.

The address holds a short code alone, so that what stands behind it can be renamed, and so that a
link which is passed on says nothing about whose it is. Whoever types another code registers as
usual, and the code is kept as it was typed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from storage import invitation_links, registrations
from storage.models import Event, InvitationLink, Registration

from .sources import REF, UTM_NAMES, read_source
from .texts import write_full_name

TAG_NAMES = UTM_NAMES[:3]
"""The tags that a link can bring."""

# None that is read or said as another one.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_LENGTH = 8
"""31 ** 8 codes: nobody finds others' by trying, and there would be nothing to see."""


class LinkKind(StrEnum):
    """Whose a link is: a place's, somebody's who helps, or a registered person's."""

    CHANNEL = "channel"
    HELPER = "helper"
    PERSON = "person"


@dataclass(frozen=True)
class NamedLink:
    """A link with what it is called."""

    link: InvitationLink
    name: str


def add_link(
    session: Session,
    event: Event,
    kind: LinkKind,
    *,
    name: str,
    tags: Mapping[str, str],
    now: datetime,
) -> InvitationLink:
    """Make a link of a channel or a helper."""
    return _add(session, event, kind, name=name, tags=clean_tags(tags), now=now)


def ensure_link_of(
    session: Session, event: Event, person: Registration, *, now: datetime
) -> InvitationLink:
    """Return a registered person's link, made if there is none."""
    registrations.lock_registration(session, person.id)
    link = invitation_links.get_link_of(session, person.id)
    if link is None:
        link = _add(session, event, LinkKind.PERSON, registration_id=person.id, tags={}, now=now)
    return link


def clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return read_source({name: tags[name] for name in TAG_NAMES if name in tags})


def list_shown(session: Session, event_id: int, codes: Collection[str]) -> list[NamedLink]:
    """List an event's links, the newest first: of registered people only those of some codes."""
    links = invitation_links.list_links(session, event_id, codes, and_unowned=True)
    return [NamedLink(link, name_link(link, person)) for link, person in links]


def read_names(session: Session, event_id: int, codes: Collection[str]) -> dict[str, NamedLink]:
    """Return an event's links by their codes; what nobody made is not among them."""
    if not codes:
        return {}
    links = invitation_links.list_links(session, event_id, codes)
    return {link.code: NamedLink(link, name_link(link, person)) for link, person in links}


def name_link(link: InvitationLink, person: Registration | None) -> str:
    """Return what a link is called: by its code where a name was erased."""
    if person is None:
        return link.name or link.code
    return write_full_name(person.family_name, person.given_name, person.locale) or link.code


def resolve(source: Mapping[str, str], links: Mapping[str, NamedLink]) -> dict[str, str]:
    """Put in the place of a known code its link's name, and the tags that the link brings."""
    named = links.get(source.get(REF, ""))
    if named is None:
        return dict(source)
    tags = {name: str(value) for name, value in named.link.tags.items()}
    return tags | dict(source) | {REF: named.name}


def _add(
    session: Session, event: Event, kind: LinkKind, *, now: datetime, **members: object
) -> InvitationLink:
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    link = InvitationLink(event_id=event.id, code=code, kind=str(kind), created_at=now, **members)
    return invitation_links.add_link(session, link)
